"""KMeans clusters of a table: their centroids, their rows, and how they meet the labels."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Any, NamedTuple

from engine import InputError, stage
from tasks.figures.words import counted, listing, percent, prose
from tasks.partition import Algorithm, partition, require_clusters
from tasks.silhouette import mean_silhouette, sample_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import pandas as pd


class KMeansFit(NamedTuple):
    """centroids: cluster and one column a feature · assignment: cluster (int64), one row a row ·
    summary: clusters, inertia, sizes, empty_clusters, algorithm, n_init, seed, finding."""

    centroids: pd.DataFrame
    assignment: pd.DataFrame
    summary: dict[str, Any]


class Crosstab(NamedTuple):
    """counts: cluster, rows of each label, size, purity, majority · summary: agreement (share of
    rows with their cluster's majority label), ari, nmi, v_measure, pure_clusters, finding."""

    counts: pd.DataFrame
    summary: dict[str, Any]


@stage(packages=("scikit-learn", "numpy"))
def fit_kmeans(
    features: pd.DataFrame,
    *,
    clusters: int = 5,
    n_init: int = 10,
    seed: int = 0,
    algorithm: Algorithm = "kmeans",
) -> KMeansFit:
    """Cluster the rows of `features` (float64, raw units) with KMeans or MiniBatchKMeans.

    Clusters are numbered by falling size, equal sizes by their centroids, so that pictures keep
    their colours.

    Raises:
        InputError: `clusters` exceeds the number of distinct rows.
    """
    import numpy as np
    import pandas as pd

    points = features.to_numpy(dtype=np.float64)
    require_clusters(points, clusters, "clusters")
    fit = partition(points, clusters, n_init=n_init, seed=seed, algorithm=algorithm)
    sizes = np.bincount(fit.assignment, minlength=clusters)
    centroids = pd.DataFrame(fit.centroids, columns=features.columns)
    centroids.insert(0, "cluster", np.arange(clusters))
    empty = int((sizes == 0).sum())
    finding = (
        f"{counted(clusters, 'cluster')} of {int(sizes.min()):,} to {int(sizes.max()):,} rows, "
        f"inertia {fit.inertia:,.0f}"
    )
    return KMeansFit(
        centroids,
        pd.DataFrame({"cluster": fit.assignment}),
        {
            "clusters": clusters,
            "inertia": fit.inertia,
            "sizes": sizes.tolist(),
            "empty_clusters": empty,
            "algorithm": algorithm,
            "n_init": n_init,
            "seed": seed,
            "finding": f"{finding}; {empty} of them stayed empty." if empty else f"{finding}.",
        },
    )


@stage(packages=("scikit-learn", "numpy", "pandas"))
def cross_tabulate(assignment: pd.DataFrame, labels: pd.DataFrame) -> Crosstab:
    """Count the rows of each label in each cluster; the clusters never saw the labels.

    purity is the share of a cluster's rows that carry its majority label (the alphabetically
    first on a tie). ari: Hubert & Arabie 1985, 0 by chance, 1 for the same division; nmi with the
    arithmetic mean, which is the v_measure of Rosenberg & Hirschberg 2007.

    Arguments:
        assignment: column cluster, int64 (n,).
        labels: column label, str (n,).
    """
    import pandas as pd
    from sklearn import metrics

    cluster, label = assignment["cluster"], labels["label"].astype("str")
    names = sorted(label.unique())
    table = pd.crosstab(cluster.to_numpy(), label.to_numpy()).reindex(columns=names)
    size = table.sum(axis=1)
    most, majority = table.max(axis=1), table.idxmax(axis=1)
    counts = pd.DataFrame({"cluster": table.index.to_numpy(dtype="int64")})
    counts[names] = table.to_numpy(dtype="int64")
    counts["size"] = size.to_numpy(dtype="int64")
    counts["purity"] = (most / size).to_numpy()
    counts["majority"] = majority.to_numpy()
    agreement = float(most.sum() / size.sum())
    summary = {
        "agreement": agreement,
        "ari": float(metrics.adjusted_rand_score(label, cluster)),
        "nmi": float(metrics.normalized_mutual_info_score(label, cluster)),
        "v_measure": float(metrics.v_measure_score(label, cluster)),
        "pure_clusters": int((most == size).sum()),
        "finding": _say_crosstab(counts, names, agreement),
    }
    return Crosstab(counts, summary)


def _say_crosstab(counts: pd.DataFrame, names: Sequence[str], agreement: float) -> str:
    """How well clusters and labels agree, which labels are split, which own no cluster."""
    parts = [f"{percent(agreement)} of the rows carry the majority label of their cluster"]
    for name, own in counts.groupby("majority", sort=True):
        if len(own) > 1:
            # The smallest is the one that nobody asked for: it is what clusters add to labels.
            extra = own.sort_values(["size", "cluster"]).iloc[0]
            parts.append(
                f"{prose(name)} falls into {len(own)} clusters, the smallest with "
                f"{counted(int(extra['size']), 'row')} ({percent(float(extra['purity']))} of them "
                f"{prose(name)})"
            )
    owners = set(counts["majority"])
    orphans = [prose(name) for name in names if name not in owners]
    if orphans:
        parts.append(f"no cluster belongs to {listing(orphans)}")
    return "; ".join(parts[:4]) + "."


@stage(packages=("scikit-learn", "numpy", "scipy"))
def pick_pairs(
    features: pd.DataFrame,
    assignment: pd.DataFrame,
    *,
    pairs: Sequence[tuple[str, str]] | None = None,
    count: int = 2,
    rows: int = 2000,
    seed: int = 0,
) -> pd.DataFrame:
    """Rank planes of two features by how well the clusters stand apart in them.

    The columns x, y, silhouette (mean of the clusters in that plane, −1 to 1). The pairs asked
    for come first and in their order; without any the `count` best are taken from all.

    Arguments:
        rows: of more rows this many are drawn, from each cluster in proportion.

    Raises:
        InputError: fewer than two features, a pair that names an unknown one, or one cluster only.
    """
    import numpy as np
    import pandas as pd

    names = [str(name) for name in features.columns]
    if len(names) < 2:
        raise InputError(f"a plane needs two features; the table has only {', '.join(names)}")
    asked = [(str(x), str(y)) for x, y in pairs] if pairs is not None else []
    for pair in asked:
        unknown = [name for name in pair if name not in names]
        if unknown or pair[0] == pair[1]:
            raise InputError(
                f"pairs: {pair[0]} / {pair[1]} is not a pair of two different features; "
                f"there are {', '.join(names[:20])}"
            )
    cluster = assignment["cluster"].to_numpy()
    if len(np.unique(cluster)) < 2:
        raise InputError("pairs of features are compared by their clusters; there is only one")
    chosen = sample_rows(cluster, rows, seed)
    values, cluster = features.to_numpy(dtype=np.float64)[chosen], cluster[chosen]
    place = {name: index for index, name in enumerate(names)}

    def score(pair: tuple[str, str]) -> float:
        return mean_silhouette(values[:, [place[pair[0]], place[pair[1]]]], cluster)

    if not asked:
        ranked = sorted(_candidates(values, cluster, names), key=lambda pair: -score(pair))
        asked = ranked[:count]
    frame = pd.DataFrame(asked, columns=["x", "y"])
    frame["silhouette"] = [score(pair) for pair in asked]
    return frame


def _candidates(
    values: np.ndarray, cluster: np.ndarray, names: Sequence[str], most: int = 16
) -> list[tuple[str, str]]:
    """All pairs of features; of many features only the `most` that tell the clusters apart best.

    The measure is the share of a feature's variance that lies between the clusters (eta squared).
    """
    import numpy as np

    total = values.var(axis=0)
    numbers, sizes = np.unique(cluster, return_counts=True)
    means = np.stack([values[cluster == number].mean(axis=0) for number in numbers])
    between = sizes @ (means - values.mean(axis=0)) ** 2 / len(cluster)
    share = np.divide(between, total, out=np.zeros(len(total)), where=total > 0)
    best = sorted(np.argsort(-share, kind="stable")[:most])
    return list(combinations([names[index] for index in best], 2))
