"""What is in each cluster: the ordered silhouettes, and the table of clusters against labels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from engine import Picture, stage
from tasks.figures.style import (
    ACCENT,
    CARD,
    GRID,
    INK,
    LABEL,
    MUTED,
    PACKAGES,
    SMALL,
    cluster_looks,
    dress,
    new_sheet,
    picture,
)
from tasks.figures.words import counted, distinct_names, listing, percent, prose

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


PURITY = "#0072B2"


def plot_silhouettes(profiles: Mapping[str, pd.DataFrame]) -> Figure:
    """Return one panel for each k: ordered silhouettes, a block a cluster, and their mean."""
    keys = sorted(profiles, key=int)
    columns = min(2, len(keys))
    rows = -(-len(keys) // columns)
    figure = new_sheet(
        3.1 * rows, "Silhouette of every point, ordered within its cluster",
        "left of each block: the cluster's number; right: its size; dashed: the mean of all points",
    )  # fmt: skip
    panels = list(figure.subplots(rows, columns, squeeze=False).flat)
    lowest = min(float(profile["silhouette"].min()) for profile in profiles.values())
    for index, (axes, key) in enumerate(zip(panels, keys, strict=False)):
        mean = float(profiles[key]["silhouette"].mean())
        low_row = index + columns >= len(keys)
        dress(axes, f"k = {key}: mean {mean:.3f}", "silhouette" if low_row else "", grid="x")
        axes.set_xlim(min(-0.12, lowest - 0.07), 1.0)
        _draw_profile(axes, profiles[key])
    for axes in panels[len(keys) :]:
        axes.set_axis_off()
    return figure


def _draw_profile(axes: Axes, profile: pd.DataFrame) -> None:
    """Draw the clusters from top to bottom, each from its best point to its worst."""
    import numpy as np

    gap = max(1, round(0.02 * len(profile)))
    start = 0
    middles, texts = [], []
    for cluster, look in sorted(cluster_looks(profile["cluster"].unique()).items()):
        values = profile.loc[profile["cluster"] == cluster, "silhouette"].to_numpy()
        # A step for each row, not a line through them: a cluster of one point is a bar as well.
        steps = np.repeat(np.sort(values)[::-1], 2)
        heights = np.repeat(np.arange(start, start + len(values) + 1), 2)[1:-1]
        axes.fill_betweenx(heights, 0, steps, color=look.colour, lw=0.4)
        middles.append(start + len(values) / 2)
        texts.append((str(cluster), f"{len(values):,}"))
        start += len(values) + gap
    axes.axvline(float(profile["silhouette"].mean()), color=ACCENT, lw=1.6, linestyle=(0, (4, 2)))
    axes.axvline(0, color=INK, lw=0.8)
    axes.set_ylim(start, -gap)
    low, high = axes.get_xlim()
    for height, (number, size) in zip(_apart(middles, 0.055 * start), texts, strict=True):
        axes.text(
            low + 0.012 * (high - low), height, number, va="center", fontsize=SMALL,
            color=INK, fontweight="bold",
        )  # fmt: skip
        axes.text(high, height, size, ha="right", va="center", fontsize=SMALL, color=MUTED)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)


def _apart(heights: list[float], least: float) -> list[float]:
    """Return ascending heights moved so that neighbours are `least` apart, around their places."""
    moved = list(heights)
    for index in range(1, len(moved)):
        moved[index] = max(moved[index], moved[index - 1] + least)
    # What was pushed below the last block moves up again.
    if moved:
        moved[-1] = max(heights[-1], min(moved[-1], heights[-1] + least / 2))
    for index in range(len(moved) - 2, -1, -1):
        moved[index] = min(moved[index], moved[index + 1] - least)
    return moved


def say_silhouettes(profiles: Mapping[str, pd.DataFrame]) -> str:
    """Return one sentence: the mean for each k, and at the best k the weakest cluster."""
    means = {int(key): float(p["silhouette"].mean()) for key, p in profiles.items()}
    best = max(sorted(means), key=lambda k: means[k])
    profile = profiles[str(best)]
    each = profile.groupby("cluster")["silhouette"].mean()
    below = float((profile["silhouette"] < 0).mean())
    told = listing([f"{means[k]:.3f} for k = {k}" for k in sorted(means)])
    return (
        f"The mean silhouette is {told}; at k = {best} the weakest cluster is {each.idxmin()} "
        f"with {each.min():.3f}, and {percent(below)} of the points lie below zero, "
        "nearer to another cluster than to their own."
    )


@stage(packages=PACKAGES)
def draw_silhouettes(profiles: dict[str, pd.DataFrame]) -> Picture:
    """Draw the ordered silhouettes for several k, one panel each.

    Arguments:
        profiles: for each k (the key, as text) a frame with the columns cluster, order and
            silhouette (-1 to 1).
    """
    return picture(plot_silhouettes(profiles), say_silhouettes(profiles))


def _classes_of(counts: pd.DataFrame) -> list[str]:
    return [c for c in counts.columns if c not in ("cluster", "size", "purity", "majority")]


def plot_crosstab(counts: pd.DataFrame, about: Mapping[str, Any]) -> Figure:
    """Return a heat map of clusters against classes: counts written, shade by share of cluster."""
    import numpy as np

    classes = [str(name) for name in about["classes"]]
    names = distinct_names(classes, 16)
    table = counts[classes].to_numpy()
    sizes = counts["size"].to_numpy()
    share = table / np.maximum(sizes, 1)[:, None]
    slanted = len(classes) > 6
    figure = new_sheet(
        1.0 + 0.42 * len(counts) + (0.9 if slanted else 0),
        "Points of each cluster by class",
        "shade: share of the cluster's points",
    )
    axes, side = figure.subplots(1, 2, width_ratios=(4, 1.1))
    axes.imshow(share, cmap="Blues", vmin=0, vmax=1.15, aspect="auto")
    dress(axes, grid="none")
    axes.set_xticks(
        range(len(classes)), [names[c] for c in classes], fontsize=SMALL, color=INK,
        rotation=(60 if len(classes) > 12 else 35) if slanted else 0, ha="left" if slanted else "center",
        rotation_mode="anchor",
    )  # fmt: skip
    axes.xaxis.tick_top()
    axes.set_yticks(
        range(len(counts)),
        [
            f"cluster {c}\n{counted(int(n), 'point')}"
            for c, n in zip(counts["cluster"], sizes, strict=True)
        ],
        color=INK,
    )
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.set_xticks(np.arange(1, len(classes)) - 0.5, minor=True)
    axes.set_yticks(np.arange(1, len(counts)) - 0.5, minor=True)
    axes.grid(True, which="minor", color=CARD, linewidth=2)
    axes.tick_params(which="minor", length=0)
    for (row, column), number in np.ndenumerate(table):
        axes.text(
            column, row, f"{number:,}" if number else "·", ha="center", va="center",
            fontsize=SMALL if len(classes) > 8 else LABEL,
            color=CARD if share[row, column] > 0.6 else INK if number else MUTED,
        )  # fmt: skip
    _draw_purity(side, counts)
    side.set_ylim(axes.get_ylim())
    return figure


def _draw_purity(axes: Axes, counts: pd.DataFrame) -> None:
    """Draw purity as bars beside the rows of the table, with the number in them."""
    dress(axes, grid="none")
    for row, purity in enumerate(counts["purity"].fillna(0.0)):
        axes.barh(row, 1, color=GRID, height=0.62)
        axes.barh(row, purity, color=PURITY, height=0.62)
        axes.text(0.04, row, percent(purity), va="center", fontsize=SMALL, color=CARD,
                  fontweight="bold")  # fmt: skip
    axes.set_xlim(0, 1)
    axes.set_xticks([0.5], ["purity"], fontsize=SMALL, color=INK)
    axes.xaxis.tick_top()
    axes.set_yticks([])
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)


def say_crosstab(counts: pd.DataFrame) -> str:
    """Return one sentence: overall purity, the least pure cluster, classes with several clusters."""
    filled = counts[counts["size"] > 0]
    inside = float((filled["purity"] * filled["size"]).sum() / filled["size"].sum())
    worst = filled.iloc[int(filled["purity"].argmin())]
    owners = filled.groupby("majority", sort=False)["cluster"].apply(list)
    split = [
        f"{prose(name)} is the main class of clusters {listing([str(c) for c in owned])}"
        for name, owned in owners.items()
        if len(owned) > 1
    ]
    missing = [prose(name) for name in _classes_of(counts) if name not in owners.index]
    tail = f"; {listing(split)}" if split else ""
    tail += f"; no cluster is mostly {listing(missing)}" if missing else ""
    least = (
        f", least in cluster {worst['cluster']} "
        f"({percent(float(worst['purity']))} {prose(worst['majority'])})"
        if worst["purity"] < 1
        else ""
    )
    return (
        f"{percent(inside)} of the {counted(int(filled['size'].sum()), 'point')} belong to the "
        f"majority class of their cluster{least}{tail}."
    )


@stage(packages=PACKAGES)
def draw_crosstab(counts: pd.DataFrame, about: dict[str, Any]) -> Picture:
    """Draw how many points of each class lie in each cluster, and each cluster's purity.

    Arguments:
        counts: columns cluster, one a class (numbers of points), size, purity (0 to 1), majority.
        about: name and classes of the data set.
    """
    return picture(plot_crosstab(counts, about), say_crosstab(counts))
