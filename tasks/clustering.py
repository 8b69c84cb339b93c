"""One clustering of many rows: a cell of a sweep, on one thread, its clusters in one order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from engine import InputError, stage
from tasks.estimators import (
    PACKAGES,
    Backend,
    backend_of,
    choose_backend,
    fit_kmeans_model,
    limited_to,
    nearest_centroids,
)
from tasks.figures.words import counted

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np

Algorithm = Literal["kmeans", "minibatch"]

ALGORITHMS = ("kmeans", "minibatch")
# k-means++ on ten rows a cluster starts Lloyd's iteration as well as on all of them (1,000 clusters
# of 60,000 × 40 points: the same inertia to .05 %) in a sixth of the time.
SEEDING_ROWS = 10


class Cell(NamedTuple):
    """centroids: float32 (k, c) · assignment: train (n,), test (m,), int32 · summary: clusters,
    algorithm, seed, inertia (of the training rows), iterations, backend, sizes' range, finding."""

    centroids: np.ndarray
    assignment: dict[str, np.ndarray]
    summary: dict[str, Any]


@stage(packages=PACKAGES)
def cluster_digits(
    space: Mapping[str, np.ndarray],
    *,
    clusters: int = 100,
    algorithm: Algorithm = "minibatch",
    seed: int = 0,
    n_init: int = 1,
    max_iter: int = 300,
    batch_size: int = 1024,
    patience: int = 10,
    backend: Backend = "auto",
    threads: int = 1,
) -> Cell:
    """Cluster the training rows and give every test row the cluster of its nearest centroid.

    Clusters are numbered by falling size. One thread: the cells of a sweep run side by side, which
    keeps all cores busier than threads within a cell, and sums run in one order.

    Arguments:
        space: train float32 (n, c), test float32 (m, c).
        algorithm: "kmeans" is Lloyd's iteration from k-means++ on a sample of the rows;
            "minibatch" is that of Sculley 2010.
        n_init: starts, the best of which is kept (of minibatch: the best start).
        max_iter: passes over the rows at most.
        batch_size, patience: of minibatch: rows of a batch, and batches without a better inertia
            after which it ends.

    Raises:
        InputError: not 1 <= clusters <= training rows, or an unknown algorithm or backend.
    """
    import numpy as np

    points, unseen = space["train"], space["test"]
    if algorithm not in ALGORITHMS:
        raise InputError(f"algorithm = {algorithm!r}: choose one of {', '.join(ALGORITHMS)}")
    if not 1 <= clusters <= len(points):
        raise InputError(
            f"clusters = {clusters}: expected 1 to {len(points):,}, the number of training rows"
        )
    choose_backend("kmeans", backend)
    with limited_to(threads):
        if algorithm == "kmeans":
            model = fit_kmeans(points, clusters, seed, n_init, max_iter, backend)
        else:
            model = _fit_minibatch(points, clusters, seed, n_init, max_iter, batch_size, patience)
        found = {"train": model.labels_, "test": nearest_centroids(model, unseen)}
    centroids = np.asarray(model.cluster_centers_, dtype=np.float32)
    sizes = np.bincount(found["train"], minlength=clusters)
    order = np.argsort(-sizes, kind="stable")
    rank = np.empty(clusters, dtype=np.int32)
    rank[order] = np.arange(clusters, dtype=np.int32)
    return Cell(
        centroids[order],
        {part: rank[numbers] for part, numbers in found.items()},
        {
            "clusters": clusters,
            "algorithm": algorithm,
            "seed": seed,
            "inertia": float(model.inertia_),
            "iterations": int(model.n_iter_),
            "backend": backend_of(model),
            "threads": threads,
            "smallest": int(sizes.min()),
            "largest": int(sizes.max()),
            "finding": f"{counted(clusters, 'cluster')} of {int(sizes.min()):,} to "
            f"{int(sizes.max()):,} training rows, inertia {float(model.inertia_):,.1f}.",
        },
    )


def fit_kmeans(
    points: np.ndarray,
    clusters: int,
    seed: int,
    n_init: int = 1,
    max_iter: int = 300,
    backend: Backend = "auto",
) -> Any:
    """The fitted KMeans of the least inertia of `n_init` starts, on points float32 (n, c)."""
    import numpy as np
    from sklearn.cluster import kmeans_plusplus

    best: Any = None
    random = np.random.RandomState(seed)
    for _ in range(n_init):
        rows = min(SEEDING_ROWS * clusters, len(points))
        sample = np.sort(random.choice(len(points), rows, replace=False))
        initial, _ = kmeans_plusplus(points[sample], clusters, random_state=random)
        model = fit_kmeans_model(points, initial, max_iter=max_iter, backend=backend)
        if best is None or model.inertia_ < best.inertia_:
            best = model
    return best


def _fit_minibatch(
    points: np.ndarray,
    clusters: int,
    seed: int,
    n_init: int,
    max_iter: int,
    batch_size: int,
    patience: int,
) -> Any:
    from sklearn.cluster import MiniBatchKMeans

    return MiniBatchKMeans(
        clusters,
        n_init=n_init,
        max_iter=max_iter,
        batch_size=batch_size,
        max_no_improvement=patience,
        random_state=seed,
    ).fit(points)
