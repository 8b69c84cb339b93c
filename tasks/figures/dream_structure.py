"""What a dream added: the picture before and after, and the difference, whole and in one tile."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from engine import Picture, stage
from tasks.dreams.colour import show_grey
from tasks.dreams.tones import moments, standardise_picture, to_luma
from tasks.figures.dream_pictures import Plate, framed, hang
from tasks.figures.style import PACKAGES

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from matplotlib.figure import Figure

_RANGE = 2.0  # deviations of the photo at which the colours of a difference are full
_DARKER, _LIGHTER = (0, 84, 147), (194, 65, 12)


def plot_structure(
    dreamt: np.ndarray, photo: np.ndarray, trace: pd.DataFrame, summary: Mapping[str, Any]
) -> Figure:
    """Return before, after and difference of the whole picture and of the tile that rose most."""
    luma = to_luma(photo)
    grey, tone = standardise_picture(luma), moments(luma)
    level, row, column, box, rise = risen_tile(trace, summary, grey.shape)
    rows = []
    for part, where in (
        ((slice(None), slice(None)), "the picture"),
        (box, f"tile {row + 1}, {column + 1} of level {level + 1}"),
    ):
        rows.append(
            [
                Plate(show_grey(grey[part], tone), f"Before: {where}"),
                Plate(show_grey(dreamt[part], tone), "After"),
                Plate(
                    paint_difference(dreamt[part] - grey[part]),
                    "Difference",
                    f"activation {'+' if rise >= 0 else '−'} {abs(rise):.2f}"
                    if part is box
                    else "orange lighter, blue darker",
                ),
            ]
        )
    return hang(
        rows, "What the dream added", (f"full colour at {_RANGE:g} deviations of the photo",)
    )[0]


def risen_tile(
    trace: pd.DataFrame, summary: Mapping[str, Any], shape: tuple[int, ...]
) -> tuple[int, int, int, tuple[slice, slice], float]:
    """Level, row, column and pixels of the tile whose map rose most: of the second level, where tiles
    are still large enough to see something, or of the only one."""
    last = trace[trace["loop"] == trace["loop"].max()]
    finer = last[last["level"] == min(1, last["level"].max())]
    rise = finer["kept"] - finer["original"]
    best = finer.loc[rise.idxmax()]
    level, row, column = int(best["level"]), int(best["row"]), int(best["column"])
    rows, columns = (int(side) for side in summary["levels"][level]["grid"].split(" × "))
    box = (
        slice(row * shape[0] // rows, (row + 1) * shape[0] // rows),
        slice(column * shape[1] // columns, (column + 1) * shape[1] // columns),
    )
    return level, row, column, box, float(rise.max())


def paint_difference(difference: np.ndarray) -> np.ndarray:
    """Differences (h, w) as RGB uint8 (h, w, 3): white where there is none."""
    import numpy as np

    share = np.clip(difference / _RANGE, -1, 1)[..., None].astype(np.float32)
    ends = np.where(share > 0, np.array(_LIGHTER, np.float32), np.array(_DARKER, np.float32))
    return (255 + np.abs(share) * (ends - 255) + 0.5).astype(np.uint8)


@stage(packages=PACKAGES)
def draw_structure(
    dreamt: np.ndarray, photo: np.ndarray, trace: pd.DataFrame, summary: dict[str, Any]
) -> Picture:
    """Draw what a dream changed in a photo.

    Arguments:
        dreamt, trace, summary: of `carve_picture`; the picture is standardised, float32 (h, w).
        photo: pixels of `load_photo`.
    """
    level, row, column, _, rise = risen_tile(trace, summary, dreamt.shape)
    alt = (
        f"Of the tiles of level {level + 1}, tile {row + 1}, {column + 1} gained most: the "
        f"activation of its map {'rose' if rise >= 0 else 'fell'} by {abs(rise):.2f}."
    )
    return framed(plot_structure(dreamt, photo, trace, summary), alt)
