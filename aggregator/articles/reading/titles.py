"""The headline of an article page: what is offered for it, the best first."""

from __future__ import annotations

import re

from aggregator.articles.page import Page
from aggregator.articles.reading.names import folded
from aggregator.articles.structured import Structured, plain, strings
from aggregator.articles.subject import subject_words

_MAX_TITLE = 400
_SEPARATOR = re.compile(r"(?<!\s)\s++[|–—·•»:-]\s++|(?:(?<!\s)\s*+)?[|｜]\s*+|_")


def title_candidates(
    page: Page, said: Structured, publisher: str | None, feed_title: str | None
) -> tuple[str, ...]:
    """All titles a page offers, best first.

    The headline of the page (`h1`) is taken when another candidate confirms it; a feed's own
    title decides between candidates that disagree.
    """
    stated = strings(said.article.get("headline"), limit=1)
    headings = [plain(h.text(deep=True) or "", _MAX_TITLE) for h in page.tree.css("h1")[:5]]
    og = [
        _trimmed(t, publisher)
        for n in ("og:title", "twitter:title")
        for t in said.meta.get(n, ())[:1]
    ]
    item = list(said.items.get("headline", ())[:1])
    title = page.tree.css_first("title")
    whole = plain(title.text(deep=True) or "", _MAX_TITLE) if title is not None else ""
    rest = [*stated, *og, *item, _trimmed(whole, publisher)]
    confirmed = [h for h in headings if h and any(_alike(h, other) for other in rest)]
    exact = [t for t in (*stated, *og) if any(_after_kicker(h, t) for h in confirmed)]
    offers = [
        *exact[:1],
        *confirmed,
        *stated,
        *og,
        *item,
        *(h for h in headings if h),
        *rest[-1:],
        whole,
    ]
    unique = list(dict.fromkeys(t[:_MAX_TITLE] for t in offers if t))
    if feed_title:
        wanted = folded(feed_title)
        unique.sort(key=lambda t: folded(t) != wanted)
    return tuple(unique[:10])


def _after_kicker(heading: str, title: str) -> bool:
    """Whether a heading is a kicker and then this title, in one element."""
    whole, part = folded(heading), folded(title)
    return whole != part and whole.endswith(part) and len(part) * 5 > len(whole) * 3


def _alike(one: str, other: str) -> bool:
    if not other:
        return False
    a, b = folded(one), folded(other)
    if not a or not b:
        return False
    if a in b or b in a:
        return min(len(a), len(b)) * 3 > max(len(a), len(b))
    mine, theirs = subject_words(one), subject_words(other)
    return bool(mine) and len(mine & theirs) * 2 > len(mine)


def _trimmed(title: str, publisher: str | None) -> str:
    """A `<title>` without the publication's name at either end."""
    title = plain(title, _MAX_TITLE)
    parts = _SEPARATOR.split(title)
    if len(parts) < 2:
        return title
    if publisher:
        name = folded(publisher)
        for separator in _SEPARATOR.finditer(title):
            tail = folded(title[separator.end() :])
            if tail and (tail in name or name in tail) and len(tail) < 2 * len(name) + 8:
                return title[: separator.start()].strip()
    longest = max(parts, key=len)
    if "_" in title or "|" in title or "｜" in title:
        return longest.strip() if len(longest) * 2 > len(title) else title
    last = parts[-1].strip()
    if len(last) <= 30 and len(last) * 3 < len(title) and len(parts) >= 2:
        return title[: title.rfind(last)].rstrip(" |–—·•»:-").strip()
    return title
