"""Images in arrays: pixels of any kind as squares.

(n, h, w) · (n, h, w, 1, 3 or 4) · (n, h·w)   bool, whole numbers or floats
white        1 where no value exceeds 1, else 255, unless it is given
value ▸ byte  rounded 255 · value / white
"""

from __future__ import annotations

import logging
import math
from typing import TYPE_CHECKING

from tasks.image_files import MAX_PIXELS, BadImages, square_shape, to_square
from tasks.image_labels import to_texts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import numpy as np

log = logging.getLogger(__name__)

_CHANNELS = (1, 3, 4)
_BLOCK = 1024
# The words of images that were not scaled to bytes: 0..16, 0..63 and the like.
_DIM = 64


def check_rows(images: np.ndarray, labels: np.ndarray, name: str, label: str) -> np.ndarray:
    """The labels as text, after they were found to be as many as the images; else BadImages."""
    texts = to_texts(labels, label)
    if len(images) != len(texts):
        raise BadImages(
            f"{name} has {len(images):,} images and {label} {len(texts):,} labels; one a image is needed"
        )
    return texts


def to_squares(
    parts: Mapping[str, np.ndarray],
    *,
    size: int,
    invert: bool,
    colour: bool = False,
    white: float | None = None,
    height: int | None = None,
    width: int | None = None,
) -> dict[str, np.ndarray]:
    """Each part as squares (n, size, size) uint8; bytes of that size already are not copied.

    Arguments:
        colour: keep the colours, (n, size, size, 3).
        white: the brightest value that can be; None: found by the rule above, for all parts together.
        height, width: of images that are rows of pixels; None: they are square.

    Raises BadImages, which names the part and the image.
    """
    images = {name: _shape(name, part, height, width) for name, part in parts.items()}
    white = _find_white(images, white)
    return {name: _squares(part, white, size, invert, colour) for name, part in images.items()}


def _shape(name: str, part: np.ndarray, height: int | None, width: int | None) -> np.ndarray:
    """(n, h, w) or (n, h, w, 3 or 4)."""
    if part.dtype.kind not in "biuf":
        raise BadImages(f"{name}: pixels are numbers, not {part.dtype}")
    shape = part.shape
    if part.ndim == 2:
        part = part.reshape(-1, *_sides(name, shape[1], height, width))
    elif part.ndim == 4 and shape[3] == 1:
        part = part[..., 0]
    elif part.ndim == 4 and shape[3] not in _CHANNELS and shape[1] in _CHANNELS:
        raise BadImages(
            f"{name}: channels come last, found shape {shape}; save {name}.transpose(0, 2, 3, 1)"
        )
    elif part.ndim != 3 and not (part.ndim == 4 and shape[3] in _CHANNELS):
        raise BadImages(
            f"{name}: (n, h, w), (n, h, w, 3) or (n, h·w) expected, found shape {shape}"
        )
    if not part.size:
        raise BadImages(f"{name}: there are no pixels, found shape {shape}")
    if part.shape[1] * part.shape[2] > MAX_PIXELS:
        raise BadImages(f"{name}: images of {MAX_PIXELS:,} pixels at most, found shape {shape}")
    return part


def _sides(name: str, pixels: int, height: int | None, width: int | None) -> tuple[int, int]:
    if height is None and width is None:
        height = width = math.isqrt(pixels)
        hint = "name height and width, or leave out columns that are no pixels"
    else:
        height = height or pixels // (width or 1)
        width = width or pixels // height
        hint = f"height {height} × width {width} is {height * width:,}"
    if not pixels or height * width != pixels:
        raise BadImages(f"{name}: {pixels:,} pixels an image make no rectangle; {hint}")
    return height, width


def _find_white(images: Mapping[str, np.ndarray], white: float | None) -> float:
    import numpy as np

    high, dtypes = 0.0, set()
    for name, part in images.items():
        dtypes.add(part.dtype.kind)
        for start, block in _blocks(part):
            # one pass over each block: the minimum and maximum of what holds NaN are NaN
            low, top = float(block.min()), float(block.max())
            if not (math.isfinite(low) and math.isfinite(top)):
                bad = ~np.isfinite(block).reshape(len(block), -1).all(1)
                raise BadImages(
                    f"{name}: image {start + int(bad.argmax()) + 1} holds NaN or infinity; replace it"
                )
            limit = 255 if white is None else white
            if low < 0 or top > limit:
                wrong = ((block < 0) | (block > limit)).reshape(len(block), -1).any(1)
                raise BadImages(
                    f"{name}: image {start + int(wrong.argmax()) + 1} holds {low if low < 0 else top:g}; "
                    f"pixels are 0 to {limit:g}, or name the brightest value with the parameter white"
                )
            high = max(high, top)
    if white is not None:
        return white
    if high <= 1:
        return 1
    if "f" in dtypes and high < 2:
        raise BadImages(
            f"the brightest value is {high:g}: neither 0 to 1 nor 0 to 255; name it with the "
            "parameter white"
        )
    if high < _DIM:
        log.warning("the brightest value is %g of 255; is it white? (parameter white)", high)
    return 255


def _blocks(part: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    # A block of large images is few of them: some megabytes at a time.
    rows = max(1, min(_BLOCK, (32 << 20) // max(1, part[0].nbytes)))
    for start in range(0, len(part), rows):
        yield start, part[start : start + rows]


def _squares(part: np.ndarray, white: float, size: int, invert: bool, colour: bool) -> np.ndarray:
    import numpy as np
    from PIL import Image

    shape = square_shape(size, colour)
    ready = part.shape[1:] == shape
    if ready and part.dtype == np.uint8 and white == 255 and not invert:
        return part
    squares = np.empty((len(part), *shape), np.uint8)
    for start, block in _blocks(part):
        if block.dtype != np.uint8 or white != 255:
            block = np.rint(block.astype(np.float64) * (255 / white)).astype(np.uint8)
        if ready:
            squares[start : start + len(block)] = 255 - block if invert else block
            continue
        for index, pixels in enumerate(block, start):
            image = Image.fromarray(np.ascontiguousarray(pixels))
            squares[index] = to_square(image, size, invert, colour)
    return squares
