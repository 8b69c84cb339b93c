"""The planes that show the clusters best: enlarged, with centroids, and labels under clusters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from engine import InputError, Picture, stage
from tasks.figures.scatter import (
    draw_groups,
    mark_centroid,
    plane_points,
    set_limits,
    write_number,
)
from tasks.figures.style import (
    PACKAGES,
    cluster_looks,
    dress,
    label_looks,
    new_sheet,
    picture,
    point_key,
)
from tasks.figures.words import (
    counted,
    distinct_names,
    kind,
    listing,
    named_pair,
    percent,
    prose,
    quantity,
)

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_PLANES = 4


def first_planes(pairs: pd.DataFrame) -> list[tuple[str, str]]:
    """Return the first `MOST_PLANES` pairs of names; InputError where there is none."""
    if pairs.empty:
        raise InputError("there is no pair of features to draw; pick at least one pair")
    return [(str(x), str(y)) for x, y in zip(pairs["x"], pairs["y"], strict=True)][:MOST_PLANES]


def plot_best_pairs(
    features: pd.DataFrame, assignment: pd.DataFrame, pairs: pd.DataFrame,
    about: Mapping[str, Any], seed: int = 0,
) -> Figure:  # fmt: skip
    """Return the given planes side by side, enlarged, points coloured by cluster."""
    planes = first_planes(pairs)
    clusters = assignment["cluster"].to_numpy()
    rows, points, note = plane_points(features, seed)
    looks = cluster_looks(sorted(set(clusters.tolist())))
    columns = min(2, len(planes))
    figure = new_sheet(
        4.3 * -(-len(planes) // columns), f"The clusters seen in two {kind(about, 2)} alone", note,
        point_key(looks, {number: f"cluster {number}" for number in looks}),
    )  # fmt: skip
    flat = list(figure.subplots(-(-len(planes) // columns), columns, squeeze=False).flat)
    for axes, (x, y) in zip(flat, planes, strict=False):
        set_plane(axes, points, x, y, about)
        draw_groups(
            axes, points[x].to_numpy(), points[y].to_numpy(), clusters[rows], looks, 14, 0.5
        )
        for number, mean in features[[x, y]].groupby(clusters).mean().iterrows():
            write_number(axes, mean[x], mean[y], number, looks[int(str(number))].colour, 10)
    for axes in flat[len(planes) :]:
        axes.set_axis_off()
    return figure


def set_plane(
    axes: Axes, points: pd.DataFrame, x: str, y: str, about: Mapping[str, Any], title: str = ""
) -> None:
    """Give axes the names, units and limits of the plane of two features."""
    dress(axes, title, quantity(about, x), quantity(about, y))
    set_limits(axes, points[x].to_numpy(), points[y].to_numpy())
    axes.locator_params(nbins=7)


def say_best_pairs(assignment: pd.DataFrame, pairs: pd.DataFrame) -> str:
    """Return one sentence: how far apart the clusters lie in each plane drawn."""
    drawn = len(first_planes(pairs))
    told = [
        f"{row.silhouette:.3f} in {named_pair((str(row.x), str(row.y)))}"
        for row in pairs.head(drawn).itertuples()
    ]
    count = assignment["cluster"].nunique()
    return f"Seen in two features alone the {count} clusters have a mean silhouette of {listing(told)}."


@stage(packages=PACKAGES)
def draw_best_pairs(
    features: pd.DataFrame, assignment: pd.DataFrame, pairs: pd.DataFrame, about: dict[str, Any],
    *, seed: int = 0,
) -> Picture:  # fmt: skip
    """Draw the planes of the first pairs, enlarged, coloured by cluster.

    Arguments:
        features: float64, one column a feature, in `about["unit"]`, n rows.
        assignment: column cluster (int64), n rows.
        pairs: columns x, y (names of features) and silhouette of the clusters in that plane.
        about: name and unit of the data set.
        seed: of the spread of equal points and of the sample drawn from many.

    Raises:
        InputError: when there is no pair.
    """
    figure = plot_best_pairs(features, assignment, pairs, about, seed)
    return picture(figure, say_best_pairs(assignment, pairs))


def plot_centroids(
    features: pd.DataFrame, labels: pd.DataFrame, centroids: Mapping[int, pd.DataFrame],
    pairs: pd.DataFrame, about: Mapping[str, Any], seed: int = 0,
) -> Figure:  # fmt: skip
    """Return a row a plane and a column a k: points coloured by class, numbered centroids on top."""
    planes = first_planes(pairs)
    rows, points, note = plane_points(features, seed)
    classes = [str(name) for name in about["classes"]]
    looks, names = label_looks(classes), distinct_names(classes)
    groups = labels["label"].to_numpy()[rows]
    counts = " and ".join(str(k) for k in centroids)
    figure = new_sheet(
        3.7 * len(planes), f"Classes and the centroids of {counts} clusters",
        " · ".join(part for part in ("× centroid, with its cluster's number", note) if part),
        point_key(looks, names),
    )  # fmt: skip
    grid = figure.subplots(len(planes), len(centroids), squeeze=False, sharex="row", sharey="row")
    for row, (x, y) in enumerate(planes):
        for column, (k, table) in enumerate(centroids.items()):
            axes = grid[row][column]
            set_plane(axes, points, x, y, about, "" if row else f"k = {k}")
            if column:
                axes.set_ylabel("")
            draw_groups(axes, points[x].to_numpy(), points[y].to_numpy(), groups, looks, 10, 0.45)
            for number, cx, cy in zip(table["cluster"], table[x], table[y], strict=True):
                mark_centroid(axes, float(cx), float(cy), int(number))
    return figure


def _nearest(features: pd.DataFrame, centroids: pd.DataFrame) -> np.ndarray:
    """Return each row's nearest centroid as a position in the table, int64 of shape (n,)."""
    import numpy as np

    points = features.to_numpy(dtype=float)
    best = np.full(len(points), np.inf)
    nearest = np.zeros(len(points), dtype=np.int64)
    for position, centre in enumerate(centroids[list(features.columns)].to_numpy(dtype=float)):
        squares = ((points - centre) ** 2).sum(axis=1)
        closer = squares < best
        best[closer], nearest[closer] = squares[closer], position
    return nearest


