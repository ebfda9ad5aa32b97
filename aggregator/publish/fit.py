"""A document within its bounds: the bodies of its oldest items become summaries first.

Deterministic: the same items and the same bound give the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from html import escape

from aggregator.markup.text import cap
from aggregator.model.item import FeedPage, ServedItem
from aggregator.publish.values import line

SUMMARY = 600  # bytes of UTF-8 that stay of a body
_TRIES = 8


@dataclass(frozen=True, slots=True)
class Fitted:
    """A rendered document, and how many of its bodies became summaries."""

    body: bytes
    shortened: int


def fit(page: FeedPage, render: Callable[[FeedPage], bytes], most: int) -> Fitted:
    """The page rendered into at most `most` bytes, where shorter bodies can do that.

    Args:
        page: Its items newest first.
        render: Of one format.
        most: Bytes. Beyond them the oldest bodies are cut to `SUMMARY` bytes of plain text, as many
            as it takes; a page that is too long even so is given as short as it can be.
    """
    body = render(page)
    shortened = 0
    for _ in range(_TRIES):
        excess = len(body) - most
        if excess <= 0 or shortened == len(page.items):
            break
        shortened = _how_many(page, shortened, excess)
        items = page.items[: len(page.items) - shortened]
        brief = tuple(_brief(item) for item in page.items[len(page.items) - shortened :])
        body = render(replace(page, items=(*items, *brief)))
    return Fitted(body, shortened)


def _how_many(page: FeedPage, so_far: int, excess: int) -> int:
    """How many of the oldest items are shortened to save at least `excess` bytes more."""
    saved, count = 0, so_far
    for item in reversed(page.items[: len(page.items) - so_far]):
        if saved >= excess:
            break
        saved += max(0, _size(item) - SUMMARY)
        count += 1
    return max(count, min(so_far + 1, len(page.items)))


def _size(item: ServedItem) -> int:
    return len((item.html or "").encode()) + len((item.summary or "").encode())


def _brief(item: ServedItem) -> ServedItem:
    text = line(item.text or "")
    short = cap(text, SUMMARY)
    said = short if short == text else f"{short} …"
    return replace(item, html=None, summary=escape(said, quote=False), text=said)
