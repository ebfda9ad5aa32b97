"""The table of `docs/design/over-time.md`: `python -m tests.e2e.over_time.page` writes it."""

from __future__ import annotations

from pathlib import Path

from tests.e2e.over_time.cases import CASES
from tests.e2e.over_time.script import Case

PAGE = Path(__file__).parents[3] / "docs/design/over-time.md"
BEGINS, ENDS = "<!-- tests.e2e.over_time -->\n", "<!-- /tests.e2e.over_time -->"


def table() -> str:
    """A row for each case."""
    rows = ["| case | the origin sent | stored | served |", "|---|---|---|---|"]
    line = ""
    for case in CASES:
        if case.line != line:
            line = case.line
            rows.append(f"| **{line}** | | | |")
        rows.append(_row(case))
    return "\n".join(rows) + "\n"


def _row(case: Case) -> str:
    def column(what: str) -> str:
        return "<br>".join(
            (f"{hours} h: " if what == "says" else "") + getattr(sent, what).replace("|", "\\|")
            for hours, sent in sorted(case.polls.items())
        )

    return f"| {case.name} | {column('says')} | {column('stored')} | {column('served')} |"


def written() -> str:
    """The table as the page has it."""
    return PAGE.read_text().partition(BEGINS)[2].partition(ENDS)[0]


def main() -> None:
    """Write it."""
    before, _, rest = PAGE.read_text().partition(BEGINS)
    PAGE.write_text(f"{before}{BEGINS}{table()}{ENDS}{rest.partition(ENDS)[2]}")


if __name__ == "__main__":
    main()
