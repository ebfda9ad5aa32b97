"""One tree and one text for equal queries.

`not` goes to the single conditions, what says nothing further is left out, and the rest is in
order: two ways to write a selection mint one feed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import timedelta

from aggregator.queries.tree import (
    And,
    Followed,
    Has,
    Language,
    Leaf,
    Node,
    Not,
    Or,
    Pattern,
    Since,
    Source,
    Story,
    Tag,
    Words,
)

_BARE = re.compile(r"\w[\w+#]*")
_PLAIN = re.compile(r"[^\s()\"/-][^\s()\"]*")
_HOUR = timedelta(hours=1)


def simplified(node: Node) -> Node:
    """The one tree of all that mean the same by the laws of `and`, `or` and `not`."""
    return _simple(node, negated=False)


def text_of(node: Node) -> str:
    """The canonical text of a simplified tree; parsing it gives the same tree."""
    if isinstance(node, Or):
        return " or ".join(text_of(one) for one in node.nodes)
    if isinstance(node, And):
        return " ".join(
            f"({text_of(one)})" if isinstance(one, Or) else text_of(one) for one in node.nodes
        )
    if isinstance(node, Not):
        return f"-{text_of(node.node)}"
    return _leaf(node)


def _simple(node: Node, *, negated: bool) -> Node:
    if isinstance(node, Not):
        return _simple(node.node, negated=not negated)
    if isinstance(node, And | Or):
        parts = [_simple(one, negated=negated) for one in node.nodes]
        return _joined(parts, every=isinstance(node, And) != negated)
    if not negated:
        return node
    return Followed(not node.yes) if isinstance(node, Followed) else Not(node)


def _joined(parts: Iterable[Node], *, every: bool) -> Node:
    kind, other = (And, Or) if every else (Or, And)
    flat: dict[str, Node] = {}
    for part in parts:
        for one in part.nodes if isinstance(part, kind) else (part,):
            flat[text_of(one)] = one
    # a (a or b) is a, and so is: a or (a b)
    kept = {
        text: one
        for text, one in flat.items()
        if not (isinstance(one, other) and _says_more(one.nodes, flat, text))
    }
    nodes = tuple(kept[text] for text in sorted(kept, key=lambda text: (text[0] == "-", text)))
    return nodes[0] if len(nodes) == 1 else kind(nodes)


def _says_more(inside: Sequence[Node], beside: dict[str, Node], own: str) -> bool:
    """Whether another part is among (or is made of some of) what this one is made of."""
    mine = {text_of(one) for one in inside}
    for text, one in beside.items():
        if text == own:
            continue
        theirs = {text_of(n) for n in one.nodes} if isinstance(one, And | Or) else {text}
        if theirs < mine:
            return True
    return False


def _leaf(leaf: Leaf) -> str:
    if isinstance(leaf, Words):
        field = f"{leaf.field}:" if leaf.field else ""
        return field + _words(leaf.words)
    if isinstance(leaf, Pattern):
        escaped = re.sub(r"\\.|/", lambda m: "\\/" if m[0] == "/" else m[0], leaf.pattern)
        return f"{leaf.field}:/{escaped}/{'i' if leaf.ignore_case else ''}"
    if isinstance(leaf, Tag):
        return f"tag:{_value(leaf.name)}"
    if isinstance(leaf, Source):
        return f"source:{_value(leaf.id)}"
    if isinstance(leaf, Language):
        return f"lang:{leaf.tag}"
    if isinstance(leaf, Has):
        return f"has:{leaf.media}"
    if isinstance(leaf, Followed):
        return f"followed:{'yes' if leaf.yes else 'no'}"
    if isinstance(leaf, Story):
        return f"story:{leaf.number}"
    return _since(leaf)


def _words(words: Sequence[str]) -> str:
    alone = len(words) == 1 and _BARE.fullmatch(words[0]) and words[0] != "or"
    return words[0] if alone else '"' + " ".join(words) + '"'


def _value(text: str) -> str:
    return text if _PLAIN.fullmatch(text) and text.lower() != "or" else f'"{text}"'


def _since(leaf: Since) -> str:
    if leaf.at is not None:
        return f"since:{leaf.at:%Y-%m-%d}"
    hours = (leaf.ago or timedelta(0)) // _HOUR
    return f"since:{hours // 24}d" if hours % 24 == 0 else f"since:{hours}h"
