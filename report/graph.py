"""The drawing of a pipeline: a small layered layout, left to right, without any graph library.

Sugiyama, Tagawa & Toda 1981: boxes stand in columns by their depth; an edge that passes a column
gets a lane of its own there, so that no edge runs through a box; the order within a column is
settled by sweeps that put each box at the mean of its neighbours; the final heights solve, column
by column, a least-squares problem with fixed gaps (pool adjacent violators).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

BOX_GAP, LANE_GAP, LANE = 14.0, 7.0, 3.0  # px between boxes, beside lanes, and a lane's height
COLUMN_GAP, MARGIN, BEND = 56.0, 10.0, 0.5
_SWEEPS = 40


@dataclass(frozen=True)
class Box:
    """Something to place: its column (depth) and its size in px."""

    id: str
    column: int
    width: float
    height: float


@dataclass(frozen=True)
class Link:
    """A drawn piece of an edge: an SVG path from one source on the way to some targets."""

    path: str
    source: str
    targets: tuple[str, ...]
    arrives: bool


@dataclass
class Drawing:
    """Where everything lies, in px: the top left corner of each box, and the links."""

    width: float = 0.0
    height: float = 0.0
    corners: dict[str, tuple[float, float]] = field(default_factory=dict)
    widths: dict[str, float] = field(default_factory=dict)
    links: list[Link] = field(default_factory=list)


@dataclass
class _Place:
    """A box, or the lane of the edges of one source through one column."""

    column: int
    height: float
    box: Box | None
    source: str
    targets: list[str] = field(default_factory=list)
    before: list[_Place] = field(default_factory=list)
    after: list[_Place] = field(default_factory=list)
    rank: float = 0.0
    middle: float = 0.0


def lay_out(boxes: Sequence[Box], edges: Iterable[tuple[str, str]]) -> Drawing:
    """Place the boxes and route the edges between them.

    Arguments:
        boxes: with distinct ids.
        edges: (source id, target id); a target's column is larger than its source's.

    Raises:
        ValueError: an edge does not lead to a later column.
    """
    if not boxes:
        return Drawing()
    places = {box.id: _Place(box.column, box.height, box, box.id) for box in boxes}
    columns: list[list[_Place]] = [[] for _ in range(max(b.column for b in boxes) + 1)]
    for place in places.values():
        columns[place.column].append(place)
    lanes: dict[tuple[str, int], _Place] = {}
    for source, target in dict.fromkeys(edges):
        _route(places, lanes, columns, source, target)
    _order(columns)
    _set_heights(columns)
    return _draw(columns)


def _route(
    places: Mapping[str, _Place],
    lanes: dict[tuple[str, int], _Place],
    columns: list[list[_Place]],
    source: str,
    target: str,
) -> None:
    """Lead an edge through the columns between; edges of one source share their lanes."""
    at, end = places[source], places[target]
    if end.column <= at.column:
        raise ValueError(f"the edge {source} → {target} does not lead to a later column")
    for column in range(at.column + 1, end.column):
        lane = lanes.get((source, column))
        if lane is None:
            lane = lanes[source, column] = _Place(column, LANE, None, source)
            columns[column].append(lane)
            at.after.append(lane)
            lane.before.append(at)
        lane.targets.append(target)
        at = lane
    at.after.append(end)
    end.before.append(at)


def _order(columns: list[list[_Place]]) -> None:
    """Order each column so that few edges cross: the best of a number of barycentre sweeps."""
    for column in columns:
        _number(column)
    best, fewest = [list(c) for c in columns], _crossings(columns)
    for sweep in range(_SWEEPS):
        forward = sweep % 2 == 0
        for column in columns if forward else columns[::-1]:
            wishes = {id(p): _wish(p.before if forward else p.after, p.rank) for p in column}
            column.sort(key=lambda p: wishes[id(p)])
            _number(column)
        _swap_neighbours(columns)
        crossings = _crossings(columns)
        if crossings < fewest:
            best, fewest = [list(c) for c in columns], crossings
    for column, order in zip(columns, best, strict=True):
        column[:] = order
        _number(column)


def _number(column: Sequence[_Place]) -> None:
    # Shares of the column, not counts: a box beside a long column still points to its middle.
    for index, place in enumerate(column):
        place.rank = (index + 0.5) / len(column)


def _wish(neighbours: Sequence[_Place], otherwise: float) -> float:
    return sum(n.rank for n in neighbours) / len(neighbours) if neighbours else otherwise


def _swap_neighbours(columns: list[list[_Place]]) -> None:
    for column in columns:
        for i in range(len(column) - 1):
            upper, lower = column[i], column[i + 1]
            if _pair(upper, lower) > _pair(lower, upper):
                column[i], column[i + 1] = lower, upper
                upper.rank, lower.rank = lower.rank, upper.rank


def _pair(upper: _Place, lower: _Place) -> int:
    """Crossings between the edges of two places if they stand in this order."""
    return sum(
        a.rank > b.rank
        for side in ("before", "after")
        for a in getattr(upper, side)
        for b in getattr(lower, side)
    )


def _crossings(columns: list[list[_Place]]) -> int:
    return sum(
        _pair_after(column[i], column[j])
        for column in columns
        for i in range(len(column))
        for j in range(i + 1, len(column))
    )


def _pair_after(upper: _Place, lower: _Place) -> int:
    return sum(a.rank > b.rank for a in upper.after for b in lower.after)


def _set_heights(columns: list[list[_Place]]) -> None:
    for column in columns:
        _settle(column, [0.0] * len(column))
    for sweep in range(_SWEEPS):
        for column in columns if sweep % 2 else columns[::-1]:
            wishes = []
            for place in column:
                near = place.before + place.after
                wishes.append(sum(n.middle for n in near) / len(near) if near else place.middle)
            _settle(column, wishes)
    top = min(place.middle - place.height / 2 for column in columns for place in column)
    for column in columns:
        for place in column:
            place.middle += MARGIN - top


def _settle(column: Sequence[_Place], wishes: Sequence[float]) -> None:
    """Middles nearest to the wishes (least squares) that keep order and gaps."""
    offsets = [0.0]
    for upper, lower in pairwise(column):
        gap = BOX_GAP if upper.box and lower.box else LANE_GAP
        offsets.append(offsets[-1] + (upper.height + lower.height) / 2 + gap)
    blocks: list[tuple[float, int]] = []  # (mean, length)
    for wish, offset in zip(wishes, offsets, strict=True):
        mean, length = wish - offset, 1
        while blocks and blocks[-1][0] > mean:
            other, count = blocks.pop()
            mean = (mean * length + other * count) / (length + count)
            length += count
        blocks.append((mean, length))
    means = [mean for mean, length in blocks for _ in range(length)]
    for place, mean, offset in zip(column, means, offsets, strict=True):
        place.middle = mean + offset


def _draw(columns: list[list[_Place]]) -> Drawing:
    drawing = Drawing()
    left, lefts, rights = MARGIN, [], []
    for column in columns:
        width = max((p.box.width for p in column if p.box), default=0.0)
        lefts.append(left)
        rights.append(left + width)
        left += width + COLUMN_GAP
    for column, x, right in zip(columns, lefts, rights, strict=True):
        for place in column:
            bottom = place.middle + place.height / 2 + MARGIN
            drawing.height = max(drawing.height, bottom)
            if place.box:
                drawing.corners[place.box.id] = (x, place.middle - place.height / 2)
                drawing.widths[place.box.id] = right - x
            for following in place.after:
                drawing.links.append(_link(place, following, right, lefts[place.column + 1], x))
    drawing.width = rights[-1] + MARGIN
    return drawing


def _link(place: _Place, following: _Place, right: float, end: float, left: float) -> Link:
    """A curve over the gap between two columns, and the straight way through a lane before it."""
    start, y, to = right, place.middle, following.middle
    bend = (end - start) * BEND
    lead = f"M{left:.1f} {y:.1f}H{start:.1f}" if place.box is None else f"M{start:.1f} {y:.1f}"
    curve = f"C{start + bend:.1f} {y:.1f} {end - bend:.1f} {to:.1f} {end:.1f} {to:.1f}"
    targets = (following.box.id,) if following.box else tuple(following.targets)
    return Link(lead + curve, place.source, targets, following.box is not None)
