"""Labels, and over them, shifted a little and half transparent, the clusters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from engine import Picture, stage
from tasks.figures.planes import first_planes, set_plane
from tasks.figures.scatter import draw_groups, plane_points
from tasks.figures.style import (
    ACCENT,
    CARD,
    PACKAGES,
    SMALL,
    cluster_looks,
    label_looks,
    new_sheet,
    picture,
    point_key,
)
from tasks.figures.words import (
    counted,
    distinct_names,
    listing,
    literal,
    percent,
    prose,
    shorten,
    span,
)

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SHIFT = 0.016  # of the axes' span: enough to see both layers, too little to leave the place


def extra_cluster(counts: pd.DataFrame) -> pd.Series[Any]:
    """Return the row of the cluster that the labels do not foresee.

    That is the smallest one whose class has a larger cluster as well; where every class has one
    cluster at most, the smallest of all.
    """
    filled = counts[counts["size"] > 0].sort_values(["size", "cluster"])
    again = filled[filled.duplicated("majority", keep="last")]
    return (again if len(again) else filled).iloc[0]


def plot_overlay(
    features: pd.DataFrame, labels: pd.DataFrame, assignment: pd.DataFrame, counts: pd.DataFrame,
    pairs: pd.DataFrame, about: Mapping[str, Any], seed: int = 0,
) -> Figure:  # fmt: skip
    """Return a wide panel a plane: classes below, clusters above, the extra cluster named."""
    planes = first_planes(pairs)
    clusters = assignment["cluster"].to_numpy()
    rows, points, note = plane_points(features, seed)
    classes = [str(name) for name in about["classes"]]
    below, above = label_looks(classes), cluster_looks(sorted(set(clusters.tolist())))
    figure = new_sheet(
        4.2 * len(planes), f"Classes (filled) and clusters (rims, shifted), k = {len(above)}",
        note, point_key(below, distinct_names(classes)),
        point_key(above, {number: f"cluster {number}" for number in above}, hollow=True),
    )  # fmt: skip
    extra = extra_cluster(counts)
    panels = figure.subplots(len(planes), 1, squeeze=False)[:, 0]
    for axes, (x, y) in zip(panels, planes, strict=True):
        set_plane(axes, points, x, y, about)
        across, up = points[x].to_numpy(), points[y].to_numpy()
        draw_groups(axes, across, up, labels["label"].to_numpy()[rows], below, 16, 0.5)
        left, right = axes.get_xlim()
        low, high = axes.get_ylim()
        dx, dy = SHIFT * (right - left) / 2, SHIFT * (high - low)
        draw_groups(axes, across + dx, up + dy, clusters[rows], above, 16, 0.6, hollow=True)
        inside = clusters == extra["cluster"]
        centre = features.loc[inside, [x, y]].mean()
        _name_extra(axes, float(centre[x]), float(centre[y]), extra)
    return figure


def _name_extra(axes: Axes, x: float, y: float, extra: pd.Series[Any]) -> None:
    """Name the extra cluster above its centre, with size and purity, clear of the panel's rim."""
    left, right = axes.get_xlim()
    low, high = axes.get_ylim()
    across, up = (x - left) / (right - left), (y - low) / (high - low)
    text = (
        f"cluster {extra['cluster']}: {counted(int(extra['size']), 'point')},\n"
        f"{percent(float(extra['purity']))} {literal(shorten(str(extra['majority'])))}"
    )
    axes.annotate(
        text, (across, up), xycoords="axes fraction", textcoords="axes fraction",
        xytext=(min(max(across, 0.14), 0.86), up + 0.3 if up < 0.6 else up - 0.3),
        ha="center", va="center", fontsize=SMALL + 0.5, fontweight="bold", color=ACCENT, zorder=9,
        arrowprops={"arrowstyle": "->", "color": ACCENT, "linewidth": 1.6, "shrinkB": 4},
        bbox={"boxstyle": "round,pad=0.3", "facecolor": CARD, "edgecolor": ACCENT, "alpha": 0.92},
    )  # fmt: skip


def say_overlay(counts: pd.DataFrame) -> str:
    """Return one sentence: size and purity of the extra cluster, and how well the others match."""
    extra = extra_cluster(counts)
    filled = counts[counts["size"] > 0]
    others = filled[filled["cluster"] != extra["cluster"]]
    whole = percent(float((filled["purity"] * filled["size"]).sum() / filled["size"].sum()))
    head = (
        f"Cluster {extra['cluster']} ({counted(int(extra['size']), 'point')}) lies "
        f"{percent(float(extra['purity']))} in {prose(extra['majority'])}"
    )
    if others.empty:
        return f"{head}, and there is no other cluster."
    shared = others.loc[others["majority"] == extra["majority"], "cluster"]
    again = (
        f" the main class of cluster {listing([str(c) for c in shared])} too,"
        if len(shared)
        else ""
    )
    kept = span(float(others["purity"].min()), float(others["purity"].max()))
    return (
        f"{head},{again} and the other clusters keep to one class by {kept}, "
        f"so that {whole} of all points carry their cluster's majority label."
    )


@stage(packages=PACKAGES)
def draw_overlay(
    features: pd.DataFrame, labels: pd.DataFrame, assignment: pd.DataFrame, counts: pd.DataFrame,
    pairs: pd.DataFrame, about: dict[str, Any], *, seed: int = 0,
) -> Picture:  # fmt: skip
    """Draw points coloured by class and again, shifted and transparent, by cluster.

    Arguments:
        features: float64, one column a feature, in `about["unit"]`, n rows.
        labels: column label, n rows.
        assignment: column cluster (int64), n rows.
        counts: columns cluster, one a class, size, purity, majority; names the extra cluster.
        pairs: columns x and y; a panel each.
        about: unit and classes of the data set.
        seed: of the spread of equal points and of the sample drawn from many.

    Raises:
        InputError: when there is no pair.
    """
    figure = plot_overlay(features, labels, assignment, counts, pairs, about, seed)
    return picture(figure, say_overlay(counts))
