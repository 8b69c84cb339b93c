"""What is done to a photo before a dream: grey, tiles, their small forms, and all put together again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from engine import Picture, stage
from tasks.dreams.colour import show_grey
from tasks.dreams.pixels import show_contrast
from tasks.dreams.tones import moments, to_luma
from tasks.figures.dream_pictures import Plate, framed, hang
from tasks.figures.style import PACKAGES
from tasks.figures.words import counted

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.figure import Figure

_GAP = 2  # white pixels between small tiles
_SPREAD = 0.25  # of grey values: two deviations either side fill the range


def plot_preparation(
    photo: np.ndarray,
    grey: np.ndarray,
    small: Mapping[str, np.ndarray],
    restored: np.ndarray,
    summary: Mapping[str, Any],
) -> Figure:
    """Return the sheet: photo, grey, reassembly; then each level's tiles as the network sees them."""
    import numpy as np

    loss = float(np.abs(restored - grey).max())
    tone = moments(to_luma(photo))
    first = [
        Plate(photo, "The photo", f"{photo.shape[1]:,} × {photo.shape[0]:,} pixels"),
        Plate(show_grey(grey, tone), "Grey, standardised"),
        Plate(show_grey(restored, tone), "Put together again", f"loss {loss:.0e}"),
    ]
    sheets = []
    for number, level in enumerate(summary["levels"]):
        tiles = small[str(number)]
        side = f"{tiles.shape[2]} × {tiles.shape[1]}"
        window = level["window"]
        sheets.append(
            Plate(
                _mosaic(tiles, level["grid"]),
                f"{counted(level['tiles'], 'tile')} of {level['grid']}",
                f"{window['width']} × {window['height']} px ▸ {side}",
            )
        )
    rows: list[Sequence[Plate]] = [first]
    across = -(-len(sheets) // -(-len(sheets) // 4))
    rows += [sheets[start : start + across] for start in range(0, len(sheets), across)]
    return hang(
        rows,
        "Before the dream: what the network sees, and that nothing gets lost",
        (
            "small tiles plus their details give the picture back",
            "windows overlap their neighbours" if _overlap(summary, grey.shape) else "",
        ),
    )[0]


def _overlap(summary: Mapping[str, Any], shape: tuple[int, ...]) -> bool:
    """Whether a level has windows that are together larger than the picture (by more than rounding)."""
    found = []
    for level in summary["levels"]:
        rows, columns = (int(side) for side in level["grid"].split(" × "))
        window = level["window"]
        found.append(rows > 1 and window["height"] * rows > shape[0] + rows)
        found.append(columns > 1 and window["width"] * columns > shape[1] + columns)
    return any(found)


def _mosaic(tiles: np.ndarray, grid: str) -> np.ndarray:
    """Small tiles (n, h, w) side by side as they lie in the picture, grey uint8, white between."""
    import numpy as np

    rows, columns = (int(side) for side in grid.split(" × "))
    if len(tiles) != rows * columns:
        columns = min(len(tiles), columns)
        rows = -(-len(tiles) // columns)
    height, width = tiles.shape[1] + _GAP, tiles.shape[2] + _GAP
    sheet = np.full((rows * height - _GAP, columns * width - _GAP), 255, np.uint8)
    shown = show_contrast(np.asarray(tiles), 0.5, _SPREAD)
    for index, tile in enumerate(shown):
        top, left = index // columns * height, index % columns * width
        sheet[top : top + tile.shape[0], left : left + tile.shape[1]] = tile
    return sheet


@stage(packages=PACKAGES)
def draw_preparation(
    photo: np.ndarray,
    grey: np.ndarray,
    small: Mapping[str, np.ndarray],
    restored: np.ndarray,
    summary: dict[str, Any],
) -> Picture:
    """Draw photo, grey picture, tiles and reassembly.

    Arguments:
        photo: pixels of `load_photo`.
        grey, small, restored, summary: of `prepare_picture`.
    """
    figure = plot_preparation(photo, grey, small, restored, summary)
    return framed(figure, summary["finding"])
