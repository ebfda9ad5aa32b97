"""Atom's constructs: text (RFC 4287 §3.1), content (§4.1.3) and links (§4.2.7)."""

from __future__ import annotations

import base64
import binascii

from lxml import etree

from aggregator.feeds import fields
from aggregator.feeds.inner import markup_of, text_of, xhtml_of
from aggregator.feeds.limits import ParseLimits
from aggregator.model.feed import FeedLink

_HTML = ("html", "text/html")
_XHTML = ("xhtml", "application/xhtml+xml")
_IANA = "http://www.iana.org/assignments/relation/"


def atom_text_title(element: etree._Element, limits: ParseLimits) -> str | None:
    """A text construct as one line of plain text."""
    kind = (element.get("type") or "").strip().lower()
    if len(element):
        return fields.title_of(xhtml_of(element), limits, is_html=True)
    if element.get("mode") == "base64":
        return fields.title_of(_from_base64(element.text), limits)
    is_html = kind in _HTML or element.get("mode") == "escaped"
    return fields.title_of(element.text, limits, is_html=is_html)


def atom_markup(element: etree._Element, limits: ParseLimits) -> str | None:
    """A text construct or `content` as HTML; None for media that are no text.

    Atom 0.3 says the same by `mode`: `escaped` is HTML in text, `xml` is XHTML, `base64` itself.
    """
    kind = (element.get("type") or "").strip().lower()
    if element.get("mode") == "base64":
        return fields.body_of(_from_base64(element.text), limits)
    if len(element):
        return fields.body_of(xhtml_of(element), limits)
    if kind in _HTML or element.get("mode") == "escaped":
        return fields.body_of(element.text, limits)
    if kind in _XHTML:
        return fields.body_of(markup_of(element), limits)
    if kind in ("", "text", "text/plain") or kind.startswith("text/"):
        return fields.text_as_html(text_of(element), limits)
    return None


def atom_link(element: etree._Element, base: str | None, limits: ParseLimits) -> FeedLink | None:
    """A link with its relation in lower case (`alternate` by default), or None without a URL."""
    href = fields.url_of(element.get("href"), base, limits)
    if href is None:
        return None
    rel = (fields.label_of(element.get("rel"), limits) or "alternate").lower()
    return FeedLink(
        rel=rel.removeprefix(_IANA),
        href=href,
        type=fields.label_of(element.get("type"), limits),
        title=fields.title_of(element.get("title"), limits),
    )


def _from_base64(text: str | None) -> str | None:
    try:
        return base64.b64decode(text or "").decode("utf-8")
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return None
