"""What an XPath expression finds, as the one type that the expression promises."""

from __future__ import annotations

from lxml import etree


def elements(
    tree: etree._Element, path: str, namespaces: dict[str, str] | None = None
) -> list[etree._Element]:
    """The elements that `path` selects; TypeError when it selects anything else."""
    found = _selected(tree, path, namespaces)
    chosen = [one for one in found if isinstance(one, etree._Element)]
    if len(chosen) != len(found):
        raise TypeError(f"{path} selects more than elements")
    return chosen


def element(
    tree: etree._Element, path: str, namespaces: dict[str, str] | None = None
) -> etree._Element:
    """The only element that `path` selects; ValueError when it selects none or several."""
    (found,) = elements(tree, path, namespaces)
    return found


def strings(tree: etree._Element, path: str, namespaces: dict[str, str] | None = None) -> list[str]:
    """The texts or attributes that `path` selects; TypeError when it selects anything else."""
    found = _selected(tree, path, namespaces)
    chosen = [str(one) for one in found if isinstance(one, str)]
    if len(chosen) != len(found):
        raise TypeError(f"{path} selects more than strings")
    return chosen


def attributes(element: etree._Element) -> dict[str, str]:
    """The attributes of an element."""
    return {str(name): str(value) for name, value in element.attrib.items()}


def text_of(tree: etree._Element) -> str:
    """All text in a tree, in its order."""
    return "".join(str(piece) for piece in tree.itertext())


def _selected(tree: etree._Element, path: str, namespaces: dict[str, str] | None) -> list[object]:
    found = tree.xpath(path, namespaces=namespaces)
    if not isinstance(found, list):
        raise TypeError(f"{path} selects no nodes")
    return list(found)
