"""Centroids as pictures: back through the components and the scaling that made their space."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine import stage
from tasks.components import back_project
from tasks.scaling import unscale

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np


@stage(packages=("numpy",))
def invert_centroids(
    centroids: np.ndarray,
    learned: Mapping[str, np.ndarray],
    about: dict[str, Any],
    basis: Mapping[str, np.ndarray] | None = None,
) -> np.ndarray:
    """Points of a space as images, uint8 (k, h, w), as far as the way back exists.

    Components that were left out are missing in the pictures, and normalised images get the light
    of the average training image.

    Arguments:
        centroids: float32 (k, c).
        learned: what `fit_scaling` returned.
        about: shape, (h, w).
        basis: what `fit_components` learned; none where the space is that of the pixels.
    """
    import numpy as np

    rows = centroids if basis is None else back_project(centroids, basis)
    grey = unscale(rows, learned)
    height, width = about["shape"][:2]
    return np.rint(grey).astype(np.uint8).reshape(len(grey), height, width)
