"""A dreamt luma with the colours of the photo it came from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tasks.dreams.tones import Moments, moments, to_bytes, to_luma

if TYPE_CHECKING:
    import numpy as np

_ROWS_BYTES = 64 << 20  # of the float copies that are alive at once


def dreamt_luma(picture: np.ndarray, pixels: np.ndarray, contrast: float = 1.0) -> np.ndarray:
    """A standardised picture's grey, 0 to 255, float32 (h, w), on the photo's own scale.

    The middle keeps the photo's mean and deviation; towards black and white the curve flattens, so
    that strong patterns keep their shape where clipping would leave blots.

    Arguments:
        pixels: the photo, RGB uint8 (h, w, 3).
        contrast: multiplies the deviation.
    """
    return bend_luma(picture, moments(to_luma(pixels)), contrast)


def bend_luma(picture: np.ndarray, tone: Moments, contrast: float = 1.0) -> np.ndarray:
    """As `dreamt_luma`, with the mean and deviation of a photo's luma."""
    import numpy as np

    grey = picture * np.float32(contrast * tone.deviation) + np.float32(tone.mean)
    return 255 * _shoulder(grey / 255)


def show_grey(picture: np.ndarray, tone: Moments) -> np.ndarray:
    """A standardised picture as one looks at it, uint8 (h, w), in the tones of a photo's luma."""
    return to_bytes(bend_luma(picture, tone) / 255)


def keep_colour(luma: np.ndarray, pixels: np.ndarray, vividness: float = 1.0) -> np.ndarray:
    """RGB uint8 (h, w, 3): the chroma of the pixels on another luma.

        RGB' = Y' + t · vividness · (RGB − Y),   t ≤ 1 the most that stays between black and white

    So luma is kept exactly, hue too, and only saturation gives way.

    Arguments:
        luma: Y', 0 to 255, float32 (h, w).
        pixels: RGB uint8 (h, w, 3).
        vividness: 1 keeps the photo's chroma, 0 gives grey.
    """
    import numpy as np

    result = np.empty_like(pixels)
    for rows in _strips(luma.shape):
        wanted = np.clip(luma[rows], 0, 255)[..., None]
        chroma = pixels[rows] - to_luma(pixels[rows])[..., None]
        chroma *= np.float32(vividness)
        room = np.where(chroma > 0, 255 - wanted, wanted)
        share = (room / np.maximum(np.abs(chroma), 1e-3)).min(axis=2, keepdims=True)
        result[rows] = (wanted + np.minimum(share, 1) * chroma + 0.5).clip(0, 255)
    return result


def _shoulder(share: np.ndarray, knee: float = 0.15) -> np.ndarray:
    """Shares of white; within `knee` of black and white, and beyond, bent so as never to get there."""
    import numpy as np

    high = np.maximum(share - (1 - knee), 0)
    low = np.maximum(knee - share, 0)
    middle = np.clip(share, knee, 1 - knee)
    return middle + knee * (np.tanh(high / knee) - np.tanh(low / knee))


def _strips(shape: tuple[int, int]) -> Iterator[slice]:
    rows = max(1, _ROWS_BYTES // (shape[1] * 3 * 4 * 4))
    for first in range(0, shape[0], rows):
        yield slice(first, first + rows)
