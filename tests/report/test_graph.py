from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from report.graph import Box, Drawing, lay_out

Graph = tuple[list[Box], list[tuple[str, str]]]


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    """Boxes of different sizes in a few columns, with any edges that lead to the right."""
    columns = draw(st.lists(st.integers(1, 6), min_size=1, max_size=6))
    boxes = [
        Box(f"{column}.{row}", column, draw(st.floats(40, 200)), draw(st.floats(20, 60)))
        for column, rows in enumerate(columns)
        for row in range(rows)
    ]
    pairs = [(a.id, b.id) for a in boxes for b in boxes if a.column < b.column]
    edges = draw(st.lists(st.sampled_from(pairs), max_size=30)) if pairs else []
    return boxes, edges


def _rectangles(boxes: list[Box], drawing: Drawing) -> dict[str, tuple[float, float, float, float]]:
    return {
        b.id: (x, y, x + drawing.widths[b.id], y + b.height)
        for b in boxes
        for x, y in [drawing.corners[b.id]]
    }


def _points(path: str) -> list[tuple[float, float]]:
    """Points along a path of the form `M x y [H x] C …`."""
    numbers = [float(n) for n in re.findall(r"-?[0-9.]+", path)]
    start = (numbers[0], numbers[1])
    straight = []
    if "H" in path:
        straight = [(start[0] + (numbers[2] - start[0]) * i / 10, start[1]) for i in range(11)]
        start, numbers = (numbers[2], start[1]), numbers[1:]
    x = [start[0], numbers[2], numbers[4], numbers[6]]
    y = [start[1], numbers[3], numbers[5], numbers[7]]
    weights = [
        ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3)
        for t in [i / 20 for i in range(21)]
    ]
    curve = [
        (
            sum(w * v for w, v in zip(ws, x, strict=True)),
            sum(w * v for w, v in zip(ws, y, strict=True)),
        )
        for ws in weights
    ]
    return straight + curve


@given(graphs())
def test_boxes_neither_overlap_nor_leave_the_picture(graph: Graph) -> None:
    boxes, edges = graph
    drawing = lay_out(boxes, edges)
    rectangles = list(_rectangles(boxes, drawing).values())
    for i, (left, top, right, bottom) in enumerate(rectangles):
        assert left >= 0 and top >= 0 and right <= drawing.width and bottom <= drawing.height
        for left2, top2, right2, bottom2 in rectangles[i + 1 :]:
            assert right <= left2 or right2 <= left or bottom <= top2 or bottom2 <= top


@given(graphs())
def test_no_edge_runs_through_a_box(graph: Graph) -> None:
    boxes, edges = graph
    drawing = lay_out(boxes, edges)
    for link in drawing.links:
        for x, y in _points(link.path):
            for left, top, right, bottom in _rectangles(boxes, drawing).values():
                assert not (left + 0.2 < x < right - 0.2 and top < y < bottom), link


@given(graphs())
def test_every_edge_leads_from_its_source_to_its_target(graph: Graph) -> None:
    boxes, edges = graph
    drawing = lay_out(boxes, edges)
    rectangles = _rectangles(boxes, drawing)
    arriving = [(k.source, *k.targets) for k in drawing.links if k.arrives]
    assert sorted(arriving) == sorted(set(edges))
    for link in drawing.links:
        if link.arrives:
            left, top, _, bottom = rectangles[link.targets[0]]
            x, y = _points(link.path)[-1]
            assert abs(x - left) < 0.1 and top < y < bottom


def test_a_chain_is_a_straight_line() -> None:
    boxes = [Box(str(n), n, 80, 40) for n in range(4)]
    drawing = lay_out(boxes, [("0", "1"), ("1", "2"), ("2", "3")])
    assert len({y for _, y in drawing.corners.values()}) == 1


def test_crossings_that_can_be_avoided_are() -> None:
    boxes = [Box(name + str(n), "ab".index(name), 80, 40) for name in "ab" for n in range(5)]
    drawing = lay_out(boxes, [(f"a{n}", f"b{4 - n}") for n in range(5)])
    order = sorted(range(5), key=lambda n: drawing.corners[f"a{n}"][1])
    mirrored = sorted(range(5), key=lambda n: drawing.corners[f"b{4 - n}"][1])
    assert order == mirrored


def test_an_edge_back_is_refused() -> None:
    with pytest.raises(ValueError, match="b → a"):
        lay_out([Box("a", 0, 9, 9), Box("b", 1, 9, 9)], [("b", "a")])


def test_nothing_is_drawn_of_nothing() -> None:
    assert lay_out([], []) == Drawing()
