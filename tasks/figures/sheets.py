"""Many small images as one file, which a page cuts into tiles."""

from __future__ import annotations

import io
import math
from typing import TYPE_CHECKING, Any

from engine import File, InputError
from tasks.figures.words import counted

if TYPE_CHECKING:
    import numpy as np

# Every browser shows a picture of this side, and so does every phone.
_SIDE = 4096
_GREYS = 16


def make_sheet(tiles: np.ndarray) -> File:
    """Images side by side in one PNG, row by row, as many columns as the root of their number.

    Grey ones get 16 shades, a third of the bytes at a size where more are not seen. Images are made
    smaller where the sheet would else be wider than 4096 px.

    Arguments:
        tiles: uint8, or float in 0…1, (s, h, w) or (s, h, w, 1 or 3).

    Raises:
        InputError: arrays of another shape.
    """
    import numpy as np
    from PIL import Image

    count = len(tiles)
    if not count or tiles.ndim not in (3, 4) or (tiles.ndim == 4 and tiles.shape[3] not in (1, 3)):
        raise InputError(
            f"a sheet of {counted(count, 'image')} from an array of shape {tiles.shape}: expected "
            "at least one image, (n, h, w) or (n, h, w, 1 or 3)"
        )
    if tiles.dtype.kind == "f":
        tiles = np.rint(255 * np.clip(tiles, 0, 1)).astype(np.uint8)
    if tiles.ndim == 4 and tiles.shape[3] == 1:
        tiles = tiles[..., 0]
    height, width = tiles.shape[1:3]
    columns = math.ceil(math.sqrt(count))
    lines = math.ceil(count / columns)
    sheet = np.zeros((columns * lines, *tiles.shape[1:]), np.uint8)
    sheet[:count] = tiles
    sheet = sheet.reshape(lines, columns, height, width, *tiles.shape[3:]).swapaxes(1, 2)
    picture = Image.fromarray(sheet.reshape(lines * height, columns * width, *tiles.shape[3:]))
    most = _SIDE // columns
    if max(height, width) > most:
        small = [max(1, round(side * most / max(height, width))) for side in (width, height)]
        size = columns * small[0], lines * small[1]
        picture = picture.resize(size, Image.Resampling.BOX)
    if picture.mode == "L":
        picture = _in_few_greys(picture)
    out = io.BytesIO()
    picture.save(out, "png")
    return File(out.getvalue(), ".png")


def _in_few_greys(picture: Any) -> Any:
    """The same with 16 shades of grey, so that a pixel takes 4 bits."""
    step = 255 / (_GREYS - 1)
    few = picture.point([round(value / step) for value in range(256)])
    few = few.convert("P")
    few.putpalette([round(step * shade) for shade in range(_GREYS) for _ in range(3)])
    return few
