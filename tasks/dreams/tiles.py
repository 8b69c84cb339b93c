"""Grids of tiles over a picture, and the windows through which a network sees them.

    tiles of a grid 2 (rows) × 3 (columns)      their windows: of the network's shape, so that
    ┌────┬────┬────┐                            nothing is stretched, overlapping their neighbours
    │ 0,0│ 0,1│ 0,2│                               ╔══════╗
    ├────┼────┼────┤                            ┌──╫─┬──┐ ║
    │ 1,0│ 1,1│ 1,2│                            │  ║ │  │ ║     weights rise and fall in the
    └────┴────┴────┘                            ├──╫─┼──┤ ║     overlap and add up to 1
                                                │  ╚═╪══╪═╝
Beyond its rims a window sees the picture mirrored.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine import InputError

if TYPE_CHECKING:
    import numpy as np

FINEST = 64  # tiles along a side
_GRID = re.compile(r"([1-9]\d?)(?:\s*[x×]\s*([1-9]\d?))?")


@dataclass(frozen=True)
class Span:
    """One row or column of a grid: pixels start … stop of the tile, and the window's."""

    start: int
    stop: int
    window_start: int
    window_stop: int

    @property
    def tile(self) -> slice:
        """The tile's pixels."""
        return slice(self.start, self.stop)

    @property
    def length(self) -> int:
        """Pixels of the window."""
        return self.window_stop - self.window_start

    def inside(self, pixels: int) -> slice:
        """Which pixels of a line of the picture the window sees."""
        return slice(max(self.window_start, 0), min(self.window_stop, pixels))

    def seen(self, pixels: int) -> slice:
        """Which pixels of the window lie in the picture."""
        inside = self.inside(pixels)
        return slice(inside.start - self.window_start, inside.stop - self.window_start)


@dataclass(frozen=True)
class Grid:
    """Rows and columns of tiles, and for each of them the weights (float32) of its window."""

    rows: tuple[Span, ...]
    columns: tuple[Span, ...]
    row_weights: tuple[np.ndarray, ...]
    column_weights: tuple[np.ndarray, ...]
    shape: tuple[int, int]

    @property
    def places(self) -> list[tuple[int, int]]:
        """Row and column of every tile, line by line."""
        return [(r, c) for r in range(len(self.rows)) for c in range(len(self.columns))]


def check_grid(text: str) -> str:
    """A grid's text without spaces; raises InputError where it is no grid, whatever the picture."""
    return "x".join(str(side) for side in _sides(text) if side)


def read_grid(text: str | int, shape: tuple[int, int], aspect: float = 1.0) -> tuple[int, int]:
    """Rows and columns of a grid such as "2x3"; "2" is two tiles along the shorter side.

    Along the longer side there are then as many as make tiles most like the network's input.

    Arguments:
        shape: height and width of the picture in pixels.
        aspect: width of the network's input over its height.

    Raises InputError for anything else, and for more tiles than pixels can bear.
    """
    first, second = _sides(str(text))
    if second:
        rows, columns = first, second
    else:
        height, width = shape[0], shape[1] / aspect
        rows = first if height <= width else max(first, round(first * height / width - 0.01))
        columns = first if width < height else max(first, round(first * width / height - 0.01))
    if max(rows, columns) > FINEST or rows * 2 > shape[0] or columns * 2 > shape[1]:
        raise InputError(
            f"{rows} × {columns} tiles in {shape[0]} × {shape[1]} pixels: at most {FINEST} a side, "
            "each of at least 2 pixels"
        )
    return rows, columns


def exact_grid(shape: tuple[int, int], rows: int, columns: int) -> Grid:
    """A grid whose windows are its tiles, with hard borders, as the post cuts quadrants."""
    import numpy as np

    def line(pixels: int, count: int) -> tuple[Span, ...]:
        edges = _edges(pixels, count)
        return tuple(Span(a, b, a, b) for a, b in itertools.pairwise(edges))

    spans = line(shape[0], rows), line(shape[1], columns)
    ones = [tuple(np.ones(s.length, np.float32) for s in each) for each in spans]
    return Grid(spans[0], spans[1], ones[0], ones[1], shape)


def blended_grid(
    shape: tuple[int, int], rows: int, columns: int, *, overlap: float = 0.5, aspect: float = 1.0
) -> Grid:
    """A grid of windows of the network's shape that overlap; their weights add up to 1 everywhere.

    Arguments:
        overlap: how far a window reaches beyond its tile, as a share of the tile, half on each side.
        aspect: width of the network's input over its height.
    """
    # A tile alone in its line has no neighbour to overlap; its rims are the picture's.
    heights = shape[0] / rows * (1 + overlap * (rows > 1))
    widths = shape[1] / columns * (1 + overlap * (columns > 1))
    height = max(heights, widths / aspect)
    width = height * aspect
    row_spans = _windows(shape[0], rows, height)
    column_spans = _windows(shape[1], columns, width)
    return Grid(
        row_spans,
        column_spans,
        _weights(row_spans, shape[0], shape[0] / rows * overlap),
        _weights(column_spans, shape[1], shape[1] / columns * overlap),
        shape,
    )


