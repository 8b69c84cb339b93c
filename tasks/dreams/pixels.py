"""Pixels as networks take them and as people see them.

Images are dreamed on standardised, with mean 0 and deviation 1; what a network expects instead is
an affine map away, applied at its door.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

if TYPE_CHECKING:
    import numpy as np

Pixels: TypeAlias = Literal["standard", "unit", "signed", "bytes"]


class Door(NamedTuple):
    """A network's pixels are `offset` + `scale` × standardised pixels."""

    scale: float
    offset: float


# Two deviations either side of the mean fill the range.
DOORS: dict[Pixels, Door] = {
    "standard": Door(1.0, 0.0),
    "unit": Door(0.25, 0.5),
    "signed": Door(0.5, 0.0),
    "bytes": Door(63.75, 127.5),
}
# Of the layer that stands for the door in an adopted network.
DOOR = "latentflow_pixels"
# Centre and spread of the grey range: SPEC's values for images of a network's own small size.
CENTRE, SPREAD = 0.33, 1.0


def standardise(images: np.ndarray) -> np.ndarray:
    """Each image (n, h, w) or (n, h, w, c) with mean 0 and deviation 1, float32.

    As `tf.image.per_image_standardization`: (x − mean) / max(deviation, 1/√pixels), so that a flat
    image becomes 0.
    """
    import numpy as np

    axes = tuple(range(1, images.ndim))
    wide = images.astype(np.float32)
    mean = wide.mean(axis=axes, keepdims=True, dtype=np.float64)
    deviation = wide.std(axis=axes, keepdims=True, dtype=np.float64)
    floor = float(np.prod(images.shape[1:])) ** -0.5
    return ((wide - mean) / np.maximum(deviation, floor)).astype(np.float32)


def enter(images: np.ndarray) -> np.ndarray:
    """Images of bytes as standardised pixels that any door but "standard" turns into the real ones.

    All doors agree: 127.5 is 0, and 63.75 the unit.
    """
    import numpy as np

    scale, offset = DOORS["bytes"]
    return (images.astype(np.float32) - np.float32(offset)) / np.float32(scale)


def show_contrast(images: np.ndarray, centre: float = CENTRE, spread: float = SPREAD) -> np.ndarray:
    """Each image as bytes to look at: clip(spread · (x − mean)/deviation + centre, 0, 1), uint8.

    Arguments:
        images: (n, h, w) or (n, h, w, c).
        centre: grey value of the image's mean.
        spread: grey range of one deviation.
    """
    import numpy as np

    return np.rint(255 * np.clip(spread * standardise(images) + centre, 0, 1)).astype(np.uint8)
