"""The second step in a worker, for new and changed entries only: bodies made safe and absolute."""

from __future__ import annotations

import re
from html import unescape

from aggregator.feeds.limits import DEFAULT_LIMITS
from aggregator.markup.sanitize import SANITIZER_VERSION, sanitize_html
from aggregator.markup.text import canonical_to_text, cap
from aggregator.model.feed import ParsedEntry
from aggregator.model.item import PreparedBody
from aggregator.urls.origin import resolve


def prepare_body(entry: ParsedEntry) -> PreparedBody:
    """The entry's body as safe HTML with absolute links, and its plain text.

    `html` is the content, or the summary where there is none; `summary` is set only when the entry
    has both and they differ.
    """
    base = entry.base or entry.link
    html = _safe(entry.content or entry.summary, base)
    summary = None
    if entry.content and entry.summary and entry.summary != entry.content:
        summary = _safe(entry.summary, entry.summary_base or base) or None
        if summary == html:
            summary = None
    return PreparedBody(
        html=html,
        text=cap(canonical_to_text(html), DEFAULT_LIMITS.body),
        summary=summary,
        image=entry.image,
        sanitizer_version=SANITIZER_VERSION,
    )


def _safe(html: str | None, base: str | None) -> str:
    if html and "<base" in html.lower():
        base = _own_base(html, base)
    return cap_html(sanitize_html(html, base)) if html else ""


def _own_base(html: str, base: str | None) -> str | None:
    """The base that HTML names itself (WHATWG HTML §4.2.3): the first one counts."""
    found = _BASE.search(html)
    return (resolve(base, unescape(found[1] or found[2] or found[3])) if found else None) or base


_BASE = re.compile(
    r"<base\s(?:[^<>]*?\s)?href\s*=\s*(?:\"([^\"<>]*)\"|'([^'<>]*)'|([^\s\"'<>]+))", re.IGNORECASE
)


def cap_html(html: str) -> str:
    """Sanitised HTML within the limit of a body; what is cut is closed again by the sanitiser."""
    limit = DEFAULT_LIMITS.body
    if len(html) * 4 <= limit or len(html.encode()) <= limit:
        return html
    cut = cap(html, limit)
    return sanitize_html(cut[: max(cut.rfind("<"), 1)], None)
