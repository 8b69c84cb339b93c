"""Bicubic resizing, antialiased where it shrinks, as two thin matrix products.

    small = rows (28, h) · picture (h, w) · columns (w, 28)

The same numbers as `tf.image.resize(…, "bicubic", antialias=True)`: the kernel of Keys 1981 with
a = −1/2, widened where it shrinks, its weights normalised where the picture ends. The cost of a
picture that goes down to a network's size and back is linear in its pixels, and blending weights
multiply into the thin matrices for nothing.
"""

from __future__ import annotations

import contextlib
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

_RADIUS = 2.0


@lru_cache(maxsize=64)
def resize_matrix(found: int, wanted: int) -> np.ndarray:
    """The read-only matrix float32 (wanted, found) that resamples a line of `found` pixels."""
    import numpy as np

    step = found / wanted
    widened = max(step, 1.0)
    centres = (np.arange(wanted) + 0.5) * step
    distance = np.abs(np.arange(found) + 0.5 - centres[:, None]) / widened
    weights = _keys(distance)
    weights /= weights.sum(axis=1, keepdims=True)
    matrix = weights.astype(np.float32)
    matrix.flags.writeable = False
    return matrix


def on_one_thread() -> contextlib.AbstractContextManager[object]:
    """Keep matrix products to one thread in the block.

    They are too thin to share: threads that wait for each other make one of 560 × 560 pixels ten
    times slower on a busy machine. It also fixes the order of sums.
    """
    import numpy  # noqa: F401  # only what is loaded is limited
    from threadpoolctl import threadpool_limits

    limits: contextlib.AbstractContextManager[object] = threadpool_limits(1, user_api="blas")
    return limits


def resize(picture: np.ndarray, height: int, width: int) -> np.ndarray:
    """A picture float32 (…, h, w) as float32 (…, height, width)."""
    rows = resize_matrix(picture.shape[-2], height)
    columns = resize_matrix(picture.shape[-1], width)
    return rows @ picture @ columns.T if height <= width else rows @ (picture @ columns.T)


def _keys(distance: np.ndarray) -> np.ndarray:
    import numpy as np

    near = (1.5 * distance - 2.5) * distance**2 + 1
    far = ((-0.5 * distance + 2.5) * distance - 4) * distance + 2
    return np.where(distance < 1, near, np.where(distance < _RADIUS, far, 0.0))
