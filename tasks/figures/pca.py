"""What the principal components hold, what they are made of, and the data in the first two."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from engine import Picture, stage
from tasks.figures.scatter import draw_groups, plane_points
from tasks.figures.style import (
    ACCENT,
    CARD,
    INK,
    LABEL_COLOURS,
    MUTED,
    PACKAGES,
    SMALL,
    add_key,
    dress,
    label_looks,
    new_sheet,
    picture,
    point_key,
)
from tasks.figures.words import distinct_names, kind, listing, percent, prose

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_COMPONENTS = 12
MOST_FEATURES = 12  # rows of the loadings table; the rest have small loadings


def plot_pca(
    variance: pd.DataFrame, loadings: pd.DataFrame, scores: pd.DataFrame, labels: pd.DataFrame,
    about: Mapping[str, Any], seed: int = 0,
) -> Figure:  # fmt: skip
    """Return three panels: explained variance, loadings with numbers, the first two scores."""
    classes = [str(name) for name in about["classes"]]
    looks = label_looks(classes)
    rows, points, note = plane_points(scores.iloc[:, :2], seed)
    table = _largest_loadings(loadings)
    cut = len(loadings.columns) - 1 - len(table)
    notes = [note] if note else []
    if cut:
        notes.append(f"{cut} {kind(about, 2)} with smaller loadings are left out")
    upper = max(3.2, 1.1 + 0.27 * len(table))
    figure = new_sheet(
        upper + 4.9, f"Principal components of the {kind(about, 2)}", " · ".join(notes)
    )
    top, bottom = figure.subfigures(2, 1, squeeze=False, height_ratios=(upper, 4.9))[:, 0]
    for part in (top, bottom):
        part.set_facecolor(CARD)
    scree, heat = top.subplots(1, 2, width_ratios=(1, 1.25))
    _draw_scree(scree, variance)
    _draw_loadings(heat, table, about)
    plane = bottom.subplots()
    add_key(bottom, point_key(looks, distinct_names(classes)), "outside upper left")
    ratio = variance["ratio"].to_numpy()
    if scores.shape[1] > 1:
        x, y = points.iloc[:, 0].to_numpy(), points.iloc[:, 1].to_numpy()
        draw_groups(plane, x, y, labels["label"].to_numpy()[rows], looks, 16, 0.5)
        plane.margins(0.04)
        # A distance in the plane is one in the data only where both axes have one scale.
        plane.set_aspect("equal", adjustable="datalim")
    unit = f" [{about['unit']}]" if about.get("unit") else ""
    dress(
        plane, "the points in the first two components",
        f"PC1{unit}, {percent(float(ratio[0]))} of the variance",
        f"PC2{unit}, {percent(float(ratio[1]))}" if len(ratio) > 1 else "",
    )  # fmt: skip
    return figure


def _largest_loadings(loadings: pd.DataFrame) -> pd.DataFrame:
    """Return features as rows, components as columns; of many features those that weigh most."""
    table = loadings.set_index("component").T.iloc[:, :MOST_COMPONENTS]
    table.columns = [f"PC{number}" for number in table.columns]
    if len(table) <= MOST_FEATURES:
        return table
    weight = table.iloc[:, :3].abs().max(axis=1).sort_values(ascending=False, kind="stable")
    kept = set(weight.index[:MOST_FEATURES])
    return table[[name in kept for name in table.index]]


def _draw_scree(axes: Axes, variance: pd.DataFrame) -> None:
    from matplotlib.ticker import PercentFormatter

    shown = variance.head(MOST_COMPONENTS)
    places = list(range(1, len(shown) + 1))
    axes.bar(places, shown["ratio"], color=LABEL_COLOURS[0], width=0.8)
    axes.plot(
        places, shown["cumulative"], color=ACCENT, marker="o", markersize=5, lw=1.8,
        linestyle=(0, (4, 1.5)),
    )  # fmt: skip
    dress(axes, "explained variance: each, and summed", "component", "share [%]", grid="y")
    axes.set_xticks(places)
    axes.set_ylim(0, 1.12)
    axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0, symbol=""))
    for place, ratio, total in zip(places, shown["ratio"], shown["cumulative"], strict=True):
        # On the first bar's top lies the first point of the sum; its number goes inside.
        inside = ratio > 0.15
        axes.annotate(
            f"{100 * ratio:.0f}", (place, ratio), xytext=(0, -5 if inside else 2),
            textcoords="offset points", ha="center", va="top" if inside else "bottom",
            fontsize=SMALL, color=CARD if inside else INK,
        )  # fmt: skip
        if place > 1:
            axes.annotate(
                f"{100 * total:.0f}", (place, total), xytext=(-1, 4), textcoords="offset points",
                ha="right", va="bottom", fontsize=SMALL, color=ACCENT,
            )  # fmt: skip


def _draw_loadings(axes: Axes, table: pd.DataFrame, about: Mapping[str, Any]) -> None:
    import numpy as np

    values = table.to_numpy(dtype=float)
    axes.imshow(values, cmap="RdBu_r", vmin=-1, vmax=1, aspect="auto")
    dress(axes, "loadings", grid="none")
    names = distinct_names([str(name) for name in table.index], 16)
    axes.set_yticks(range(len(table)), list(names.values()), fontsize=SMALL, color=INK)
    columns = [str(c) for c in table.columns]
    if len(columns) > 8:
        columns = [c.removeprefix("PC") for c in columns]
        axes.set_xlabel("component", fontsize=SMALL, color=INK)
    axes.set_xticks(range(len(columns)), columns, fontsize=SMALL, color=INK)
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)
    for (row, column), value in np.ndenumerate(values):
        text = f"{value:.2f}".replace("-0.00", "0.00").replace("-", "−").replace("0.", ".", 1)
        axes.text(
            column, row, text, ha="center", va="center", fontsize=SMALL,
            color=CARD if abs(value) > 0.6 else INK if abs(value) >= 0.3 else MUTED,
        )  # fmt: skip


def say_pca(variance: pd.DataFrame, loadings: pd.DataFrame) -> str:
    """Return one sentence: what the first components explain and which features they are made of."""
    ratio, total = variance["ratio"].to_numpy(), variance["cumulative"].to_numpy()
    count = min(3, len(ratio))
    held = f"PC1 explains {percent(float(ratio[0]))} of the variance"
    if count > 1:
        held += f" and the first {count} components {percent(float(total[count - 1]))}"
    table = loadings.set_index("component").T
    made = []
    for place, component in enumerate(table.columns[:2], start=1):
        column = table[component]
        order = column.abs().sort_values(ascending=False, kind="stable").index
        # The next feature belongs to the axis only where it weighs about as much as the first.
        strong = [n for n in order if abs(column[n]) >= 0.8 * abs(column[order[0]])]
        parts = [f"{prose(name)} ({column[name]:.2f})" for name in strong]
        made.append(f"PC{place} {'is ' if place == 1 else ''}mostly {listing(parts, 3)}")
    return f"{held}; {', '.join(made)}."


@stage(packages=PACKAGES)
def draw_pca(
    variance: pd.DataFrame, loadings: pd.DataFrame, scores: pd.DataFrame, labels: pd.DataFrame,
    about: dict[str, Any], *, seed: int = 0,
) -> Picture:  # fmt: skip
    """Draw explained variance, loadings, and the points in the first two components by class.

    Arguments:
        variance: columns component, ratio, cumulative (0 to 1).
        loadings: columns component and one a feature (unit vectors).
        scores: columns pc1, pc2, ..., n rows, in `about["unit"]`.
        labels: column label, n rows.
        about: unit and classes of the data set.
        seed: of the sample drawn from many points.
    """
    figure = plot_pca(variance, loadings, scores, labels, about, seed)
    return picture(figure, say_pca(variance, loadings))
