"""Principal components: which directions carry the variance, and which features they are made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from engine import InputError, stage
from tasks.figures.words import listing, percent, prose

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd


class PcaFit(NamedTuple):
    """variance: component (1..), ratio, cumulative · loadings: component and one column a feature
    (unit vectors) · scores: pc1, pc2, …, one row a row · summary: components, standardised,
    total_variance, leading features of each component, finding."""

    variance: pd.DataFrame
    loadings: pd.DataFrame
    scores: pd.DataFrame
    summary: dict[str, Any]


@stage(packages=("scikit-learn", "numpy"))
def fit_pca(
    features: pd.DataFrame, *, components: int | None = None, standardise: bool = False
) -> PcaFit:
    """Principal components of the rows of `features` (float64, raw units unless standardised).

    The sign of a component is free; the largest loading is made positive, so that pictures and
    tables do not flip between machines.

    Arguments:
        components: how many; None means all that there are.
        standardise: divide each feature by its standard deviation first; a constant one stays 0.

    Raises:
        InputError: more components than rows or features, or no variance at all.
    """
    import numpy as np
    import pandas as pd
    from threadpoolctl import threadpool_limits

    points = features.to_numpy(dtype=np.float64)
    most = min(points.shape)
    count = most if components is None else components
    if not 1 <= count <= most:
        raise InputError(
            f"components = {components}: expected 1 to {most}, as the table has {points.shape[0]:,} "
            f"rows and {points.shape[1]} features"
        )
    if standardise:
        points = _standardised(points)
    if not (points != points[0]).any():
        raise InputError("all rows are equal: there is no variance for components to explain")
    with threadpool_limits(1):
        axes, spread = decompose(points, count)
        coordinates = (points - points.mean(axis=0)) @ axes.T
    total = float(points.var(axis=0, ddof=1).sum())
    ratio = spread / total
    names = [str(name) for name in features.columns]
    loadings = pd.DataFrame(axes, columns=names)
    loadings.insert(0, "component", np.arange(1, count + 1))
    leading = [
        [names[place] for place in np.argsort(-np.abs(axis), kind="stable")[:2]] for axis in axes
    ]
    return PcaFit(
        pd.DataFrame(
            {
                "component": np.arange(1, count + 1),
                "ratio": ratio,
                "cumulative": np.minimum(ratio.cumsum(), 1.0),
            }
        ),
        loadings,
        pd.DataFrame(coordinates, columns=[f"pc{number}" for number in range(1, count + 1)]),
        {
            "components": count,
            "standardised": standardise,
            "total_variance": total,
            "leading": leading,
            "finding": _say_components(axes, ratio, names),
        },
    )


def decompose(points: np.ndarray, components: int) -> tuple[np.ndarray, np.ndarray]:
    """Axes (p, d), unit vectors, and variances (p,) of the first principal components."""
    import numpy as np
    from sklearn.decomposition import PCA

    # This solver subtracts the squared mean from a sum of squares: without a mean, nothing cancels.
    model = PCA(components, svd_solver="covariance_eigh").fit(points - points.mean(axis=0))
    axes = np.asarray(model.components_)
    largest = axes[np.arange(len(axes)), np.abs(axes).argmax(axis=1)]
    # The last digits depend on how many threads a matrix library was given.
    axes = np.round(axes * np.where(largest < 0, -1.0, 1.0)[:, None], 12)
    return axes, np.asarray(model.explained_variance_)


def _standardised(points: np.ndarray) -> np.ndarray:
    import numpy as np

    deviation = points.std(axis=0)
    return np.asarray((points - points.mean(axis=0)) / np.where(deviation > 0, deviation, 1.0))


def _say_components(axes: np.ndarray, ratio: np.ndarray, names: list[str]) -> str:
    """The share of the first components, and what the first two are made of."""
    shown = min(3, len(ratio))
    head = (
        f"{shown} of {len(names)} components explain {percent(float(ratio[:shown].sum()))} of the "
        "variance"
    )
    told = [_say_axis(f"PC{number}", axis, names) for number, axis in enumerate(axes[:2], 1)]
    return "; ".join([head, *told]) + "."


def _say_axis(title: str, axis: np.ndarray, names: list[str]) -> str:
    """A component's main features: those with at least 70 % of the largest loading."""
    import numpy as np

    order = np.argsort(-np.abs(axis), kind="stable")
    main = [place for place in order if abs(axis[place]) >= 0.7 * abs(axis[order[0]])]
    told = listing([f"{prose(names[place])} ({axis[place]:+.2f})" for place in main], 4)
    return f"{title} is mainly {told}, {percent(float((axis[main] ** 2).sum()), 0)} of its square"
