"""Two evaluations beside each other: each kind of error before and after."""

from __future__ import annotations

from bench.beside import beside

BEFORE = """related: 106 pages
                          all      cross
  micro F1              0.985      0.912
  something found on pages with none     1/31 0.03    1/16 0.06

  wrong: card                        1      1
  wrong: heading                     2
bodies: 40 pages
  ours          0.6540 0.58  11
""".splitlines()
AFTER = """related: 106 pages
                          all      cross
  micro F1              0.988      0.912
  something found on pages with none     0/31 0.00    0/16 0.00

  wrong: heading                     2
bodies: 40 pages
  ours          0.7110 0.63   8
""".splitlines()


def test_what_changed_is_told_with_both_figures_and_a_kind_that_is_gone_with_one() -> None:
    shown = {line: (one, other) for line, one, other in beside(BEFORE, AFTER)}

    assert shown == {
        ("related: 106 pages", "micro F1"): ("0.985 0.912", "0.988 0.912"),
        ("related: 106 pages", "something found on pages with none"): (
            "1/31 0.03 1/16 0.06",
            "0/31 0.00 0/16 0.00",
        ),
        ("related: 106 pages", "wrong: card"): ("1 1", "–"),
        ("bodies: 40 pages", "ours"): ("0.6540 0.58 11", "0.7110 0.63 8"),
    }
    assert list(beside(AFTER, AFTER)) == []
    assert len(list(beside(AFTER, AFTER, unchanged=True))) == 4
