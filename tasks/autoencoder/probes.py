"""What the latent space knows of the classes, which the training never saw: probes of z."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from engine import InputError, stage
from tasks.estimators import limited_to
from tasks.figures.words import counted, percent
from tasks.scores import confuse, rate_classes, say_weakest

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    import pandas as pd

ACTIVE = 0.01  # variance above which a unit counts, of Burda, Grosse & Salakhutdinov 2016


class Probe(NamedTuple):
    """summary: see `probe_latents` · confusion: truth, predicted, rows, every pair of classes, of the
    neighbours' vote · predicted: its codes, int64 (m,) · units: unit, mean, variance, active."""

    summary: dict[str, Any]
    confusion: pd.DataFrame
    predicted: np.ndarray
    units: pd.DataFrame


@stage(packages=("numpy", "scikit-learn", "pandas"))
def probe_latents(
    points: np.ndarray,
    unseen: np.ndarray,
    train: Mapping[str, np.ndarray],
    test: Mapping[str, np.ndarray],
    about: dict[str, Any],
    *,
    neighbours: int = 10,
    rows: int = 20_000,
    seed: int = 0,
) -> Probe:
    """Tell the class of unseen images from their place in the latent space, in two simple ways.

    The vote of the nearest training points asks whether classes lie apart, a linear classifier
    (logistic regression, axes scaled to deviation 1) whether planes part them.

    Arguments:
        points, unseen: z of the training and the test images, float32 (n, d), (m, d).
        train, test: y, int64 (n,), (m,).
        about: classes, the names by code.
        neighbours: that vote, all where there are fewer; the lower code wins a tie.
        rows: training points of the linear classifier, drawn at random from more.

    Returns:
        summary: knn, linear (accuracies, 0..1), neighbours, dimensions, active (units whose mean
        varies over the training images by more than .01: Burda et al. 2016), per_class (of the
        vote, by name), finding.

    Raises:
        InputError: the points are not finite, or there is one class only.
    """
    import numpy as np
    import pandas as pd

    codes, truth, names = np.asarray(train["y"]), np.asarray(test["y"]), about["classes"]
    if not (np.isfinite(points).all() and np.isfinite(unseen).all()):
        raise InputError("the latent points are not all finite: the training has diverged")
    if len(np.unique(codes)) < 2:
        raise InputError("all training images are of one class: there is nothing to tell apart")
    variance = points.var(axis=0, dtype=np.float64)
    active = variance > ACTIVE
    count = min(neighbours, len(points))
    near = _vote(points, unseen, codes, count)
    linear = _predict_linear(points, unseen, codes, rows, seed)
    per_class = rate_classes(truth, near, names)
    knn, straight = (float((told == truth).mean()) for told in (near, linear))
    return Probe(
        {
            "knn": knn,
            "linear": straight,
            "neighbours": count,
            "dimensions": points.shape[1],
            "active": int(active.sum()),
            "per_class": per_class,
            "finding": f"The nearest {f'{count:,} training points tell' if count > 1 else 'training point tells'} "
            f"{percent(knn)} of the unseen images right, planes {percent(straight)}; {say_weakest(per_class, None)}. "
            f"{counted(int(active.sum()), 'unit')} of {points.shape[1]} "
            f"{'is' if active.sum() == 1 else 'are'} active.",
        },
        confuse(truth, near, names),
        near.astype(np.int64),
        pd.DataFrame(
            {
                "unit": np.arange(1, points.shape[1] + 1),
                "mean": points.mean(axis=0, dtype=np.float64),
                "variance": variance,
                "active": active,
            }
        ),
    )


def _vote(points: np.ndarray, unseen: np.ndarray, codes: np.ndarray, count: int) -> np.ndarray:
    from sklearn.neighbors import KNeighborsClassifier

    with limited_to(1):
        model = KNeighborsClassifier(count).fit(points, codes)
        return model.predict(unseen)


def _predict_linear(
    points: np.ndarray, unseen: np.ndarray, codes: np.ndarray, rows: int, seed: int
) -> np.ndarray:
    import numpy as np
    from sklearn.linear_model import LogisticRegression

    if rows < len(points):
        chosen = np.sort(np.random.default_rng(seed).choice(len(points), rows, replace=False))
        points, codes = points[chosen], codes[chosen]
    if len(np.unique(codes)) < 2:
        return np.full(len(unseen), codes[0])
    centre, scale = points.mean(axis=0), points.std(axis=0)
    # A unit that says nothing stays nothing.
    scale = np.where(scale > 0, scale, 1)
    with limited_to(1):
        model = LogisticRegression(max_iter=1000, tol=1e-3).fit((points - centre) / scale, codes)
        return model.predict((unseen - centre) / scale)
