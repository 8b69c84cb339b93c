"""How the classes lie in a latent space: how far each spreads, and which run into which."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from engine import stage
from tasks.figures.words import listing, percent, prose

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    import pandas as pd

# A pair counts as strongly confused from this share of the most confused one on.
STRONG = 0.5
# The room of a class in a plane: the least area with so much of it, on a grid of so many cells a side,
# whose counts are smoothed by a normal distribution of so many cells.
HELD, CELLS, SMOOTHING = 0.9, 128, 2.0


class Spread(NamedTuple):
    """shapes: mean (k, d), covariance (k, d, d) of each class, float64, NaN of an empty one ·
    classes: class, rows, distance, area (NaN where z is no plane), rank (1 the widest) · pairs: first,
    second, rows, share, strong, the most confused first · summary: measure ("area" or "distance", by
    which they are ranked), widest (names), groups (lists of names), finding."""

    shapes: dict[str, np.ndarray]
    classes: pd.DataFrame
    pairs: pd.DataFrame
    summary: dict[str, Any]


@stage(packages=("numpy", "pandas", "scipy"))
def measure_spread(
    points: np.ndarray,
    train: Mapping[str, np.ndarray],
    confusion: pd.DataFrame,
    about: dict[str, Any],
) -> Spread:
    """The spread of each class, and the groups of classes that are taken for each other.

    In a plane a class spreads by the room that it takes: the area of its densest region that holds
    nine tenths of it (Hyndman 1996). Other scales of the axes do not change that order, and a class
    that lies along a bent line takes little, however far it reaches. In more dimensions there is no
    counting of cells; there the mean squared distance from the class's mean is taken, the trace of its
    covariance.

    Two classes are confused by the share of their unseen images that are taken for the other one; a
    group is what hangs together by pairs with at least half the share of the worst pair.

    Arguments:
        points: z of the training images, float32 (n, d).
        train: y, int64 (n,).
        confusion: truth, predicted, rows, of unseen images.
        about: classes, the names by code.
    """
    import numpy as np
    import pandas as pd

    names = [str(name) for name in about["classes"]]
    codes = np.asarray(train["y"])
    size = points.shape[1]
    mean, covariance = (
        np.full((len(names), size), np.nan),
        np.full((len(names), size, size), np.nan),
    )
    for code in range(len(names)):
        own = points[codes == code].astype(np.float64)
        if len(own):
            mean[code] = own.mean(axis=0)
            apart = own - mean[code]
            covariance[code] = apart.T @ apart / len(own)
    distance = np.nan_to_num(np.trace(covariance, axis1=1, axis2=2))
    area = measure_areas(points, codes, len(names)) if size == 2 else np.full(len(names), np.nan)
    measure, spread = ("area", area) if size == 2 else ("distance", distance)
    rows = np.bincount(codes, minlength=len(names))
    order = np.argsort(np.where(rows > 0, -spread, 1), kind="stable")
    rank = np.empty(len(names), dtype=np.int64)
    rank[order] = np.arange(1, len(names) + 1)
    widest = [names[code] for code in order if rows[code]]
    pairs = rank_pairs(confusion, names)
    groups = join_pairs(pairs, names)
    return Spread(
        {"mean": mean, "covariance": covariance},
        pd.DataFrame(
            {"class": names, "rows": rows, "distance": distance, "area": area, "rank": rank}
        ),
        pairs,
        {
            "measure": measure,
            "widest": widest,
            "groups": groups,
            "finding": _say(measure, widest, spread[order], pairs, groups),
        },
    )


def measure_areas(points: np.ndarray, codes: np.ndarray, classes: int) -> np.ndarray:
    """The area of the densest region that holds nine tenths of each class, float64 (k,), 0 of an empty one.

    Arguments:
        points: (n, 2); what lies beyond the outermost thousandths of an axis is left out.
        codes: int64 (n,).
    """
    import numpy as np
    from scipy import ndimage

    low, high = np.quantile(points.astype(np.float64), [0.001, 0.999], axis=0)
    low, high = low - 0.05 * (high - low), high + 0.05 * (high - low)
    cell = float(np.prod((high - low) / CELLS))
    area = np.zeros(classes)
    if not cell > 0:  # a model that has collapsed puts all images in one place
        return area
    for code in np.unique(codes):
        x, y = points[codes == code].astype(np.float64).T
        counts, _, _ = np.histogram2d(x, y, CELLS, [(low[0], high[0]), (low[1], high[1])])
        dense = np.sort(ndimage.gaussian_filter(counts, SMOOTHING, mode="constant").ravel())[::-1]
        area[code] = cell * (1 + np.searchsorted(np.cumsum(dense), HELD * dense.sum()))
    return area


def rank_pairs(confusion: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """All pairs of classes: first, second (in the order of the names), rows taken for the other of
    the two, share of all rows of both, strong; the largest share first."""
    import pandas as pd

    counts = confusion.set_index(["truth", "predicted"])["rows"]
    total = confusion.groupby("truth")["rows"].sum()
    found = []
    for place, first in enumerate(names):
        for second in names[place + 1 :]:
            rows = int(counts.get((first, second), 0) + counts.get((second, first), 0))
            both = int(total.get(first, 0) + total.get(second, 0))
            found.append((first, second, rows, rows / both if both else 0.0))
    table = pd.DataFrame(found, columns=["first", "second", "rows", "share"])
    table = table.sort_values("share", ascending=False, kind="stable", ignore_index=True)
    worst = float(table["share"].max()) if len(table) else 0.0
    table["strong"] = (table["share"] >= STRONG * worst) & (table["share"] > 0)
    return table


def join_pairs(pairs: pd.DataFrame, names: Sequence[str]) -> list[list[str]]:
    """Groups of classes that hang together by strong pairs, the largest confusion's group first."""
    groups: list[set[str]] = []
    for first, second in pairs.loc[pairs["strong"], ["first", "second"]].itertuples(index=False):
        touching = [group for group in groups if {first, second} & group]
        place = groups.index(touching[0]) if touching else len(groups)
        # Those before the first that is touched stay where they are.
        groups = [group for group in groups if group not in touching]
        groups.insert(place, {first, second}.union(*touching))
    return [[name for name in names if name in group] for group in groups]


def _say(
    measure: str,
    widest: Sequence[str],
    spread: np.ndarray,
    pairs: pd.DataFrame,
    groups: Sequence[Sequence[str]],
) -> str:
    first, second = (f"{value:.3g}" for value in (*spread, 0.0)[:2])
    if measure == "area":
        text = f"{prose(widest[0])} takes the most room in the plane ({first} square units)"
    else:
        text = f"{prose(widest[0])} spreads widest ({first} mean squared distance from its mean)"
    if len(widest) > 2:
        text += f", then {prose(widest[1])} ({second})"
    if not groups:
        return f"{text}; no class is taken for another."
    worst = pairs.iloc[0]
    told = listing(["{" + ", ".join(prose(name) for name in group) + "}" for group in groups], 4)
    return (
        f"{text}; {prose(worst['first'])} and {prose(worst['second'])} are confused most "
        f"({percent(float(worst['share']))} of both), and the strongest confusions join {told}."
    )
