"""The text, and the markup, inside an element."""

from __future__ import annotations

import html

from lxml import etree

# Publishers write them in any case: `URL`, `isPermalink`.
_ATTRIBUTES = frozenset((
    "href", "url", "rel", "type", "length", "term", "label", "text", "mode", "medium", "title",
    "lang", "fileSize", "isPermaLink", "isDefault", "duration",
))  # fmt: skip
_BY_LOWER_CASE = {name.lower(): name for name in _ATTRIBUTES}


def straighten_attributes(element: etree._Element) -> None:
    """Give the attributes of an element their names as the formats write them."""
    for key in element.keys():  # noqa: SIM118 - an lxml element's items are its children
        if key not in _ATTRIBUTES:
            name = _BY_LOWER_CASE.get(str(key).lower())
            if name is not None and element.get(name) is None:
                element.set(name, element.attrib[key])


def text_of(element: etree._Element) -> str | None:
    """All text inside `element`, its descendants' included."""
    if len(element) == 0:
        return element.text
    return "".join(map(str, element.itertext()))


def markup_of(element: etree._Element) -> str | None:
    """What `element` holds as HTML: its text as received, or its child elements written out.

    Publishers forget to escape, and Atom's `xhtml` does not: then children are serialised as HTML,
    without their namespaces. The element loses its children on the way.
    """
    if len(element) == 0:
        return element.text
    for child in element.iter():
        if child is not element and isinstance(child.tag, str) and child.tag[0] == "{":
            child.tag = etree.QName(child).localname
    parts = [html.escape(element.text, quote=False) if element.text else ""]
    # Away from the feed's root, whose namespaces would be written on every child.
    apart = etree.Element("div")
    apart.extend(list(element))
    etree.cleanup_namespaces(apart)
    parts.extend(
        etree.tostring(child, encoding="unicode", method="html", with_tail=True) for child in apart
    )
    return "".join(parts)


def xhtml_of(element: etree._Element) -> str | None:
    """The inside of the single `div` that Atom's `type="xhtml"` demands (RFC 4287 §3.1.1.3)."""
    children = list(element)
    if len(children) == 1 and etree.QName(children[0]).localname == "div":
        return markup_of(children[0])
    return markup_of(element)
