"""How each feature is distributed in each class: smooth densities and their peaks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from engine import InputError, stage
from tasks.figures.words import listing, prose

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd


class Densities(NamedTuple):
    """curves: feature, label, value, density (per unit of value) · peaks: feature, label, value,
    density, rank (1 = highest) · summary: bandwidth rule, curves, several (those with more than
    one peak: feature, label, values), finding."""

    curves: pd.DataFrame
    peaks: pd.DataFrame
    summary: dict[str, Any]


@stage(packages=("numpy", "scipy"))
def estimate_densities(
    features: pd.DataFrame,
    labels: pd.DataFrame,
    *,
    bandwidth: Literal["scott", "silverman"] = "scott",
    grid: int = 256,
    prominence: float = 0.05,
) -> Densities:
    """Gaussian kernel density of each feature in each class, and the peaks of each curve.

    The kernel's width is s·n^(−1/5) (Scott 1992) or .9·min(s, IQR/1.34)·n^(−1/5) (Silverman 1986),
    but at least half the step in which the feature was recorded: whole dBm would otherwise show
    as a comb. A peak counts when it rises by `prominence` of its curve's maximum above the saddle
    that divides it from a higher one.

    Arguments:
        features: float64 (n, d); labels: column label, str (n,).
        grid: points of each curve, the same for all classes of a feature.

    Raises:
        InputError: the bandwidth rule is unknown.
    """
    import numpy as np
    import pandas as pd

    if bandwidth not in ("scott", "silverman"):
        raise InputError(f"bandwidth = {bandwidth!r}: choose scott or silverman")
    label = labels["label"].to_numpy(dtype=object)
    names = sorted(set(label))
    curves, peaks = [], []
    for feature in features.columns:
        column = features[feature].to_numpy(dtype=np.float64)
        # Nor may a kernel be narrower than the grid, which would step over it.
        least = max(_step(column) / 2, float(np.ptp(column)) / (grid - 1))
        widths = {name: max(_width(column[label == name], bandwidth), least) for name in names}
        margin = 3 * max(widths.values())
        values = np.linspace(column.min() - margin, column.max() + margin, grid)
        for name in names:
            density = _smooth(column[label == name], values, widths[name])
            curves.append((str(feature), name, values, density))
            peaks += [
                {"feature": str(feature), "label": name, **peak}
                for peak in _find_peaks(values, density, prominence)
            ]
    frame = pd.DataFrame(
        {
            "feature": np.repeat([curve[0] for curve in curves], grid),
            "label": np.repeat([curve[1] for curve in curves], grid),
            "value": np.concatenate([curve[2] for curve in curves]),
            "density": np.concatenate([curve[3] for curve in curves]),
        }
    ).astype({"feature": "str", "label": "str"})
    found = pd.DataFrame(peaks, columns=["feature", "label", "value", "density", "rank"])
    several = [
        {"feature": feature, "label": name, "values": [float(v) for v in part["value"]]}
        for (feature, name), part in found.groupby(["feature", "label"], sort=False)
        if len(part) > 1
    ]
    return Densities(
        frame,
        found,
        {
            "bandwidth": bandwidth,
            "prominence": prominence,
            "curves": len(curves),
            "several": several,
            "finding": _say_peaks(several, len(curves)),
        },
    )


def _step(column: np.ndarray) -> float:
    """The smallest distance between two values, or, for a constant, a small width to draw it with."""
    import numpy as np

    values = np.unique(column)
    if len(values) == 1:
        return max(1e-3 * abs(float(values[0])), 1e-6)
    return float(np.diff(values).min())


def _width(values: np.ndarray, rule: str) -> float:
    """Standard deviation of the kernel; 0 where the values do not vary."""
    import numpy as np

    if len(values) < 2:
        return 0.0
    spread = float(values.std(ddof=1))
    if rule == "silverman":
        low, high = np.percentile(values, [25, 75])
        spread = 0.9 * (min(spread, float(high - low) / 1.34) or spread)
    return spread * len(values) ** -0.2


def _smooth(values: np.ndarray, at: np.ndarray, width: float) -> np.ndarray:
    """Density at the points `at`: the mean of normal curves around the values."""
    import numpy as np

    # Recorded values repeat, so each distinct one is spread once, with its count.
    distinct, counts = np.unique(values, return_counts=True)
    kernel = np.exp(-0.5 * ((at[:, None] - distinct) / width) ** 2)
    return np.asarray(kernel @ counts / (len(values) * width * np.sqrt(2 * np.pi)))


def _find_peaks(values: np.ndarray, density: np.ndarray, prominence: float) -> list[dict[str, Any]]:
    """The peaks of a curve, the highest first."""
    from scipy.signal import find_peaks

    places, _ = find_peaks(density, prominence=prominence * density.max())
    order = sorted(places, key=lambda place: (-density[place], place))
    return [
        {"value": float(values[place]), "density": float(density[place]), "rank": rank}
        for rank, place in enumerate(order, 1)
    ]


def _say_peaks(several: list[dict[str, Any]], curves: int) -> str:
    """Which curves have more than one peak, those furthest apart first."""
    if not several:
        return f"Each of the {curves} densities has a single peak."
    wide = sorted(several, key=lambda curve: min(curve["values"]) - max(curve["values"]))
    told = [
        f"{prose(curve['feature'])} in {prose(curve['label'])} "
        f"({listing([f'{value:.3g}' for value in curve['values']])})"
        for curve in wide
    ]
    verb = "has" if len(several) == 1 else "have"
    return f"{len(several)} of {curves} densities {verb} more than one peak: {listing(told, 4)}."
