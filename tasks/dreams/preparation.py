"""What a photo is before the dream: grey, cut into tiles, small as the network sees them, lossless."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from engine import File, stage
from tasks.dreams.carving import Layer, see
from tasks.dreams.levels import Mode, lay_out
from tasks.dreams.measure import image_shape
from tasks.dreams.networks import PACKAGES, open_network
from tasks.dreams.resizing import on_one_thread, resize
from tasks.dreams.tiles import cut
from tasks.dreams.tones import standardise_picture, to_luma
from tasks.figures.words import counted

if TYPE_CHECKING:
    import numpy as np

LOSSLESS = 1e-5  # of a standardised picture, whose pixels are of the order of 1


class Prepared(NamedTuple):
    """grey: G = S(luma), float32 (h, w) · small: the tiles of each level as the network sees them,
    float32 (n, h, w), by level: "0", "1", … · restored: what the last level's tiles and their details
    give, put together again, float32 (h, w) · summary: per level grid, tiles, window
    {height, width}, loss (the largest difference from G in those tiles), and finding."""

    grey: np.ndarray
    small: dict[str, np.ndarray]
    restored: np.ndarray
    summary: dict[str, Any]


@stage(packages=PACKAGES)
def prepare_picture(
    model: File,
    photo: np.ndarray,
    *,
    levels: Sequence[Mapping[str, Any]] = ({"grid": "1"}, {"grid": "2x2"}),
    mode: Mode = "corrected",
    overlap: float = 0.5,
    stretch: bool = False,
) -> Prepared:
    """Cut a photo's grey picture into tiles, shrink them, and put them together again.

    Arguments:
        model: a `.keras` file, the size of whose images counts.
        photo: RGB uint8 (h, w, 3).
        levels, mode, overlap, stretch: see `lay_out`.

    Raises InputError: a grid or a tile that is none.
    """
    import numpy as np

    small = image_shape(open_network(model))
    grey = standardise_picture(to_luma(photo))
    tiles: dict[str, np.ndarray] = {}
    restored = grey
    told: list[dict[str, Any]] = []
    for number, level in enumerate(
        lay_out(levels, grey.shape, small, mode=mode, overlap=overlap, stretch=stretch)
    ):
        layer = Layer(level.grid, level.places, ())
        with on_one_thread():
            seen = see(grey, layer, small)
            whole = put_together(grey, layer, seen, is_standardised=mode == "seed")
        first = level.grid.rows[0], level.grid.columns[0]
        tiles[str(number)], restored = seen, whole
        told.append(
            {
                "grid": level.text,
                "tiles": len(level.places),
                "window": {"height": first[0].length, "width": first[1].length},
                "loss": float(np.abs(whole - grey).max()),
            }
        )
    worst = max(each["loss"] for each in told)
    count = sum(each["tiles"] for each in told)
    finding = (
        f"{counted(count, 'tile')} on {counted(len(told), 'level')}; each shrunk, enlarged and given "
        f"its details back is what it was to within {worst:.1e} of the picture's deviation."
    )
    return Prepared(
        grey, tiles, restored, {"levels": told, "lossless": worst <= LOSSLESS, "finding": finding}
    )


def put_together(
    picture: np.ndarray, layer: Layer, seen: np.ndarray, *, is_standardised: bool
) -> np.ndarray:
    """The picture from its small tiles (n, h, w) and their details, blended as a dream's tiles are.

    Arguments:
        is_standardised: whether an enlarged tile is standardised before details are taken from it,
            as the post does.
    """
    import numpy as np

    whole = np.zeros_like(picture)
    height, width = picture.shape
    grid = layer.grid
    share = np.zeros(picture.shape, np.float32)
    for (row, column), small in zip(layer.places, seen, strict=True):
        rows, columns = grid.rows[row], grid.columns[column]
        window = cut(picture, rows, columns)
        rough = resize(small, *window.shape)
        if is_standardised:
            rough = standardise_picture(rough)
        details = window - rough
        weights = np.outer(grid.row_weights[row], grid.column_weights[column])
        place = rows.inside(height), columns.inside(width)
        part = rows.seen(height), columns.seen(width)
        whole[place] += (weights * (rough + details))[part]
        share[place] += weights[part]
    # What belongs in part to tiles that are not dreamt in keeps that part as it is.
    return whole + (1 - share) * picture
