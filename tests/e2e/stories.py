"""A stream of news for the end-to-end test: stories with copies, templates, bulletins.

Everything is made up from a seed. Each text carries the name of its truth, `kind:number`, in its
address, so that the groups found can be held against it.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from html import escape

_LETTERS = "bcdfglmnrstaeiou"
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")


@dataclass(frozen=True, slots=True)
class Piece:
    """One item of one source; `truth` is the same for copies of one text and for no others."""

    source: int
    truth: str
    number: int
    title: str
    text: str

    @property
    def link(self) -> str:
        return f"https://site{self.source}.example/2026/{self.truth}-{self.number}-report"


def stream(stories: int, sources: int, seed: int = 5) -> list[Piece]:
    """About five items a story, in random order: copies from up to four sources, and for every
    story a report from a template, a renumbered one, or a bulletin that recurs."""
    order = random.Random(seed)
    vocabulary = ["".join(order.choices(_LETTERS, k=order.randint(3, 9))) for _ in range(4000)]
    pieces: list[Piece] = []
    for story in range(stories):
        pieces += _copies(order, vocabulary, story, sources)
        pieces.append(_template(order, story, sources))
    order.shuffle(pieces)
    return pieces


def _copies(order: random.Random, vocabulary: list[str], story: int, sources: int) -> list[Piece]:
    """The same text with another headline, trimmed, and under an outlet's own line."""
    paragraphs = [" ".join(order.choices(vocabulary, k=26)) + "." for _ in range(5)]
    outlets = order.sample(range(sources), 4)
    texts = [
        paragraphs,
        paragraphs[:4],
        [" ".join(order.choices(vocabulary, k=6)) + ".", *paragraphs],
        [*paragraphs[:3], " ".join(order.choices(vocabulary, k=8)) + "."],
    ]
    return [
        Piece(
            outlet, f"story{story}", place,
            " ".join(order.choices(vocabulary, k=7)).title(), "\n".join(text),
        )
        for place, (outlet, text) in enumerate(zip(outlets, texts, strict=True))
    ]  # fmt: skip


def _template(order: random.Random, number: int, sources: int) -> Piece:
    """Reports that share their words and differ in figures, place or day: never one text."""
    source = order.randrange(sources)
    figure = [order.randrange(100, 99999) for _ in range(12)]
    day = f"{_DAYS[number % 6]} March {number % 28 + 1}"
    if number % 3 == 0:
        text = (
            f"Shares closed on {day} at {figure[0]} points after {figure[1]} the day before. The "
            f"index of small companies gained {figure[2]} points to {figure[3]}. Traders counted "
            f"{figure[4]} deals worth {figure[5]} million. Copper cost {figure[6]} a tonne and "
            f"wheat {figure[7]}, while the currency bought {figure[8]} abroad."
        )
        title = "Shares close"
    elif number % 3 == 1:
        text = (
            f"A quake of magnitude {figure[0] % 9}.{figure[1] % 9} shook the sea floor at "
            f"{figure[2] % 24}:{figure[3] % 60} on {day}, {figure[4]} kilometres from the coast "
            f"and {figure[5]} metres deep, station {figure[6]} said. Report {figure[7]} names "
            f"{figure[8]} homes without power; the line for questions is {figure[9]}."
        )
        title = f"Quake report {figure[7]}"
    else:
        text = (
            f"The city lists for {day}: hall {figure[0]} at {figure[1] % 24}:00, entry {figure[2]} "
            f"coins; pool {figure[3]} until {figure[4] % 24}:30, lane {figure[5]}; library "
            f"{figure[6]} with {figure[7]} new books; tram {figure[8]} every {figure[9] % 30} "
            "minutes. Questions are answered at the town hall as always."
        )
        title = "Today in the city"
    return Piece(source, f"template{number}", 0, title, text)


def rss(source: int, pieces: list[Piece]) -> bytes:
    """The feed of a source with these pieces, newest first."""
    items = "".join(
        f"<item><guid isPermaLink='false'>{p.truth}-{p.number}-{p.source}</guid>"
        f"<title>{escape(p.title)}</title><link>{p.link}</link><description>"
        + escape("".join(f"<p>{line}</p>" for line in p.text.splitlines()))
        + "</description></item>"
        for p in reversed(pieces)
    )
    return (
        f'<?xml version="1.0"?><rss version="2.0"><channel><title>Site {source}</title>'
        f"<link>https://site{source}.example/</link><description>d</description>{items}"
        "</channel></rss>"
    ).encode()