def _holders(held: pd.Series[int]) -> str:
    """Return which classes hold several centroids and which none, as a clause."""
    if (held == 1).all():
        return "each class holds one"
    clauses = [f"{prose(name)} holds {n}" for name, n in held.items() if n > 1]
    none = [prose(name) for name, n in held.items() if n == 0]
    return listing(
        [
            *clauses,
            *([f"{listing(none)} {'holds' if len(none) == 1 else 'hold'} none"] if none else []),
        ]
    )


def say_centroids(
    features: pd.DataFrame, labels: pd.DataFrame, centroids: Mapping[int, pd.DataFrame]
) -> str:
    """Return one sentence: for each k which classes hold several centroids, or none."""
    told = []
    for k, table in centroids.items():
        nearest = _nearest(features, table)
        owners = labels["label"].groupby(nearest).agg(lambda names: names.mode().iloc[0])
        held = owners.value_counts().reindex(sorted(labels["label"].unique()), fill_value=0)
        matched = float((owners.loc[nearest].to_numpy() == labels["label"].to_numpy()).mean())
        told.append(
            f"with {counted(k, 'centroid')} {_holders(held)}, and {percent(matched)} of the points "
            "lie nearest to a centroid of their own class"
        )
    text = "; ".join(told)
    return f"{text[0].upper()}{text[1:]}."


@stage(packages=PACKAGES)
def draw_centroids(
    features: pd.DataFrame, labels: pd.DataFrame, centroids4: pd.DataFrame,
    centroids5: pd.DataFrame, pairs: pd.DataFrame, about: dict[str, Any], *, seed: int = 0,
) -> Picture:  # fmt: skip
    """Draw points coloured by class with the centroids of two clusterings on top.

    Arguments:
        features: float64, one column a feature, in `about["unit"]`, n rows.
        labels: column label, n rows.
        centroids4, centroids5: column cluster and one a feature; a row a centroid.
        pairs: columns x and y; a row of panels each.
        about: unit and classes of the data set.
        seed: of the spread of equal points and of the sample drawn from many.

    Raises:
        InputError: when there is no pair.
    """
    centroids = {len(centroids4): centroids4, len(centroids5): centroids5}
    figure = plot_centroids(features, labels, centroids, pairs, about, seed)
    return picture(figure, say_centroids(features, labels, centroids))
