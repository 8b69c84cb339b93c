"""Every pair of signals as a plane, points coloured by cluster."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import TYPE_CHECKING, Any

from engine import InputError, Picture, stage
from tasks.figures.scatter import draw_groups, plane_points, set_limits, write_number
from tasks.figures.style import (
    ACCENT,
    LABEL,
    MUTED,
    PACKAGES,
    SMALL,
    cluster_looks,
    dress,
    new_sheet,
    picture,
    point_key,
)
from tasks.figures.words import (
    distinct_names,
    kind,
    named_pair,
    percent,
    quantity,
)

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MATRIX_FEATURES = 8  # as a lower triangle; a ninth would leave panels of less than an inch
TOP_PAIRS = 20
SHARE = "%: points nearest to their own cluster's mean"
CANDIDATES = 16  # features whose pairs are compared where there are too many to compare all


def _own_share(points: np.ndarray, clusters: np.ndarray) -> float:
    """Return the share of points that lie nearest to the mean of their own cluster.

    Arguments:
        points: float64, shape (n, 2).
        clusters: int64, shape (n,).
    """
    import numpy as np

    numbers = np.unique(clusters)
    means = np.stack([points[clusters == number].mean(axis=0) for number in numbers])
    squares = ((points[:, None, :] - means[None, :, :]) ** 2).sum(axis=2)
    return float((numbers[squares.argmin(axis=1)] == clusters).mean())


def separation(features: pd.DataFrame, clusters: np.ndarray) -> dict[tuple[str, str], float]:
    """Return for each pair of features how well its plane keeps the clusters apart, best first.

    The measure is the share of points nearest to their own cluster's mean. Of many features only
    the `CANDIDATES` with the largest part of their variance between clusters are paired.
    """
    import numpy as np

    names = list(features.columns)
    if len(names) > CANDIDATES:
        means = features.groupby(clusters).transform("mean")
        total = features.var(ddof=0).to_numpy()
        part = np.divide(
            means.var(ddof=0).to_numpy(), total, out=np.zeros(len(names)), where=total > 0
        )
        names = [names[i] for i in sorted(np.argsort(-part, kind="stable")[:CANDIDATES])]
    shares = {
        pair: _own_share(features[list(pair)].to_numpy(dtype=float), clusters)
        for pair in combinations(names, 2)
    }
    return dict(sorted(shares.items(), key=lambda item: -item[1]))


def plot_pairs(
    features: pd.DataFrame, assignment: pd.DataFrame, about: Mapping[str, Any], seed: int = 0
) -> Figure:
    """Return a lower triangle of all planes, or the best `TOP_PAIRS` where features are many."""
    clusters = assignment["cluster"].to_numpy()
    rows, points, note = plane_points(features, seed)
    looks = cluster_looks(sorted(set(clusters.tolist())))
    key = point_key(looks, {number: f"cluster {number}" for number in looks})
    names = list(features.columns)
    shares = separation(features, clusters) if len(names) > 1 else {}
    note = " · ".join(
        part
        for part in (f"axes: {quantity(about)}" if about.get("unit") else "", SHARE, note)
        if part
    )
    if len(names) < 2:
        raise InputError(
            f"a plane needs two {kind(about, 2)}, found {len(names)}: {names}; "
            "leave this picture out for such data"
        )
    if len(names) <= MATRIX_FEATURES:
        pairs = list(combinations(names, 2))
        title = f"Every pair of {kind(about, 2)}, coloured by cluster"
        figure, panels = _matrix(names, pairs, title, note, key, about)
    else:
        pairs = list(shares)[:TOP_PAIRS]
        title = f"The {len(pairs)} pairs of {kind(about, 2)} that keep the clusters apart best"
        figure, panels = _grid(pairs, title, note, key)
    best = max(pairs, key=lambda pair: shares[pair])
    size = 5.0 if len(pairs) > 1 else 16.0
    for axes, (x, y) in zip(panels, pairs, strict=True):
        drawn_x, drawn_y = points[x].to_numpy(), points[y].to_numpy()
        draw_groups(axes, drawn_x, drawn_y, clusters[rows], looks, size, alpha=0.45)
        set_limits(axes, drawn_x, drawn_y)
        axes.locator_params(nbins=3 if len(pairs) > 1 else 7)
        label = axes.set_title(
            percent(shares[x, y], 0), loc="right", fontsize=SMALL, pad=3, color=MUTED
        )
        if (x, y) == best and len(pairs) > 1:
            label.set(color=ACCENT, fontweight="bold")
            for spine in axes.spines.values():
                spine.set(visible=True, color=ACCENT, linewidth=1.6)
        means = features[[x, y]].groupby(clusters).mean()
        for number, mean in means.iterrows():
            write_number(axes, mean[x], mean[y], number, looks[int(str(number))].colour, SMALL)
    return figure


def _matrix(
    names: Sequence[str], pairs: Sequence[tuple[str, str]], title: str, note: str, key: list[Any],
    about: Mapping[str, Any],
) -> tuple[Figure, list[Axes]]:  # fmt: skip
    """Return a lower triangle: column by the pair's first feature, row by its second."""
    count = len(names) - 1
    figure = new_sheet(max(1.38 * count, 5.0), title, note, key)
    grid = figure.add_gridspec(count, count)
    short = distinct_names(names, 14)
    of_column: dict[int, Axes] = {}
    of_row: dict[int, Axes] = {}
    panels = []
    for x, y in pairs:
        column, row = names.index(x), names.index(y) - 1
        axes = figure.add_subplot(
            grid[row, column], sharex=of_column.get(column), sharey=of_row.get(row)
        )
        of_column.setdefault(column, axes)
        of_row.setdefault(row, axes)
        dress(axes)
        axes.tick_params(labelleft=column == 0, labelbottom=row == count - 1)
        if column == 0:
            axes.set_ylabel(short[y], fontsize=LABEL, fontweight="bold")
        if row == count - 1:
            axes.set_xlabel(short[x], fontsize=LABEL, fontweight="bold")
        panels.append(axes)
    if count == 1:
        dress(panels[0], x=quantity(about, names[0]), y=quantity(about, names[1]))
    return figure, panels


