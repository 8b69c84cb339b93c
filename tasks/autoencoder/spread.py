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
# Cells along each side of the plane's middle, and the share of the points below and above it.
CELLS, OUTSIDE = 80, 0.001


class Spread(NamedTuple):
    """shapes: mean (k, d), covariance (k, d, d) of each class, float64, NaN of an empty one ·
    classes: class, rows, deviation, rank (by deviation, 1 the widest), territory (0..1, None but in a
    plane) · pairs: first, second, rows, share, strong, the most confused first · summary: widest
    (names), groups (lists of names), finding."""

    shapes: dict[str, np.ndarray]
    classes: pd.DataFrame
    pairs: pd.DataFrame
    summary: dict[str, Any]


@stage(packages=("numpy", "pandas"))
def measure_spread(
    points: np.ndarray,
    train: Mapping[str, np.ndarray],
    confusion: pd.DataFrame,
    about: dict[str, Any],
) -> Spread:
    """The spread of each class, and the groups of classes that are taken for each other.

    A class spreads by its deviation, the root of the mean squared distance from its mean, which is the
    root of the trace of its covariance. Its territory is what an eye sees of it in a scatter of the
    plane: the share of the inhabited cells in which it is the class with the largest part of its points.

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
    shape = (len(names), size)
    mean, covariance = np.full(shape, np.nan), np.full((*shape, size), np.nan)
    for code in range(len(names)):
        own = points[codes == code].astype(np.float64)
        if len(own):
            mean[code] = own.mean(axis=0)
            apart = own - mean[code]
            covariance[code] = apart.T @ apart / len(own)
    deviation = np.sqrt(np.nan_to_num(np.trace(covariance, axis1=1, axis2=2)))
    rows = np.bincount(codes, minlength=len(names))
    order = np.argsort(np.where(rows > 0, -deviation, 1), kind="stable")
    rank = np.empty(len(names), dtype=np.int64)
    rank[order] = np.arange(1, len(names) + 1)
    widest = [names[code] for code in order if rows[code]]
    pairs = rank_pairs(confusion, names)
    groups = join_pairs(pairs, names)
    return Spread(
        {"mean": mean, "covariance": covariance},
        pd.DataFrame(
            {
                "class": names,
                "rows": rows,
                "deviation": deviation,
                "rank": rank,
                "territory": measure_territories(points, codes, rows) if size == 2 else np.nan,
            }
        ),
        pairs,
        {
            "widest": widest,
            "groups": groups,
            "finding": _say(widest, deviation[order], pairs, groups),
        },
    )


def measure_territories(points: np.ndarray, codes: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """The share of the plane that each class holds, float64 (k,).

    The middle of the plane, without the outermost thousandth of the points at each side of either axis,
    is cut into 80 × 80 cells. One with points is held by the class with the largest part of its own
    rows in it; the first of equal ones.

    Arguments:
        points: float (n, 2).
        codes: the class of each point, 0 to k - 1.
        rows: points of each class, (k,).
    """
    import numpy as np

    plane = np.asarray(points, dtype=np.float64)
    middle = list(zip(*np.quantile(plane, [OUTSIDE, 1 - OUTSIDE], axis=0), strict=True))
    parts = np.zeros((len(rows), CELLS, CELLS))
    for code, count in enumerate(rows):
        across, up = plane[codes == code].T
        cells, _, _ = np.histogram2d(across, up, bins=CELLS, range=middle)
        parts[code] = cells / max(count, 1)
    inhabited = parts.any(axis=0)
    held = np.bincount(parts.argmax(axis=0)[inhabited], minlength=len(rows))
    return held / max(int(inhabited.sum()), 1)


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
    widest: Sequence[str],
    deviation: np.ndarray,
    pairs: pd.DataFrame,
    groups: Sequence[Sequence[str]],
) -> str:
    text = f"{prose(widest[0])} spreads widest (deviation {deviation[0]:.3g} from its mean)"
    if len(widest) > 2:
        text += f", then {prose(widest[1])} ({deviation[1]:.3g})"
    if not groups:
        return f"{text}; no class is taken for another."
    worst = pairs.iloc[0]
    told = listing(["{" + ", ".join(prose(name) for name in group) + "}" for group in groups], 4)
    return (
        f"{text}; {prose(worst['first'])} and {prose(worst['second'])} are confused most "
        f"({percent(float(worst['share']))} of both), and the strongest confusions join {told}."
    )
