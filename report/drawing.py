"""The pipeline's own picture: the groups of a run as boxes with outcome and seconds."""

from __future__ import annotations

from dataclasses import dataclass, field

from report.graph import Box, Link, lay_out
from report.lineage import Group, Lineage
from report.values import show_seconds

# At 12 px a letter of a monospaced face is .6 em wide; a little more for faces that are wider.
_LETTER, _PADDING, _HEIGHT = 7.4, 12.0, 42.0
_OUTSIDE = "your file"


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
    fed = {group.id: _sources(lineage, group) for group in lineage.groups}
    sources = list(dict.fromkeys(name for names in fed.values() for name in names))
    shift = 1 if sources else 0
    boxes = [
        Box(g.id, g.depth + shift, _width(_name(g), _line(g)), _HEIGHT) for g in lineage.groups
    ]
    edges = [(parent.id, group.id) for group in lineage.groups for parent in group.parents]
    boxes += [Box(f"from-{name}", 0, _width(*_texts(name)), _HEIGHT) for name in sources]
    edges += [(f"from-{name}", id_) for id_, names in fed.items() for name in names]
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
    pages = {maker.flow: f"{maker.flow}.html" for maker in lineage.elsewhere.values() if maker.page}
    for name in sources:
        x, y = drawing.corners[f"from-{name}"]
        href = f"{lineage.root}{pages[name]}" if name in pages else None
        title = f"flow {name}" if name else "data that no stage made"
        width = drawing.widths[f"from-{name}"]
        nodes.append(
            Node(f"from-{name}", x, y, width, _HEIGHT, *_texts(name), "outside", title, href)
        )
    return Graph(drawing.width, drawing.height, nodes, drawing.links)


def _sources(lineage: Lineage, group: Group) -> list[str]:
    """Flows that made what a group took from elsewhere; an empty name stands for files."""
    made = [i.digest for call in group.calls for i in lineage.inputs(call) if i.maker is None]
    others = [lineage.elsewhere.get(digest) for digest in made]
    return list(dict.fromkeys(other.flow if other else "" for other in others))


def _texts(source: str) -> tuple[str, str]:
    return (source, "a flow of its own") if source else (_OUTSIDE, "")


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
