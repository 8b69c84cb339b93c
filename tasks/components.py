"""Principal components of many rows: learned from the training rows, applied to the rest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from engine import InputError, stage
from tasks.estimators import limited_to
from tasks.figures.words import percent
from tasks.scaling import take_blocks

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy as np
    import pandas as pd

# The covariance of more takes gigabytes; of the components more than these are never of use.
MOST_DIMENSIONS, MOST_COMPONENTS = 8192, 1024


class Components(NamedTuple):
    """basis: mean (d,), components (p, d), unit vectors, ratio (p,), float32 · curve: component
    (1..), ratio, cumulative · summary: dimensions, rows, needed (share → components), finding."""

    basis: dict[str, np.ndarray]
    curve: pd.DataFrame
    summary: dict[str, Any]


class Projection(NamedTuple):
    """train, test: float32 (n, c) · summary: components, explained (0..1), asked, finding."""

    train: np.ndarray
    test: np.ndarray
    summary: dict[str, Any]


@stage(packages=("numpy", "scipy", "pandas"))
def fit_components(
    points: np.ndarray | Mapping[str, np.ndarray],
    learned: Mapping[str, np.ndarray] | None = None,
) -> Components:
    """Principal components from the covariance matrix and its eigenvectors.

    Two passes over the rows, summed in float64; no copy of them is made. The sign of a component is
    free; its largest loading is made positive, so that pictures do not flip between machines.

    Arguments:
        points: the training rows, float32 (n, d); or images, x, uint8 (n, h, w), to be scaled.
        learned: how: what `fit_scaling` returned.

    Raises:
        InputError: fewer than two rows, no variance at all, or d > 8,192.
    """
    import numpy as np
    import pandas as pd
    from scipy.linalg import eigh

    rows, size = _shape(points)
    if size > MOST_DIMENSIONS:
        raise InputError(
            f"rows of {size:,} values: their covariance would take {8 * size**2 / 2**30:.0f} GB; "
            f"make the images smaller, at most {MOST_DIMENSIONS:,} pixels"
        )
    if rows < 2:
        raise InputError(f"components need at least 2 training rows; there is {rows}")
    keep = min(size, MOST_COMPONENTS)
    with limited_to(1):
        mean = np.zeros(size)
        for block in take_blocks(points, learned):
            mean += block.sum(axis=0, dtype=np.float64)
        mean /= rows
        covariance = _covariance(take_blocks(points, learned), mean)
        total = float(np.trace(covariance))
        if not total > 0:
            raise InputError("all rows are equal: there is no variance for components to explain")
        spread, axes = eigh(covariance, subset_by_index=(size - keep, size - 1))
    components = axes.T[::-1]
    largest = components[np.arange(keep), np.abs(components).argmax(axis=1)]
    components = components * np.where(largest < 0, -1.0, 1.0)[:, None]
    ratio = np.maximum(spread[::-1], 0) / total
    cumulative = np.minimum(ratio.cumsum(), 1.0)
    curve = pd.DataFrame(
        {"component": np.arange(1, keep + 1), "ratio": ratio, "cumulative": cumulative}
    )
    needed = {
        f"{share:g}": int(np.searchsorted(cumulative, share)) + 1
        for share in (0.5, 0.8, 0.9, 0.95, 0.99)
        if cumulative[-1] >= share
    }
    told = ", ".join(f"{percent(float(share), 0)} in {count:,}" for share, count in needed.items())
    return Components(
        {
            "mean": mean.astype(np.float32),
            "components": components.astype(np.float32),
            "ratio": ratio.astype(np.float32),
        },
        curve,
        {
            "dimensions": size,
            "rows": rows,
            "needed": needed,
            "finding": f"Of the variance in {size:,} dimensions the first components hold: {told}."
            if told
            else f"{keep:,} components explain {percent(float(cumulative[-1]))} of the variance.",
        },
    )


@stage(packages=("numpy",))
def project(
    train: np.ndarray | Mapping[str, np.ndarray],
    test: np.ndarray | Mapping[str, np.ndarray],
    basis: Mapping[str, np.ndarray],
    learned: Mapping[str, np.ndarray] | None = None,
    *,
    components: int | float = 40,
) -> Projection:
    """Coordinates of rows in the first principal components.

    Arguments:
        train, test, learned: rows or images as `fit_components` takes them.
        components: how many, or, below 1, the share of the variance that they must explain.

    Raises:
        InputError: there are not as many components, or they do not explain so much.
    """
    import numpy as np

    count = _count(components, basis["ratio"])
    axes = np.ascontiguousarray(basis["components"][:count].T)
    centre = basis["mean"] @ axes
    with limited_to(1):
        projected = [
            np.concatenate([block @ axes - centre for block in take_blocks(part, learned)])
            for part in (train, test)
        ]
    explained = float(basis["ratio"][:count].sum(dtype=np.float64))
    return Projection(
        projected[0],
        projected[1],
        {
            "asked": components,
            "components": count,
            "explained": explained,
            "finding": f"{count:,} of {len(basis['mean']):,} components explain {percent(explained)} "
            "of the variance.",
        },
    )


def back_project(points: np.ndarray, basis: Mapping[str, np.ndarray]) -> np.ndarray:
    """Rows of d values from coordinates (k, c) in the first c components, float32 (k, d)."""
    import numpy as np

    axes = basis["components"][: points.shape[1]]
    return np.asarray(points @ axes + basis["mean"], dtype=np.float32)


def _count(components: int | float, ratio: np.ndarray) -> int:
    import numpy as np

    if components >= 1:
        if components != int(components) or components > len(ratio):
            raise InputError(
                f"components = {components}: expected a whole number from 1 to {len(ratio)}, or a "
                "share of the variance below 1"
            )
        return int(components)
    cumulative = ratio.cumsum(dtype=np.float64)
    # The ratios are float32: of all components they need not add up to 1 in the last digits.
    if not 0 < components <= cumulative[-1] + 1e-6:
        raise InputError(
            f"components = {components}: expected more than 0; the {len(ratio)} components that "
            f"are kept explain {cumulative[-1]:.3f} of the variance"
        )
    return min(int(np.searchsorted(cumulative, components)) + 1, len(ratio))


def _shape(points: np.ndarray | Mapping[str, np.ndarray]) -> tuple[int, int]:
    """Rows and values of each."""
    array = points["x"] if isinstance(points, Mapping) else points
    return len(array), array[0].size


def _covariance(blocks: Iterable[np.ndarray], mean: np.ndarray) -> np.ndarray:
    """Covariance matrix, float64 (d, d): blocks multiplied in float32, their sum in float64.

    Rows are centred first: a difference of large sums would lose the small components.
    """
    import numpy as np

    size, rows = len(mean), 0
    centre = mean.astype(np.float32)
    total = np.zeros((size, size))
    for block in blocks:
        block = block - centre
        total += block.T @ block
        rows += len(block)
    total /= rows - 1
    return total
