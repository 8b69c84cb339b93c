"""Silhouettes: how much nearer each row lies to its own cluster than to the next (Rousseeuw 1987)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np


def sample_rows(cluster: np.ndarray, rows: int, seed: int) -> np.ndarray:
    """Positions of at most about `rows` rows, from each cluster in proportion, in rising order.

    A plain sample can lose a small cluster altogether (scikit-learn issue 11676); here two rows of
    each remain.

    Arguments:
        cluster: int64 (n,).
    """
    import numpy as np

    if len(cluster) <= rows:
        return np.arange(len(cluster))
    rng = np.random.default_rng(seed)
    kept = []
    for number in np.unique(cluster):
        members = np.flatnonzero(cluster == number)
        share = max(2, round(rows * len(members) / len(cluster)))
        kept.append(rng.permutation(members)[:share])
    return np.sort(np.concatenate(kept))


def distances(points: np.ndarray) -> np.ndarray:
    """Euclidean distances between all rows, float64 (n, n).

    From differences, not from scalar products: exact for equal rows, and no threaded library is
    asked, whose sums could differ between machines.
    """
    import numpy as np
    from scipy.spatial.distance import pdist, squareform

    return np.asarray(squareform(pdist(points)))


def silhouettes(apart: np.ndarray, cluster: np.ndarray) -> np.ndarray:
    """Silhouette of each row, −1 to 1, float64 (n,); 0 for a cluster of one row.

    Where the rows form one cluster only, or each its own, a silhouette says nothing: all are 0.

    Arguments:
        apart: distances between all rows, (n, n).
        cluster: int64 (n,).
    """
    import numpy as np
    from sklearn.metrics import silhouette_samples

    if not 2 <= len(np.unique(cluster)) < len(cluster):
        return np.zeros(len(cluster))
    return np.asarray(silhouette_samples(apart, cluster, metric="precomputed"))


def mean_silhouette(points: np.ndarray, cluster: np.ndarray) -> float:
    """Mean silhouette of all rows of `points` (n, d)."""
    return float(silhouettes(distances(points), cluster).mean())
