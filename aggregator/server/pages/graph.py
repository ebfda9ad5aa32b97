"""The picture of an item's neighbourhood: a circle of items around it, as numbers for an SVG."""

from __future__ import annotations

import math
from dataclasses import dataclass

from aggregator.model.pages import GraphNode, Neighbourhood

WIDTH, HEIGHT = 720, 340  # user units
_MOST = 14  # nodes; more cannot be read
_FEWEST = 2  # beside the item: a single one is named in the lists anyway
_LABEL = 30  # characters


@dataclass(frozen=True, slots=True)
class Dot:
    """A node with its place; `anchor` says on which side of it the label is written."""

    node: GraphNode
    x: int
    y: int
    label: str
    anchor: str  # start | middle | end
    label_x: int
    label_y: int


@dataclass(frozen=True, slots=True)
class Line:
    """An edge between two places."""

    x1: int
    y1: int
    x2: int
    y2: int
    kind: str


@dataclass(frozen=True, slots=True)
class Picture:
    """A drawn neighbourhood; `hidden` counts the nodes left out."""

    dots: tuple[Dot, ...]
    lines: tuple[Line, ...]
    hidden: int
    width: int = WIDTH
    height: int = HEIGHT


def draw(around: Neighbourhood) -> Picture | None:
    """Places for the item in the middle and the others on an ellipse; None for too few."""
    centre = [n for n in around.nodes if n.kind == "self"][:1]
    others = [n for n in around.nodes if n.kind != "self"]
    if not centre or len(others) < _FEWEST:
        return None
    shown = others[:_MOST]
    dots = {centre[0].key: _dot(centre[0], WIDTH / 2, HEIGHT / 2, "middle")}
    for position, node in enumerate(shown):
        angle = -math.pi / 2 + 2 * math.pi * position / len(shown)
        across = math.cos(angle)
        anchor = "middle" if abs(across) < 0.2 else "start" if across > 0 else "end"
        dots[node.key] = _dot(
            node,
            WIDTH / 2 + WIDTH * 0.19 * across,
            HEIGHT / 2 + HEIGHT * 0.38 * math.sin(angle),
            anchor,
        )
    lines = tuple(
        Line(dots[a].x, dots[a].y, dots[b].x, dots[b].y, kind)
        for a, b, kind in around.edges
        if a in dots and b in dots
    )
    return Picture(tuple(dots.values()), lines, len(others) - len(shown))


def _dot(node: GraphNode, x: float, y: float, anchor: str) -> Dot:
    title = node.title if len(node.title) <= _LABEL else node.title[: _LABEL - 1].rstrip() + "…"
    sideways = {"start": 14, "end": -14, "middle": 0}[anchor]
    below = y >= HEIGHT / 2
    down = 4 if anchor != "middle" else 26 if below else -16
    return Dot(node, round(x), round(y), title, anchor, round(x) + sideways, round(y) + down)
