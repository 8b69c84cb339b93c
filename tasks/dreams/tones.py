"""Grey and its scale: luma, standardisation that can be reversed, the post's clip contrast."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np

LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601, as the post has it


class Moments(NamedTuple):
    """Mean and deviation of a picture; the deviation never below 1/√pixels, as TensorFlow has it."""

    mean: float
    deviation: float


def to_luma(pixels: np.ndarray) -> np.ndarray:
    """Grey float32 (h, w) of 0 to 255, of RGB uint8 (h, w, 3)."""
    import numpy as np

    grey = np.zeros(pixels.shape[:2], np.float32)
    for channel, weight in enumerate(LUMA):
        grey += np.float32(weight) * pixels[..., channel]
    return grey


def moments(picture: np.ndarray) -> Moments:
    """Mean and deviation of all pixels (h, w); rows are added up in double precision."""
    import numpy as np

    mean = float(picture.mean(dtype=np.float64))
    centred = picture - np.float32(mean)
    return Moments(mean, _deviation(centred))


def standardise_picture(picture: np.ndarray) -> np.ndarray:
    """S of a large picture (h, w): as `tasks.dreams.pixels.standardise`, in a twentieth of the time."""
    import numpy as np

    centred = picture - np.float32(picture.mean(dtype=np.float64))
    centred /= np.float32(_deviation(centred))
    return centred


def _deviation(centred: np.ndarray) -> float:
    import numpy as np

    squares = np.einsum("yx,yx->y", centred, centred)
    deviation = float(squares.sum(dtype=np.float64) / centred.size) ** 0.5
    return max(deviation, float(centred.size) ** -0.5)


def standardise_each(pictures: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """S of each of float32 (n, h, w), and means and deviations (n, 1, 1) to reverse it.

    S: (x − mean) / max(deviation, 1/√pixels), as `tf.image.per_image_standardization`.
    """
    import numpy as np

    means = pictures.mean(axis=(1, 2), keepdims=True, dtype=np.float64).astype(np.float32)
    deviations = pictures.std(axis=(1, 2), keepdims=True, dtype=np.float64).astype(np.float32)
    least = np.float32((pictures.shape[1] * pictures.shape[2]) ** -0.5)
    deviations = np.maximum(deviations, least)
    return (pictures - means) / deviations, means, deviations


def clip_contrast(picture: np.ndarray, original: np.ndarray) -> np.ndarray:
    """The post's form: clip(1.1·x, ±.85·min(|min G|, |max G|)), as uint8 from rim to rim.

    Arguments:
        picture, original: standardised, float32 (h, w).
    """
    import numpy as np

    rim = 0.85 * min(abs(float(original.min())), abs(float(original.max())))
    if rim <= 0:
        return np.full(picture.shape, 128, np.uint8)
    return to_bytes((np.float32(1.1 / rim) * picture + 1) / 2)


def to_bytes(shares: np.ndarray) -> np.ndarray:
    """Shares of white, 0 to 1, as uint8; what lies outside is cut off."""
    import numpy as np

    return (np.clip(shares, 0, 1) * 255 + 0.5).astype(np.uint8)