def cut(picture: np.ndarray, rows: Span, columns: Span) -> np.ndarray:
    """What a window sees of a picture (h, w), mirrored beyond its rims."""
    import numpy as np

    height, width = picture.shape
    inside = rows.window_start >= 0 and rows.window_stop <= height
    if inside and columns.window_start >= 0 and columns.window_stop <= width:
        return picture[
            rows.window_start : rows.window_stop, columns.window_start : columns.window_stop
        ]
    return picture[
        np.ix_(
            _mirrored(rows.window_start, rows.window_stop, height),
            _mirrored(columns.window_start, columns.window_stop, width),
        )
    ]


def read_places(
    tiles: str | Sequence[Sequence[int]], rows: int, columns: int
) -> list[tuple[int, int]]:
    """Row and column of the tiles that are dreamt in: "all", or a list; −1 counts from the end."""
    if isinstance(tiles, str):
        if tiles != "all":
            raise InputError(f'tiles = {tiles!r}: expected "all" or a list of [row, column]')
        return [(r, c) for r in range(rows) for c in range(columns)]
    places = []
    for pair in tiles:
        row, column = pair
        if not (-rows <= row < rows and -columns <= column < columns):
            raise InputError(
                f"tile {list(pair)}: the grid has rows 0 to {rows - 1} and columns 0 to "
                f"{columns - 1}"
            )
        places.append((row % rows, column % columns))
    if not places:
        raise InputError('tiles = []: name at least one tile, or "all"')
    return sorted(set(places))


def _sides(text: str) -> tuple[int, int]:
    """The numbers of a grid's text, the second 0 where there is none; raises InputError."""
    found = _GRID.fullmatch(text.strip())
    if not found or max(int(found[1]), int(found[2] or 0)) > FINEST:
        raise InputError(
            f"{text!r} is no grid: write rows x columns, as 2x3, or one number, as 2, for tiles "
            f"along the shorter side; at most {FINEST} a side"
        )
    return int(found[1]), int(found[2] or 0)


def _edges(pixels: int, count: int) -> list[int]:
    return [index * pixels // count for index in range(count + 1)]


def _windows(pixels: int, count: int, length: float) -> tuple[Span, ...]:
    """Tiles of a line with windows of one length around their middles.

    Those at the rims reach over them: patterns are as strong there as anywhere, where a window
    pushed inside would show the rim to the network's own rim, which sees little.
    """
    edges = _edges(pixels, count)
    whole = max(2, math.ceil(length - 1e-6))
    spans = []
    for start, stop in itertools.pairwise(edges):
        first = round((start + stop - whole) / 2)
        spans.append(Span(start, stop, first, first + whole))
    return tuple(spans)


def _weights(spans: Sequence[Span], pixels: int, blend: float) -> tuple[np.ndarray, ...]:
    """For each window of a line its weights, which add up to 1 at every pixel of the picture.

    A weight is 1 in its tile and falls to 0 as a cosine, from half a `blend` inside the tile's
    border to half a `blend` outside it; it is 0 outside the picture.
    """
    import numpy as np

    found = []
    for index, span in enumerate(spans):
        places = np.arange(span.window_start, span.window_stop) + 0.5
        weight = ((places > 0) & (places < pixels)).astype(np.float64)
        if index > 0:
            weight *= _rise(places - span.start, blend)
        if index < len(spans) - 1:
            weight *= _rise(span.stop - places, blend)
        found.append(weight)
    # Windows are whole pixels long, so the sum of two flanks is off by up to a few per cent of 1.
    total = np.zeros(pixels)
    for span, weight in zip(spans, found, strict=True):
        total[span.inside(pixels)] += weight[span.seen(pixels)]
    for span, weight in zip(spans, found, strict=True):
        weight[span.seen(pixels)] /= total[span.inside(pixels)]
    return tuple(weight.astype(np.float32) for weight in found)


def _rise(distance: np.ndarray, blend: float) -> np.ndarray:
    """0 to 1 over −blend/2 … blend/2, as a cosine; a step where there is nothing to blend."""
    import numpy as np

    if blend < 1:
        return (distance > 0).astype(np.float64)
    share = np.clip(distance / blend + 0.5, 0, 1)
    return (1 - np.cos(np.pi * share)) / 2


def _mirrored(start: int, stop: int, pixels: int) -> np.ndarray:
    import numpy as np

    places = np.arange(start, stop) % (2 * pixels)
    return np.minimum(places, 2 * pixels - 1 - places)
