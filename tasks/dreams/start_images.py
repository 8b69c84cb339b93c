"""Images to begin from: noise on four length scales, of which the fitting one is searched."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tasks.dreams.pixels import standardise
from tasks.dreams.resizing import resize_matrix

if TYPE_CHECKING:
    import numpy as np

GRIDS = (3, 7, 14, 28)  # cells a side: from what fills a third of the image to single pixels


def draw_starts(count: int, shape: tuple[int, int, int], seed: int) -> np.ndarray:
    """Random images, float32 (count, h, w, c), each with mean 0 and deviation 1.

        image = S( Σ over grids of  u · S(bicubic(noise on the grid)) ),   u uniform in 0 … 1

    S standardises. Weights differ from image to image: some are cloudy, some are grainy.

    Arguments:
        shape: (h, w, c) of the images.
        seed: image i of a seed is the same however many are drawn.
    """
    import numpy as np

    height, width, channels = shape
    random = np.random.default_rng(seed)
    weights = random.uniform(size=(count, len(GRIDS)))
    total = np.zeros((count, *shape), np.float32)
    for number, grid in enumerate(GRIDS):
        own = np.random.default_rng([seed, grid])
        cells = own.normal(size=(count, grid, grid, channels)).astype(np.float32)
        rows, columns = resize_matrix(grid, height), resize_matrix(grid, width)
        smooth = np.einsum("yg,nghc,xh->nyxc", rows, cells, columns, optimize=True)
        total += weights[:, number, None, None, None].astype(np.float32) * standardise(smooth)
    return standardise(total)
