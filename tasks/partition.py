"""One KMeans clustering: fitted the same way everywhere, its clusters numbered in one order.

The scan of criteria, the silhouettes, the pictures and the classifier all divide the rows through
`partition`, so the same k, seed and data always mean the same clusters under the same numbers.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Literal, NamedTuple

from engine import InputError

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    import numpy as np
    from threadpoolctl import ThreadpoolController

Algorithm = Literal["kmeans", "minibatch"]

ALGORITHMS = ("kmeans", "minibatch")


class Partition(NamedTuple):
    """Clusters 0..k-1 by falling size: centroids float64 (k, d), assignment int64 (n,), inertia."""

    centroids: np.ndarray
    assignment: np.ndarray
    inertia: float


@functools.cache
def _libraries() -> ThreadpoolController:
    """The threaded libraries of this process, found once: the search takes longer than a fit."""
    import sklearn.cluster  # noqa: F401  # only what is loaded can be found
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


def one_thread() -> AbstractContextManager[object]:
    """Keep OpenMP to one thread: sums then always run in the same order, to the last bit.

    scikit-learn divides the rows among threads and adds their parts as they come, so labels can
    differ between runs and machines (scikit-learn issue 27518). The limit holds for the calling
    thread only, as stages run on several.
    """
    limit: AbstractContextManager[object] = _libraries().limit(limits=1, user_api="openmp")
    return limit


def require_clusters(points: np.ndarray, clusters: int, parameter: str) -> None:
    """Raise InputError unless 1 <= `clusters` <= the number of distinct rows of `points` (n, d)."""
    import pandas as pd

    rows = len(points)
    distinct = rows - int(pd.DataFrame(points).duplicated().sum())
    if not 1 <= clusters <= distinct:
        same = f" ({rows:,} rows, {distinct:,} of them distinct)"
        raise InputError(
            f"{parameter} = {clusters}: there cannot be more clusters than distinct rows{same}; "
            f"choose {parameter} from 1 to {distinct}"
        )


def partition(
    points: np.ndarray,
    clusters: int,
    *,
    n_init: int,
    seed: int,
    algorithm: Algorithm = "kmeans",
    weights: np.ndarray | None = None,
) -> Partition:
    """Divide rows into clusters with the least sum of squared distances to their centroids.

    Lloyd's iteration from `n_init` k-means++ starts, the best kept; or MiniBatchKMeans. A cluster
    may stay empty; it then comes last.

    Arguments:
        points: float64 (n, d).
        weights: how often each row counts, (n,); once unless given.

    Raises:
        InputError: the algorithm is neither "kmeans" nor "minibatch".
    """
    import warnings

    import numpy as np
    from sklearn.cluster import KMeans, MiniBatchKMeans
    from sklearn.exceptions import ConvergenceWarning

    if algorithm not in ALGORITHMS:
        raise InputError(f"algorithm = {algorithm!r}: choose one of {', '.join(ALGORITHMS)}")
    model = KMeans if algorithm == "kmeans" else MiniBatchKMeans
    with one_thread(), warnings.catch_warnings():
        # Fewer clusters than asked for are counted and reported by every caller.
        warnings.simplefilter("ignore", ConvergenceWarning)
        fit = model(clusters, n_init=n_init, random_state=seed).fit(points, sample_weight=weights)
    centroids = np.asarray(fit.cluster_centers_, dtype=np.float64)
    found = np.asarray(fit.labels_, dtype=np.int64)
    sizes = np.bincount(found, weights=weights, minlength=clusters)
    order = np.lexsort((*centroids.T[::-1], -sizes))
    rank = np.empty(clusters, dtype=np.int64)
    rank[order] = np.arange(clusters)
    squares = ((points - centroids[found]) ** 2).sum(axis=1)
    inertia = float(squares.sum() if weights is None else squares @ weights)
    return Partition(centroids[order], rank[found], inertia)


def assign(points: np.ndarray, centroids: np.ndarray) -> np.ndarray:
    """Number of the nearest centroid of each row, int64 (n,); the lower number on a tie."""
    import numpy as np
    from scipy.spatial.distance import cdist

    return np.asarray(cdist(points, centroids, "sqeuclidean").argmin(axis=1), dtype=np.int64)
