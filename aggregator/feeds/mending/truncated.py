"""Documents that end in the middle: cut after the last thing that is whole, and closed."""

from __future__ import annotations

import re
from typing import NamedTuple

_ROOT_TAG = re.compile(r"<(?:[\w.\-]+:)?(?:rss|feed|RDF|channel)\b", re.IGNORECASE)
_ROOT_END = re.compile(r"</(?:rss|feed|rdf:RDF|[\w.\-]{1,20}:(?:rss|feed|RDF))\s*>", re.IGNORECASE)
_CHANNEL_END = re.compile(r"</(?:[\w.\-]{1,20}:)?channel\s*>", re.IGNORECASE)
# What is no element is skipped; where it does not end it reaches to the end.
_MARK = re.compile(
    r"<!\[CDATA\[(?:(?!\]\]>).)*+(?:\]\]>|\Z)|<!--(?:(?!-->).)*+(?:-->|\Z)"
    r"|<(?P<end>/?)(?P<name>[A-Za-z_][\w.:\-]*+)(?P<inside>[^<>]*+)>",
    re.DOTALL,
)
_HEAD = 65_536


class Closed(NamedTuple):
    """A document that was cut off, closed; and whether its last entry ended in the middle."""

    text: str
    within: bool


def is_cut_off(text: str) -> bool:
    """Whether a mended document lacks the end tag of its root."""
    root = _ROOT_TAG.search(text)
    is_channel = root is not None and root.group().lower().endswith("channel")
    pattern = _CHANNEL_END if is_channel else _ROOT_END
    return pattern.search(text, max(0, len(text) - 4096)) is None


def close_truncated(text: str) -> Closed | None:
    """A document that ends in the middle, cut after its last whole part and closed.

    Of an entry that was cut off, the elements before the cut are whole: its headline, mostly. None
    when no entry has any. Only for a document that lacks its root's end tag.
    """
    if not is_cut_off(text):
        return None
    first = last = None
    for match in _MARK.finditer(text):
        name = (match.group("name") or "").lower()
        if name.rpartition(":")[2] in ("item", "entry"):
            first = first or (match if not match.group("end") else None)
            last = match
    if first is None or last is None:
        return None
    around = _still_open(text[: first.start()][:_HEAD])
    if last.group("end") or last.group("inside").endswith("/"):
        return Closed(_closed(text[: last.end()], around), within=False)
    whole = _last_whole_child(text, last.end())
    if whole is not None:
        return Closed(_closed(text[:whole], [*around, last.group("name")]), within=True)
    if last is first:
        return None
    return Closed(_closed(text[: last.start()], around), within=False)


def _closed(head: str, names: list[str]) -> str:
    return head + "".join(f"</{name}>" for name in reversed(names))


def _last_whole_child(text: str, start: int) -> int | None:
    """The end of the last element that is whole among the children of an open one."""
    depth, end = 0, None
    for match in _MARK.finditer(text, start):
        if match.group("name") is None:
            continue
        if match.group("end"):
            depth -= 1
        elif not match.group("inside").endswith("/"):
            depth += 1
        if depth == 0:
            end = match.end()
        elif depth < 0:
            break
    return end


def _still_open(before: str) -> list[str]:
    """The names of the elements that are open at the end of a stretch."""
    names: list[str] = []
    for match in _MARK.finditer(before):
        name = match.group("name")
        if name is None:
            continue
        if match.group("end"):
            if name in names:
                del names[len(names) - 1 - names[::-1].index(name) :]
        elif not match.group("inside").endswith("/"):
            names.append(name)
    return names
