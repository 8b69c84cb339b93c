"""From an encoded picture, or from pixels, to a square: one rule for every source of images.

colour ▸ grey  .299 R + .587 G + .114 B (ITU-R BT.601), unless colours are kept: then grey is made
               R = G = B; transparency shows black
invert         255 − value, where transparency shows white: it is background either way
longer side ▸ size, the aspect kept (Lanczos, which averages where it shrinks)
centred on black; an odd row goes below, an odd column to the right
"""

from __future__ import annotations

import io
import warnings
from typing import TYPE_CHECKING

from engine import InputError

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif")
MAX_PIXELS = 50_000_000
MAX_BYTES = 2 << 30  # of all images together

_FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF")
_READ = "PNG, JPEG, WebP, BMP and GIF are read"


class BadImages(InputError):
    """Images that cannot be used: which file, what is wrong and what to do about it."""


def read_picture(data: bytes, size: int, invert: bool, colour: bool = False) -> np.ndarray:
    """The square of a picture as EXIF turns it, of a GIF its first frame; see `to_square`.

    Raises BadImages for anything that is no whole picture, and, before it is decoded, for one of
    more than `MAX_PIXELS`.
    """
    image = open_upright(data)
    try:
        return to_square(image, size, invert, colour)
    except Exception as error:
        raise _damaged(error) from error


def open_upright(data: bytes) -> Image.Image:
    """A decoded picture as EXIF turns it, of several frames the first.

    Raises BadImages for anything that is no whole picture, and, before it is decoded, for one of
    more than `MAX_PIXELS`.
    """
    from PIL import Image, ImageOps, UnidentifiedImageError

    if not data:
        raise BadImages("the file is empty")
    try:
        image = _open(data)
        width, height = image.size
        if width * height > MAX_PIXELS:
            raise BadImages(
                f"its header says {width:,} × {height:,} pixels, limit {MAX_PIXELS:,}; shrink it"
            )
        if image.format == "PNG":
            image.verify()  # reading the pixels alone skips checksums and what is cut off behind them
            image = _open(data)
        image.load()
        ImageOps.exif_transpose(image, in_place=True)
        return image
    except BadImages:
        raise
    except UnidentifiedImageError:
        start = data[:12].decode("latin-1")
        raise BadImages(f"this is no picture, it starts with {start!r}; {_READ}") from None
    except Image.DecompressionBombError as error:
        raise BadImages(f"its header asks for too much, limit {MAX_PIXELS:,} pixels") from error
    except Exception as error:  # what a decoder raises on hostile bytes can be anything
        raise _damaged(error) from error


def _damaged(error: Exception) -> BadImages:
    return BadImages(f"damaged or cut off ({error}); save the picture again")


def square_shape(size: int, colour: bool) -> tuple[int, ...]:
    """The shape of a square: (size, size), or (size, size, 3) where colours are kept."""
    return (size, size, 3) if colour else (size, size)


def to_square(image: Image.Image, size: int, invert: bool, colour: bool = False) -> np.ndarray:
    """The square of a decoded picture, uint8 of `square_shape`."""
    import numpy as np
    from PIL import Image

    plain = _to_opaque(image, invert)
    plain = plain.convert("RGB" if colour else "L")
    longer = max(plain.size)
    if longer != size:
        width, height = (max(1, round(side * size / longer)) for side in plain.size)
        plain = plain.resize((width, height), Image.Resampling.LANCZOS)
    pixels = np.asarray(plain)
    square = np.zeros(square_shape(size, colour), np.uint8)
    top, left = (size - pixels.shape[0]) // 2, (size - pixels.shape[1]) // 2
    square[top : top + pixels.shape[0], left : left + pixels.shape[1]] = (
        255 - pixels if invert else pixels
    )
    return square


def _open(data: bytes) -> Image.Image:
    from PIL import Image

    with warnings.catch_warnings():
        # our own limit is lower than Pillow's, which first warns and then raises
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        return Image.open(io.BytesIO(data), formats=_FORMATS)


def _to_opaque(image: Image.Image, invert: bool) -> Image.Image:
    """Eight bits a channel, grey or RGB, on black, or where it will be inverted on white."""
    import numpy as np
    from PIL import Image

    if image.mode == "I" or image.mode.startswith("I;16"):
        deep = np.asarray(image).astype(np.int64).clip(0, 65_535)
        return Image.fromarray(((deep + 128) // 257).astype(np.uint8))
    if image.has_transparency_data:
        image = image.convert("RGBA")
        shown = Image.new("RGBA", image.size, (255, 255, 255, 255) if invert else (0, 0, 0, 255))
        return Image.alpha_composite(shown, image)
    return image if image.mode in {"1", "L"} else image.convert("RGB")
