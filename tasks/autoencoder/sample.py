"""What a model makes of a sample of its training images, and where they lie among the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine import File, stage
from tasks.autoencoder.encoding import PACKAGES, decode_points, load_part, to_bytes
from tasks.estimators import limited_to
from tasks.votes import count_votes

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np


@stage(packages=PACKAGES)
def rebuild_sample(decoder: File, points: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """The sample's images as they come back, uint8 (s, h, w), or (s, h, w, c) of more channels.

    Arguments:
        decoder: a Keras model, z (n, d) to images (n, h, w, c), 0..1.
        points: float32 (n, d), z of all images.
        rows: int64 (s,), the sample's places among them.
    """
    return to_bytes(decode_points(load_part(decoder), points[rows]))


@stage(packages=("numpy", "scikit-learn"))
def vote_sample(
    points: np.ndarray,
    rows: np.ndarray,
    train: Mapping[str, np.ndarray],
    *,
    neighbours: int = 10,
) -> np.ndarray:
    """The class that most of each sample point's nearest points have, itself left out, int64 (s,).

    Arguments:
        points: float32 (n, d), z of all images.
        rows: int64 (s,), the sample's places among them.
        train: y, int64 (n,), the codes of the classes.
        neighbours: how many vote; the lower code wins a tie.
    """
    import numpy as np
    from sklearn.neighbors import NearestNeighbors

    codes = np.asarray(train["y"])
    count = min(neighbours, len(points) - 1)
    with limited_to(1):
        model = NearestNeighbors(n_neighbors=count + 1).fit(points)
        near = model.kneighbors(points[rows], return_distance=False)
    # Among points in one place, itself may be anywhere, or beyond the last.
    others = near != rows[:, None]
    others[others.all(axis=1), -1] = False
    voters = codes[near[others].reshape(len(rows), count)]
    return count_votes(voters, int(codes.max()) + 1).argmax(axis=1)
