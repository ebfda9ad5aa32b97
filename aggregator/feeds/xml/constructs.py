"""What formats share: text (RFC 4287 §3.1), persons (§3.2), content (§4.1.3) and links (§4.2.7)."""

from __future__ import annotations

import base64
import binascii

from lxml import etree

from aggregator.feeds.limits import ParseLimits
from aggregator.feeds.names import Names
from aggregator.feeds.values import fields
from aggregator.feeds.values.fields import Declared
from aggregator.feeds.xml.inner import markup_of, text_of, texts_of, xhtml_of
from aggregator.model.feed import FeedLink, Person

_HTML = ("html", "text/html")
_XHTML = ("xhtml", "application/xhtml+xml")
_IANA = "http://www.iana.org/assignments/relation/"


def atom_text_title(element: etree._Element, limits: ParseLimits) -> str | None:
    """A text construct as one line of plain text."""
    if len(element):
        return fields.title_of(xhtml_of(element, None), limits, Declared.HTML)
    kind = declared_by(element)
    text = _from_base64(element.text) if element.get("mode") == "base64" else element.text
    return fields.title_of(text, limits, Declared.PLAIN if kind is Declared.NOTHING else kind)


def atom_markup(element: etree._Element, base: str | None, limits: ParseLimits) -> str | None:
    """A text construct or `content` as HTML; None for media that are no text.

    Atom 0.3 says the same by `mode`: `escaped` is HTML in text, `xml` is XHTML, `base64` itself.
    `base` is the base URL in force at the element.
    """
    if element.get("mode") == "base64":
        return fields.body_of(_from_base64(element.text), limits)
    if len(element):
        return fields.body_of(xhtml_of(element, base), limits)
    kind = declared_by(element)
    if kind is Declared.HTML:
        return fields.body_of(element.text, limits)
    if kind is Declared.PLAIN:
        return fields.text_as_html(element.text, limits)
    return None if element.get("type") else fields.guessed_html(element.text, limits)


def declared_by(element: etree._Element) -> Declared:
    """What an element's `type` says that its text is: Atom's, and Media RSS' `plain` or `html`."""
    kind = (element.get("type") or "").partition(";")[0].strip().lower()
    if kind in _HTML or kind in _XHTML:
        return Declared.HTML
    if kind == "plain" or kind.startswith("text"):
        return Declared.PLAIN
    return Declared.HTML if element.get("mode") == "escaped" and not kind else Declared.NOTHING


def atom_link(element: etree._Element, base: str | None, limits: ParseLimits) -> FeedLink | None:
    """A link with its relation in lower case (`alternate` by default), or None without a URL."""
    rel = (fields.label_of(element.get("rel"), limits) or "alternate").lower().removeprefix(_IANA)
    address_of = fields.file_of if rel == "enclosure" else fields.url_of
    address = element.get("href")
    if address is None and element.get("rel") is not None:
        address = element.text  # of a program that knows RSS
    # A part of this very document is no page of an entry.
    is_fragment = address is not None and address[:1] == "#"
    href = None if is_fragment else address_of(address, base, limits)
    if href is None:
        return None
    return FeedLink(
        rel=rel,
        href=href,
        type=fields.label_of(element.get("type"), limits),
        title=fields.title_of(element.get("title"), limits, Declared.PLAIN),
    )


def _from_base64(text: str | None) -> str | None:
    try:
        return base64.b64decode(text or "").decode("utf-8")
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return None


def people_in(element: etree._Element, names: Names) -> list[str | None]:
    """The names in an element for a person: `name` children, else `email`, else the text.

    Several stand in one element as children of it (`rdf:Bag`).
    """
    if len(element) == 0:
        return [element.text]
    told: dict[str, list[str | None]] = {"name": [], "email": []}
    for child in element:
        local = names.of(child.tag).rpartition(":")[2]
        if local in told:
            told[local].append(text_of(child))
    found = [name for name in told["name"] if name and not name.isspace()]
    return [*found] or told["email"][:1] or [*texts_of(element)]


def person_in(element: etree._Element, base: str | None, limits: ParseLimits) -> Person | None:
    """Who takes part in an episode (`podcast:person`), or None without a name."""
    name = fields.person_of(text_of(element), limits)
    if name is None:
        return None
    role, group = (
        (fields.label_of(element.get(key), limits) or "").lower() or None
        for key in ("role", "group")
    )
    image, url = (fields.url_of(element.get(key), base, limits) for key in ("img", "href"))
    return Person(name, role, group, image, url)


def described(element: etree._Element, limits: ParseLimits) -> str | None:
    """A description of Media RSS as HTML."""
    declared = declared_by(element)
    if declared is Declared.HTML or len(element):
        return markup_of(element, None)
    if declared is Declared.PLAIN:
        return fields.text_as_html(element.text, limits)
    return fields.guessed_html(element.text, limits)
