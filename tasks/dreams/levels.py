"""The levels of a cascade: which grid lies over the picture, and which of its tiles are dreamt in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from engine import InputError
from tasks.dreams.tiles import Grid, blended_grid, exact_grid, read_grid, read_places

Mode = Literal["corrected", "seed"]

MODES = ("corrected", "seed")


@dataclass(frozen=True)
class Level:
    """A grid that lies over a picture and the (row, column) of the tiles that are dreamt in."""

    grid: Grid
    places: tuple[tuple[int, int], ...]

    @property
    def text(self) -> str:
        """Rows × columns."""
        return f"{len(self.grid.rows)} × {len(self.grid.columns)}"


def lay_out(
    levels: Sequence[Mapping[str, Any]],
    shape: tuple[int, int],
    small: tuple[int, ...],
    *,
    mode: Mode = "corrected",
    overlap: float = 0.5,
    stretch: bool = False,
) -> list[Level]:
    """The levels of a picture, from coarse to fine as they are given.

    Arguments:
        levels: each with `grid` ("2x3", "2": see `read_grid`) and, unless all are meant, `tiles`
            ([row, column] each, −1 counts from the end).
        shape: height and width of the picture.
        small: height and width of the network's images, and whatever follows.
        mode: "corrected" has windows that overlap and keep the network's shape; the tiles of
            "seed" have hard borders and are brought to the network's shape as they are.
        overlap: see `blended_grid`.
        stretch: let windows have their tile's shape instead of the network's.

    Raises InputError.
    """
    aspect = small[1] / small[0]
    found = []
    for rows, columns, places in read_levels(levels, shape, small, mode=mode, overlap=overlap):
        if mode == "seed":
            grid = exact_grid(shape, rows, columns)
        else:
            own = shape[1] / columns / (shape[0] / rows)
            grid = blended_grid(
                shape, rows, columns, overlap=overlap, aspect=own if stretch else aspect
            )
        found.append(Level(grid, places))
    return found


def read_levels(
    levels: Sequence[Mapping[str, Any]],
    shape: tuple[int, int],
    small: tuple[int, ...],
    *,
    mode: Mode = "corrected",
    overlap: float = 0.5,
) -> list[tuple[int, int, tuple[tuple[int, int], ...]]]:
    """Rows, columns and places of each level; arguments and errors of `lay_out`, nothing computed."""
    if mode not in MODES:
        raise InputError(f"mode = {mode!r}: choose one of {', '.join(MODES)}")
    if not 0 <= overlap <= 1:
        raise InputError(f"overlap = {overlap}: expected 0 to 1, the share of a tile")
    if not levels:
        raise InputError("levels = []: name at least one grid, as 1 or 2x2")
    found = []
    for number, level in enumerate(levels):
        rows, columns = read_grid(level["grid"], shape, small[1] / small[0])
        if mode == "seed" and number == 0 and (rows, columns) != (1, 1):
            raise InputError(
                f"the first level of mode seed is the whole picture, 1x1, not {rows}x{columns}"
            )
        found.append((rows, columns, tuple(read_places(level.get("tiles", "all"), rows, columns))))
    return found
