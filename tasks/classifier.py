"""KMeans as a classifier: clusters get the labels of their training rows, new rows their cluster's."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from engine import InputError, stage
from tasks.partition import Algorithm, assign, partition, require_clusters
from tasks.pca import decompose
from tasks.splits import stratified_splits

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    import pandas as pd

COLUMNS = (
    "space", "clusters", "split", "accuracy", "empty_clusters", "unmapped_clusters", "mean_purity",
)  # fmt: skip


class ClusterLabels(NamedTuple):
    """What clusters mean, learned from training rows: label (object, None = unmapped) and size and
    purity (share of the majority label, 0 where empty) of each, all (k,)."""

    label: np.ndarray
    size: np.ndarray
    purity: np.ndarray


# Fits of a few hundred rows hold the interpreter's lock: two threads took 1.4 times as long as one.
@stage(packages=("scikit-learn", "numpy", "scipy"), parallel=False)
def classify_by_clusters(
    features: pd.DataFrame,
    labels: pd.DataFrame,
    *,
    clusters: int = 10,
    space: str = "raw",
    splits: int = 8,
    test_fraction: float = 0.25,
    n_init: int = 10,
    seed: int = 0,
    algorithm: Algorithm = "kmeans",
) -> pd.DataFrame:
    """Cluster the training rows, map clusters to labels there, and score unseen rows.

    Each cluster gets the majority label of its training rows; a test row gets the label of its
    nearest centroid. Space, clusters and mapping are learned from training rows alone. One row a
    split: space, clusters, split, accuracy (0..1, of the test rows), empty_clusters (without a
    training row), unmapped_clusters (without a label: empty, or with a tie for the majority; their
    test rows go to the nearest cluster that has one), mean_purity (of the clusters that are not
    empty: how sure a label is on average).

    Arguments:
        features: float64 (n, d); labels: column label, str (n,).
        space: "raw", "standardised" (each feature by mean and deviation), or "pca3" (the first 3
            principal components; other numbers likewise, at most the number of features).

    Raises:
        InputError: an unknown space, or more clusters than distinct training rows.
    """
    import numpy as np
    import pandas as pd

    points = features.to_numpy(dtype=np.float64)
    truth = labels["label"].to_numpy(dtype=object)
    rows = []
    for split, (train, test) in enumerate(stratified_splits(truth, splits, test_fraction, seed)):
        project = learn_space(points[train], space)
        seen, unseen = project(points[train]), project(points[test])
        require_clusters(seen, clusters, "clusters")
        fit = partition(seen, clusters, n_init=n_init, seed=seed + split, algorithm=algorithm)
        mapping = learn_mapping(fit.assignment, truth[train], clusters)
        found = predict(unseen, fit.centroids, mapping)
        filled = mapping.size > 0
        rows.append(
            (
                space,
                clusters,
                split,
                float((found == truth[test]).mean()),
                int((~filled).sum()),
                int(sum(label is None for label in mapping.label)),
                float(mapping.purity[filled].mean()),
            )
        )
    return pd.DataFrame(rows, columns=list(COLUMNS))


def learn_space(train: np.ndarray, space: str) -> Callable[[np.ndarray], np.ndarray]:
    """A projection (n, d) → (n, p) learned from the training rows; raises InputError if unknown."""
    import numpy as np

    centre = train.mean(axis=0)
    if space == "raw":
        return lambda points: points
    if space == "standardised":
        deviation = train.std(axis=0)
        scale = np.where(deviation > 0, deviation, 1.0)
        return lambda points: (points - centre) / scale
    match = re.fullmatch(r"pca([1-9]\d*)", space)
    if match is None:
        raise InputError(f'space = {space!r}: choose "raw", "standardised", or "pca3" (any number)')
    axes, _ = decompose(train, min(int(match[1]), *train.shape))
    return lambda points: (points - centre) @ axes.T


def learn_mapping(assignment: np.ndarray, labels: np.ndarray, clusters: int) -> ClusterLabels:
    """Give each cluster its majority label; none to a cluster that is empty or tied.

    Where every cluster is tied, all get the most frequent label, as something must be answered.

    Arguments:
        assignment: cluster of each training row, int64 (n,).
        labels: label of each training row, (n,).
    """
    import numpy as np

    names, codes = np.unique(labels, return_inverse=True)
    counts = np.zeros((clusters, len(names)), dtype=np.int64)
    np.add.at(counts, (assignment, codes), 1)
    size, most = counts.sum(axis=1), counts.max(axis=1)
    label = names[counts.argmax(axis=1)].astype(object)
    label[(counts == most[:, None]).sum(axis=1) > 1] = None
    if all(each is None for each in label):
        label[:] = names[counts.sum(axis=0).argmax()]
    return ClusterLabels(label, size, most / np.maximum(size, 1))


def predict(points: np.ndarray, centroids: np.ndarray, mapping: ClusterLabels) -> np.ndarray:
    """Label of the nearest centroid that has one, object (n,)."""
    import numpy as np

    mapped = np.flatnonzero([label is not None for label in mapping.label])
    return np.asarray(mapping.label[mapped][assign(points, centroids[mapped])])


@stage(packages=("pandas",))
def collect_tables(parts: list[pd.DataFrame]) -> pd.DataFrame:
    """Join tables of the same columns below one another, in the order given.

    Raises:
        InputError: there is none, or the columns differ.
    """
    import pandas as pd

    if not parts:
        raise InputError("there is no table to collect")
    for part in parts:
        if list(part.columns) != list(parts[0].columns):
            raise InputError(
                f"tables of different columns: expected {list(parts[0].columns)}, found "
                f"{list(part.columns)}"
            )
    return pd.concat(parts, ignore_index=True)


@stage(packages=("pandas",))
def summarise_accuracy(results: pd.DataFrame) -> pd.DataFrame:
    """Mean and spread over the splits: one row a space and number of clusters.

    Arguments:
        results: rows of `classify_by_clusters`.

    Returns:
        space, clusters, accuracy_mean and accuracy_sd (0..1; sd with n - 1, 0 for one split),
        splits, and the means of empty_clusters, unmapped_clusters and mean_purity.
    """
    groups = results.groupby(["space", "clusters"], sort=False)
    table = groups.agg(
        accuracy_mean=("accuracy", "mean"),
        accuracy_sd=("accuracy", "std"),
        splits=("split", "count"),
        empty_clusters=("empty_clusters", "mean"),
        unmapped_clusters=("unmapped_clusters", "mean"),
        mean_purity=("mean_purity", "mean"),
    )
    return table.fillna({"accuracy_sd": 0.0}).reset_index()
