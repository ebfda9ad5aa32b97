"""The text, and the markup, inside an element."""

from __future__ import annotations

import html
import re
from urllib.parse import urljoin

from lxml import etree

from aggregator.urls.origin import resolve

XML_BASE = "{http://www.w3.org/XML/1998/namespace}base"
_ADDRESSES = ("href", "src", "poster", "data-src", "data-original", "data-lazy-src")
_CANDIDATE = re.compile(r"(^\s*|,\s+)([^\s,]\S*)")

# Publishers write them in any case: `URL`, `isPermalink`.
_ATTRIBUTES = frozenset((
    "href", "url", "rel", "type", "length", "term", "label", "text", "mode", "medium", "title",
    "lang", "language", "src", "alt", "width", "height", "fileSize", "isPermaLink", "isDefault",
    "duration",
))  # fmt: skip
_BY_LOWER_CASE = {name.lower(): name for name in _ATTRIBUTES}


def straighten_attributes(element: etree._Element) -> None:
    """Give the attributes of an element their names as the formats write them."""
    keys = element.keys()
    if _ATTRIBUTES.issuperset(keys):
        return
    for key in keys:
        if key not in _ATTRIBUTES:
            name = _BY_LOWER_CASE.get(str(key).lower())
            if name is not None and element.get(name) is None:
                element.set(name, element.attrib[key])


def text_of(element: etree._Element) -> str | None:
    """All text inside `element`, its descendants' included."""
    if len(element) == 0:
        return element.text
    return "".join(map(str, element.itertext()))


def texts_of(element: etree._Element) -> list[str]:
    """The text in `element`, or the texts where it holds a list of them (`rdf:Bag`, `rdf:Seq`)."""
    if len(element) == 0:
        return [element.text] if element.text and not element.text.isspace() else []
    items = [one for one in element.iter() if str(one.tag).endswith("}li")] or [element]
    return [text for one in items if (text := text_of(one)) and not text.isspace()]


def markup_of(element: etree._Element, base: str | None) -> str | None:
    """What `element` holds as HTML: its text as received, or its child elements written out.

    Publishers forget to escape, and Atom's `xhtml` does not: then children are serialised as HTML,
    without their namespaces. The element loses its children on the way. Addresses below an
    `xml:base` of the markup become absolute; `base` is the one in force at `element`.
    """
    if len(element) == 0:
        return element.text
    based = False
    for child in element.iter():
        if child is not element and isinstance(child.tag, str):
            based = based or child.get(XML_BASE) is not None
            if child.tag[0] == "{":
                child.tag = etree.QName(child).localname
    if based:
        _apply_bases(element, base)
    parts = [html.escape(element.text, quote=False) if element.text else ""]
    # Away from the feed's root, whose namespaces would be written on every child.
    apart = etree.Element("div")
    apart.extend(list(element))
    etree.cleanup_namespaces(apart)
    parts.extend(
        etree.tostring(child, encoding="unicode", method="html", with_tail=True) for child in apart
    )
    return "".join(parts)


def xhtml_of(element: etree._Element, base: str | None) -> str | None:
    """The inside of the single `div` that Atom's `type="xhtml"` demands (RFC 4287 §3.1.1.3).

    Where something stands beside the `div`, all of it.
    """
    if len(element) != 1 or etree.QName(element[0]).localname != "div":
        return markup_of(element, base)
    div = element[0]
    if (element.text or "").strip() or (div.tail or "").strip():
        return markup_of(element, base)
    if div.get(XML_BASE) is not None:
        _apply_bases(element, base)
    return markup_of(div, base)


def join_base(outer: str | None, inner: str | None) -> str | None:
    """The base in force inside an element with `xml:base` (XML Base §4.1)."""
    if not inner:
        return outer
    return resolve(outer, inner) or outer


def _apply_bases(element: etree._Element, base: str | None) -> None:
    """Make the addresses below every `xml:base` absolute (XML Base §4)."""
    bases = {element: base}
    for child in element.iterdescendants():
        parent = child.getparent()
        if not isinstance(child.tag, str) or parent is None:
            continue
        outer = bases.get(parent, base)
        bases[child] = own = join_base(outer, child.get(XML_BASE))
        child.attrib.pop(XML_BASE, "")
        if own is None or own == base:
            continue
        for name in _ADDRESSES:
            value = child.get(name)
            if value:
                child.set(name, _joined(own, value))
        if srcset := child.get("srcset"):
            child.set("srcset", _joined_all(own, srcset))


def _joined_all(base: str, srcset: str) -> str:
    return _CANDIDATE.sub(lambda found: found[1] + _joined(base, found[2]), srcset)


def _joined(base: str, address: str) -> str:
    try:
        return urljoin(base, address.strip())
    except ValueError:
        return address
