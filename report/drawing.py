"""The pipeline's own picture: the groups of a run as boxes with outcome and seconds."""

from __future__ import annotations

from dataclasses import dataclass, field

from report.graph import Box, Link, lay_out
from report.lineage import Group, Lineage
from report.values import show_seconds

# At 12 px a letter of a monospaced face is .6 em wide; a little more for faces that are wider.
_LETTER, _PADDING, _HEIGHT = 7.4, 12.0, 42.0
_OUTSIDE = "outside"


@dataclass(frozen=True)
class Node:
    """One box: its place in px, its two lines of text, and what it links to."""

    id: str
    x: float
    y: float
    width: float
    height: float
    name: str
    line: str
    outcome: str
    title: str
    href: str | None


@dataclass(frozen=True)
class Graph:
    """The whole picture, in px."""

    width: float = 0.0
    height: float = 0.0
    nodes: list[Node] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)


def draw_graph(lineage: Lineage) -> Graph:
    """Lay out the groups of a run, with a box for files from outside where there are any."""
    fed = [
        group
        for group in lineage.groups
        if any(i.maker is None for call in group.calls for i in lineage.inputs(call))
    ]
    shift = 1 if fed else 0
    boxes = [
        Box(g.id, g.depth + shift, _width(_name(g), _line(g)), _HEIGHT) for g in lineage.groups
    ]
    edges = [(parent.id, group.id) for group in lineage.groups for parent in group.parents]
    if fed:
        boxes.append(Box(_OUTSIDE, 0, _width("your file"), _HEIGHT))
        edges += [(_OUTSIDE, group.id) for group in fed]
    drawing = lay_out(boxes, edges)
    nodes = []
    for group in lineage.groups:
        x, y = drawing.corners[group.id]
        words = ", ".join(f"{number} {outcome.word}" for outcome, number in group.outcomes)
        title = f"{group.stage}: {words}, {show_seconds(group.seconds)}"
        nodes.append(
            Node(
                group.id,
                x,
                y,
                drawing.widths[group.id],
                _HEIGHT,
                _name(group),
                _line(group),
                group.outcome.word,
                title,
                lineage.href(group),
            )
        )
    if fed:
        x, y = drawing.corners[_OUTSIDE]
        width = drawing.widths[_OUTSIDE]
        title = "data that no stage made"
        nodes.append(Node(_OUTSIDE, x, y, width, _HEIGHT, "your file", "", "outside", title, None))
    return Graph(drawing.width, drawing.height, nodes, drawing.links)


def _width(*lines: str) -> float:
    return round(max(len(line) for line in lines) * _LETTER + 2 * _PADDING, 1)


def _name(group: Group) -> str:
    return group.stage if len(group.calls) == 1 else f"{group.stage} ×{len(group.calls)}"


def _line(group: Group) -> str:
    if len(group.outcomes) == 1:
        outcome, _ = group.outcomes[0]
        done = f"{outcome.sign} {outcome.word}"
    else:
        done = " ".join(f"{outcome.sign} {number}" for outcome, number in group.outcomes)
    return f"{done} · {show_seconds(group.seconds)}"