def _grid(
    pairs: Sequence[tuple[str, str]], title: str, note: str, key: list[Any]
) -> tuple[Figure, list[Axes]]:
    """Return panels in reading order, each with the names of its own axes."""
    columns = min(4, len(pairs))
    rows = -(-len(pairs) // columns)
    figure = new_sheet(2.2 * rows, title, note, key)
    short = distinct_names(sorted({name for pair in pairs for name in pair}), 20)
    flat = list(figure.subplots(rows, columns, squeeze=False).flat)
    for axes, (x, y) in zip(flat, pairs, strict=False):
        dress(axes, x=short[x], y=short[y])
    for axes in flat[len(pairs) :]:
        axes.set_axis_off()
    return figure, flat[: len(pairs)]


def say_pairs(features: pd.DataFrame, assignment: pd.DataFrame, about: Mapping[str, Any]) -> str:
    """Return one sentence: the pairs that keep the clusters apart best and worst, with shares."""
    shares = list(separation(features, assignment["cluster"].to_numpy()).items())
    (best, most), (worst, least) = shares[0], shares[-1]
    head = (
        f"In the plane of {named_pair(best)} {percent(most)} of the "
        f"{len(features):,} points lie nearest to the mean of their own cluster"
    )
    if len(shares) == 1:
        return f"{head}."
    second = f", then {named_pair(shares[1][0])} with {percent(shares[1][1])}" if shares[2:] else ""
    return (
        f"{head}, the most of the {len(shares)} pairs compared{second}; "
        f"in {named_pair(worst)} only {percent(least)} do."
    )


@stage(packages=PACKAGES)
def draw_pairs(
    features: pd.DataFrame, assignment: pd.DataFrame, about: dict[str, Any], *, seed: int = 0
) -> Picture:
    """Draw the points in the planes of all pairs of features, coloured by cluster.

    Arguments:
        features: float64, one column a feature, in `about["unit"]`, n rows.
        assignment: column cluster (int64), n rows.
        about: name and unit of the data set.
        seed: of the spread of equal points and of the sample drawn from many.

    Raises:
        InputError: when there are fewer than two features.
    """
    figure = plot_pairs(features, assignment, about, seed)
    return picture(figure, say_pairs(features, assignment, about))
