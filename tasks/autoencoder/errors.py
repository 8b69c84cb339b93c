"""How far a rebuilt image is from its original: cross-entropy above its floor, MSE, PSNR, SSIM.

All images are float32, 0..1, of shape (n, h, w) or (n, h, w, c); every measure is one number an
image.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

CLIP = 1e-7  # as Keras does: the logarithm of 0 is no loss
_WINDOW, _SIGMA = 11, 1.5  # pixels, of Wang et al. 2004
_ROWS = 500  # images at a time: the windows' moments are five more copies of them


def cross_entropy(originals: np.ndarray, rebuilt: np.ndarray) -> np.ndarray:
    """Binary cross-entropy, the mean over an image's values, in nats: float64 (n,)."""
    import numpy as np

    p = np.clip(rebuilt, CLIP, 1 - CLIP, dtype=np.float64)
    return _mean(-(originals * np.log(p) + (1 - originals) * np.log1p(-p)))


def entropy(originals: np.ndarray) -> np.ndarray:
    """The least cross-entropy that an image allows, float64 (n,).

    Grey values are taken for probabilities by the cross-entropy, and those have an entropy of
    their own, H(x) = −x log x − (1 − x) log(1 − x); even a perfect copy of the image keeps it.
    """
    import numpy as np

    x = np.asarray(originals, dtype=np.float64)
    # Most pixels are black or white and have none; logarithms are dear.
    grey = x[(x > 0) & (x < 1)]
    found = np.zeros(x.shape)
    found[(x > 0) & (x < 1)] = -(grey * np.log(grey) + (1 - grey) * np.log1p(-grey))
    return _mean(found)


def squared_error(originals: np.ndarray, rebuilt: np.ndarray) -> np.ndarray:
    """Mean of the squared differences, float64 (n,)."""
    import numpy as np

    return _mean(np.square(np.subtract(originals, rebuilt, dtype=np.float64)))


def noise_ratio(squared: np.ndarray) -> np.ndarray:
    """Peak signal-to-noise ratio in dB of mean squared errors, 100 at most (a perfect copy)."""
    import numpy as np

    return -10 * np.log10(np.maximum(squared, 1e-10))


def similarity(originals: np.ndarray, rebuilt: np.ndarray) -> np.ndarray:
    """Structural similarity, 1 for equal images: float64 (n,).

    Wang, Bovik, Sheikh & Simoncelli 2004, "Image quality assessment: from error visibility to
    structural similarity": Gaussian windows of 11 pixels (fewer in smaller images) inside the
    image, K1 = .01, K2 = .03, the mean over windows and channels.
    """
    import numpy as np

    kernel = _kernel(originals.shape[1:3])
    found = np.empty(len(originals))
    for start in range(0, len(originals), _ROWS):
        rows = slice(start, start + _ROWS)
        x, y = (np.asarray(part[rows], dtype=np.float64) for part in (originals, rebuilt))
        mx, my = _blur(x, kernel), _blur(y, kernel)
        xx, yy = _blur(x * x, kernel) - mx**2, _blur(y * y, kernel) - my**2
        xy = _blur(x * y, kernel) - mx * my
        light = (2 * mx * my + 0.01**2) / (mx**2 + my**2 + 0.01**2)
        found[rows] = _mean(light * (2 * xy + 0.03**2) / (xx + yy + 0.03**2))
    return found


def _kernel(shape: Sequence[int]) -> np.ndarray:
    """Weights of a Gaussian window that fits the image, of odd length, their sum 1."""
    import numpy as np

    length = min(_WINDOW, *(side - 1 + side % 2 for side in shape))
    place = np.arange(length) - length // 2
    weights = np.exp(-(place**2) / (2 * _SIGMA**2))
    return np.asarray(weights / weights.sum())


def _blur(images: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """Weighted means of all windows that lie inside the images, along both sides in turn."""
    import numpy as np

    for axis in (1, 2):
        count = images.shape[axis] - len(kernel) + 1
        images = sum(
            weight * np.take(images, range(shift, shift + count), axis=axis)
            for shift, weight in enumerate(kernel)
        )
    return images


def _mean(values: np.ndarray) -> np.ndarray:
    """The mean of each image's values."""
    import numpy as np

    return np.asarray(values.reshape(len(values), -1).mean(axis=1))
