"""Two printed evaluations beside each other: what a change did to each figure and kind of error.

    make -s eval > before.txt      # on the commit before
    make -s eval > after.txt       # on this one
    python -m bench.beside before.txt after.txt [--all]

A line of an evaluation is words and then figures; lines are matched by the words, below the nearest
line without figures above them. Printed are the lines whose figures differ, and those that only one
of the two has: a kind of error that is new, or gone. `--all` prints the others too.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

_FIGURES = re.compile(r"\s{2,}((?:(?:[-+]?\d[\d.,/%]*|-)(?:\s+|$))+)$")
_NONE = "–"

Line = tuple[str, str]  # the heading above it, its words


def figures_of(lines: Iterable[str]) -> dict[Line, str]:
    """The figures of each line that ends with some, by its heading and words.

    Of equal lines below one heading the first counts.
    """
    found: dict[Line, str] = {}
    heading = ""
    for line in lines:
        text = line.rstrip()
        words, figures = _parted(text)
        if figures and words:
            found.setdefault((heading, words), figures)
        elif text and not text.startswith(" "):
            heading = text.strip()
    return found


def _parted(text: str) -> tuple[str, str]:
    """Words, and the figures behind them."""
    match = _FIGURES.search(text)
    if match is None:
        return text.strip(), ""
    return text[: match.start()].strip(), " ".join(match[1].split())


def beside(
    before: Iterable[str], after: Iterable[str], *, unchanged: bool = False
) -> Iterable[tuple[Line, str, str]]:
    """Lines with their figures in either evaluation, in the order of the later one."""
    old, new = figures_of(before), figures_of(after)
    for line in dict.fromkeys([*new, *old]):
        one, other = old.get(line, _NONE), new.get(line, _NONE)
        if unchanged or one != other:
            yield line, one, other


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the comparison; 1 where nothing differs."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("before", type=Path)
    parser.add_argument("after", type=Path)
    parser.add_argument("--all", action="store_true", help="lines that are equal too")
    options = parser.parse_args(arguments)
    texts = [p.read_text(encoding="utf-8").splitlines() for p in (options.before, options.after)]
    shown = list(beside(texts[0], texts[1], unchanged=options.all))
    heading = None
    for (above, words), one, other in shown:
        if above != heading:
            print(above)
            heading = above
        print(f"  {words}\n    before  {one}\n    after   {other}")
    return 0 if shown else 1


if __name__ == "__main__":
    sys.exit(main())
