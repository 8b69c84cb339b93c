"""How many clusters? Criteria over a range of k, for the data, for noise, and for resamples."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from engine import InputError, stage
from tasks.partition import Algorithm, assign, partition, require_clusters
from tasks.silhouette import distances, sample_rows, silhouettes

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

# A matrix of distances between 5,000 rows takes 200 MB.
SILHOUETTE_ROWS = 5_000


def _range_of_k(points: np.ndarray, k_min: int, k_max: int) -> range:
    """k_min..k_max; raises InputError where a criterion would not be defined for one of them."""
    if not 2 <= k_min <= k_max:
        raise InputError(
            f"k_min = {k_min}, k_max = {k_max}: expected 2 <= k_min <= k_max, as one cluster has "
            "no silhouette"
        )
    require_clusters(points, k_max, "k_max")
    if k_max >= len(points):
        raise InputError(
            f"k_max = {k_max}: with a cluster for each of the {len(points)} rows no criterion is "
            f"defined; choose k_max below {len(points)}"
        )
    return range(k_min, k_max + 1)


@stage(packages=("scikit-learn", "numpy", "scipy"))
def scan_clusters(
    features: pd.DataFrame,
    *,
    k_min: int = 2,
    k_max: int = 12,
    n_init: int = 10,
    seed: int = 0,
    algorithm: Algorithm = "kmeans",
) -> pd.DataFrame:
    """Cluster with each k and measure: k, inertia, silhouette, calinski_harabasz, davies_bouldin.

    inertia: sum of squared distances to the centroids, in squared units of the features;
    silhouette: mean over the rows, or over a sample of 5,000 drawn from each cluster in proportion;
    Calinski & Harabasz 1974: higher is better; Davies & Bouldin 1979: lower is better.

    Raises:
        InputError: k_max is not below the number of rows, or exceeds that of distinct rows.
    """
    import numpy as np
    import pandas as pd
    from sklearn import metrics

    points = features.to_numpy(dtype=np.float64)
    every = distances(points) if len(points) <= SILHOUETTE_ROWS else None
    rows = []
    for k in _range_of_k(points, k_min, k_max):
        fit = partition(points, k, n_init=n_init, seed=seed, algorithm=algorithm)
        chosen = sample_rows(fit.assignment, SILHOUETTE_ROWS, seed)
        apart = distances(points[chosen]) if every is None else every
        row = {"k": k, "inertia": fit.inertia}
        row["silhouette"] = float(silhouettes(apart, fit.assignment[chosen]).mean())
        # MiniBatchKMeans may put all rows into one cluster, which these two cannot judge.
        one = len(np.unique(fit.assignment)) == 1
        for name in ("calinski_harabasz", "davies_bouldin"):
            score = getattr(metrics, f"{name}_score")
            row[name] = np.nan if one else float(score(points, fit.assignment))
        rows.append(row)
    return pd.DataFrame(rows)


@stage(packages=("scikit-learn", "numpy"))
def scan_uniform(
    features: pd.DataFrame,
    *,
    k_min: int = 2,
    k_max: int = 12,
    n_init: int = 10,
    seed: int = 0,
    algorithm: Algorithm = "kmeans",
    references: int = 10,
    box: Literal["features", "components"] = "features",
) -> pd.DataFrame:
    """Cluster uniform noise in the box of the data with each k: k, reference, inertia.

    Noise has no clusters, so this curve shows what an elbow is worth (Schubert 2023) and is the
    reference of the gap statistic (Tibshirani, Walther & Hastie 2001, section 3).

    Arguments:
        references: how many noise tables, each of as many rows as the data.
        box: along the features, or along the principal components (theirs: 'a' and 'b').
    """
    import numpy as np
    import pandas as pd

    points = features.to_numpy(dtype=np.float64)
    ks = _range_of_k(points, k_min, k_max)
    centre = points.mean(axis=0)
    axes = np.eye(points.shape[1])
    if box == "components":
        axes = np.linalg.svd(points - centre, full_matrices=False)[2]
    turned = (points - centre) @ axes.T
    low, high = turned.min(axis=0), turned.max(axis=0)
    rows = []
    for reference in range(references):
        rng = np.random.default_rng([seed, reference])
        noise = rng.uniform(low, high, turned.shape) @ axes + centre
        for k in ks:
            fit = partition(noise, k, n_init=n_init, seed=seed + reference, algorithm=algorithm)
            rows.append({"k": k, "reference": reference, "inertia": fit.inertia})
    return pd.DataFrame(rows, columns=["k", "reference", "inertia"])


@stage(packages=("scikit-learn", "numpy", "scipy"))
def measure_stability(
    features: pd.DataFrame,
    *,
    k_min: int = 2,
    k_max: int = 12,
    n_init: int = 10,
    seed: int = 0,
    algorithm: Algorithm = "kmeans",
    resamples: int = 20,
) -> pd.DataFrame:
    """Cluster pairs of bootstrap samples and compare them on common rows: k, resample, ari.

    Each resample is a pair of samples, drawn with replacement and clustered apart. The adjusted
    Rand index of the two divisions, on the rows that are in both, is 1 where k clusters are found
    again and 0 where they are chance (Ben-Hur et al. 2002; Fang & Wang 2012).
    """
    import numpy as np
    import pandas as pd
    from sklearn.metrics import adjusted_rand_score

    points = features.to_numpy(dtype=np.float64)
    ks = _range_of_k(points, k_min, k_max)
    rows = []
    for resample in range(resamples):
        rng = np.random.default_rng([seed, resample])
        # Drawing a row twice is giving it twice the weight, and takes less time.
        draws = [rng.integers(0, len(points), len(points)) for _ in range(2)]
        weights = [np.bincount(draw, minlength=len(points)) for draw in draws]
        common = points[(weights[0] > 0) & (weights[1] > 0)]
        distinct = min(len(np.unique(points[weight > 0], axis=0)) for weight in weights)
        for k in ks:
            if k > distinct or len(common) < 2:
                continue
            found = [
                assign(common, _refit(points, weight, k, n_init, seed + number, algorithm))
                for number, weight in enumerate(weights, 2 * resample)
            ]
            rows.append({"k": k, "resample": resample, "ari": adjusted_rand_score(*found)})
    frame = pd.DataFrame(rows, columns=["k", "resample", "ari"])
    return frame.sort_values(["k", "resample"], ignore_index=True)


def _refit(
    points: np.ndarray, weights: np.ndarray, k: int, n_init: int, seed: int, algorithm: Algorithm
) -> np.ndarray:
    """Centroids (k, d) of the rows that have a weight."""
    drawn = weights > 0
    fit = partition(
        points[drawn], k, n_init=n_init, seed=seed, algorithm=algorithm,
        weights=weights[drawn].astype("float64"),
    )  # fmt: skip
    return fit.centroids


@stage(packages=("scikit-learn", "numpy", "scipy"), parallel=False)
def silhouette_profile(
    features: pd.DataFrame,
    *,
    clusters: int = 5,
    n_init: int = 10,
    seed: int = 0,
    algorithm: Algorithm = "kmeans",
) -> pd.DataFrame:
    """Silhouettes within each cluster from best to worst: cluster, order (0..), silhouette.

    Of more than 5,000 rows a sample is taken, from each cluster in proportion.

    Raises:
        InputError: fewer than two clusters, or more than distinct rows.
    """
    import numpy as np
    import pandas as pd

    points = features.to_numpy(dtype=np.float64)
    if clusters < 2:
        raise InputError(f"clusters = {clusters}: a silhouette needs at least 2 clusters")
    require_clusters(points, clusters, "clusters")
    fit = partition(points, clusters, n_init=n_init, seed=seed, algorithm=algorithm)
    chosen = sample_rows(fit.assignment, SILHOUETTE_ROWS, seed)
    cluster = fit.assignment[chosen]
    values = silhouettes(distances(points[chosen]), cluster)
    frame = pd.DataFrame({"cluster": cluster, "order": 0, "silhouette": values})
    frame = frame.sort_values(
        ["cluster", "silhouette"], ascending=[True, False], kind="stable", ignore_index=True
    )
    frame["order"] = frame.groupby("cluster").cumcount()
    return frame
