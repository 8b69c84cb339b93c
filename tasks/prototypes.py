"""Prototypes: clusters inside each class; an image gets the class of the nearest prototype."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from engine import InputError, stage
from tasks.clustering import fit_kmeans
from tasks.estimators import PACKAGES, limited_to
from tasks.figures.words import counted, percent
from tasks.scores import confuse, rate_classes, say_weakest

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    import pandas as pd

_VALUES = 1 << 24  # distances held at a time


class Prototypes(NamedTuple):
    """centroids: float32 (p, c) · labels: prototype, label (name), size · confusion: truth,
    predicted, rows · summary: per_class, prototypes, seed, accuracy, class_accuracy, finding."""

    centroids: np.ndarray
    labels: pd.DataFrame
    confusion: pd.DataFrame
    summary: dict[str, Any]


@stage(packages=(*PACKAGES, "pandas"))
def fit_prototypes(
    space: Mapping[str, np.ndarray],
    train: Mapping[str, np.ndarray],
    test: Mapping[str, np.ndarray],
    about: dict[str, Any],
    *,
    per_class: int = 10,
    seed: int = 0,
    max_iter: int = 100,
    threads: int = 1,
) -> Prototypes:
    """KMeans inside each class of the training rows, then the nearest centroid for each test row.

    A class with fewer training rows than prototypes gives each row as one. Within a class the
    prototypes come by falling size. Hastie, Tibshirani & Friedman, Elements of Statistical
    Learning, 13.2.1.

    Arguments:
        space: train float32 (n, c), test float32 (m, c).
        train, test: y, int64, the code of each row's class.
        about: classes, the names by code.

    Raises:
        InputError: per_class < 1.
    """
    import numpy as np
    import pandas as pd

    if per_class < 1:
        raise InputError(f"per_class = {per_class}: expected at least 1")
    points, codes, names = space["train"], train["y"], about["classes"]
    centroids, owners, sizes = [], [], []
    with limited_to(threads):
        for code in range(len(names)):
            own = points[codes == code]
            if not len(own):
                continue
            found, size = _cluster_class(own, per_class, seed, max_iter)
            centroids.append(found)
            sizes.append(size)
            owners.append(np.full(len(found), code))
        everyone, owner = np.concatenate(centroids), np.concatenate(owners)
        predicted = owner[_nearest(space["test"], everyone)]
    truth = test["y"]
    accuracy = float((predicted == truth).mean())
    each = rate_classes(truth, predicted, names)
    confusion = confuse(truth, predicted, names)
    at_most = "" if len(everyone) == per_class * len(names) else "at most "
    return Prototypes(
        everyone,
        pd.DataFrame(
            {
                "prototype": np.arange(len(everyone)),
                "label": [names[code] for code in owner],
                "size": np.concatenate(sizes),
            }
        ),
        confusion,
        {
            "per_class": per_class,
            "prototypes": len(everyone),
            "seed": seed,
            "accuracy": accuracy,
            "class_accuracy": each,
            "finding": f"{counted(len(everyone), 'prototype')}, {at_most}{per_class:,} of each class, "
            f"tell{'s' * (len(everyone) == 1)} {percent(accuracy)} of the {len(truth):,} test images right; "
            f"{say_weakest(each, confusion)}.",
        },
    )


@stage(packages=("pandas",))
def collect_prototypes(fits: dict[str, dict[str, dict[str, Any]]]) -> pd.DataFrame:
    """One row a fit: per_class, prototypes, seed, accuracy (0..1), by rising number.

    Arguments:
        fits: per_class → seed → the summary of `fit_prototypes`, both as text.
    """
    import pandas as pd

    columns = ["per_class", "prototypes", "seed", "accuracy"]
    rows = [
        [fit[name] for name in columns] for by_seed in fits.values() for fit in by_seed.values()
    ]
    table = pd.DataFrame(rows, columns=columns)
    return table.sort_values(["per_class", "seed"], kind="stable", ignore_index=True)


def _cluster_class(
    points: np.ndarray, clusters: int, seed: int, max_iter: int
) -> tuple[np.ndarray, np.ndarray]:
    """Centroids float32 (p, c) and their sizes (p,), the largest first, empty ones left out."""
    import numpy as np

    if len(points) <= clusters:
        return np.asarray(points, dtype=np.float32), np.ones(len(points), dtype=np.int64)
    model = fit_kmeans(points, clusters, seed, max_iter=max_iter)
    sizes = np.bincount(model.labels_, minlength=clusters)
    order = np.argsort(-sizes, kind="stable")[: int((sizes > 0).sum())]
    return np.asarray(model.cluster_centers_, dtype=np.float32)[order], sizes[order]


def _nearest(points: np.ndarray, centroids: np.ndarray) -> np.ndarray:
    """Number of the nearest centroid of each row, (m,); a few rows at a time."""
    import numpy as np

    squares = np.einsum("pc,pc->p", centroids, centroids)
    rows = max(1, _VALUES // len(centroids))
    found = [
        (squares - 2 * (points[start : start + rows] @ centroids.T)).argmin(axis=1)
        for start in range(0, len(points), rows)
    ]
    return np.concatenate(found)
