"""How well classes are told: the random forest, and clusters used as a classifier."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine import InputError, Picture, stage
from tasks.figures.against_k import K, set_k_axis
from tasks.figures.style import (
    ACCENT,
    DASHES,
    INK,
    LABEL_COLOURS,
    MARKERS,
    PACKAGES,
    SMALL,
    Look,
    dress,
    new_sheet,
    picture,
)
from tasks.figures.words import counted, distinct_names, listing, percent, prose, span

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

MOST_BARS = 20
SPACES = {"raw": "all features", "standardised": "all features, standardised"}


def _spread(values: pd.Series[float]) -> float:
    """Return the standard deviation over splits; of a single split it is 0."""
    return float(values.std(ddof=1)) if len(values) > 1 else 0.0


def plot_forest(scores: pd.DataFrame, importances: pd.DataFrame) -> Figure:
    """Return two panels: accuracy of each split with mean ± sd, and the features' importances."""
    from matplotlib.ticker import PercentFormatter

    accuracy = scores["accuracy"]
    mean, sd = float(accuracy.mean()), _spread(accuracy)
    ranked = importances.sort_values("importance", ascending=False, kind="stable").head(MOST_BARS)
    left_out = len(importances) - len(ranked)
    figure = new_sheet(
        max(3.2, 1.0 + 0.3 * len(ranked)), "Random forest on unseen rows",
        f"{left_out} features of smaller importance are left out" if left_out else "",
    )  # fmt: skip
    left, right = figure.subplots(1, 2, width_ratios=(1, 1.2))
    places = [int(split) + 1 for split in scores["split"]]
    left.axhspan(mean - sd, mean + sd, color=LABEL_COLOURS[0], alpha=0.15, lw=0)
    left.axhline(mean, color=LABEL_COLOURS[0], lw=1.6)
    left.plot(places, accuracy, linestyle="", marker="o", markersize=7, color=LABEL_COLOURS[0])
    dress(left, f"mean {percent(mean)}, sd {100 * sd:.1f}", "split", "accuracy", grid="y")
    set_k_axis(left, places)
    room = max(0.6 * (accuracy.max() - accuracy.min()), 2 * sd, 0.005)
    left.set_ylim(accuracy.min() - room, min(accuracy.max() + room, 1.004))
    left.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=1, symbol=" %"))

    names = distinct_names([str(name) for name in ranked["feature"]], 20)
    rows = range(len(ranked))
    right.barh(rows, ranked["importance"], color=LABEL_COLOURS[0], height=0.66)
    for row, value in zip(rows, ranked["importance"], strict=True):
        right.text(value, row, f" {value:.2f}", va="center", ha="left", fontsize=SMALL, color=INK)
    dress(right, "importance of each feature", "mean decrease in impurity (sums to 1)", grid="x")
    right.set_yticks(rows, list(names.values()), fontsize=SMALL, color=INK)
    right.tick_params(axis="y", length=0)
    right.set_ylim(len(ranked) - 0.4, -0.6)
    right.set_xlim(0, 1.15 * float(ranked["importance"].max()))
    return figure


def say_forest(scores: pd.DataFrame, importances: pd.DataFrame) -> str:
    """Return one sentence: mean ± sd and range of the accuracy, and the features that matter most."""
    accuracy = scores["accuracy"]
    ranked = importances.sort_values("importance", ascending=False, kind="stable").head(2)
    told = listing(
        [f"{prose(name)} ({value:.2f})" for name, value in ranked[["feature", "importance"]].values]
    )
    return (
        f"The forest classifies {percent(float(accuracy.mean()))} of unseen rows correctly "
        f"(sd {100 * _spread(accuracy):.1f} points over {counted(len(accuracy), 'split')}, "
        f"{span(float(accuracy.min()), float(accuracy.max()))}), "
        f"relying most on {told}."
    )


@stage(packages=PACKAGES)
def draw_forest(scores: pd.DataFrame, importances: pd.DataFrame) -> Picture:
    """Draw the random forest's accuracy on each split and the importances of the features.

    Arguments:
        scores: columns split, accuracy (0 to 1).
        importances: columns feature, importance (sums to 1).
    """
    return picture(plot_forest(scores, importances), say_forest(scores, importances))


def _space_name(space: str) -> str:
    """Return a space's name in words: "pca3" is "3 principal components"."""
    number = space.removeprefix("pca")
    if space.startswith("pca") and number.isdigit():
        return counted(int(number), "principal component")
    return SPACES.get(space, space)


def _summary(results: pd.DataFrame) -> pd.DataFrame:
    """Return mean and sd of the accuracy for each space and number of clusters."""
    by = results.groupby(["space", "clusters"], sort=False)["accuracy"]
    table = by.agg(mean="mean", sd=_spread).reset_index()
    return table.sort_values(["space", "clusters"], kind="stable")


def plot_classifier(results: pd.DataFrame, reference: float | None = None) -> Figure:
    """Return accuracy against the number of clusters: a line a space with its mean ± sd band."""
    from matplotlib.lines import Line2D
    from matplotlib.ticker import PercentFormatter

    table = _summary(results)
    spaces = list(dict.fromkeys(results["space"]))
    ks = sorted({int(k) for k in results["clusters"]})
    splits = results["split"].nunique()
    looks = {
        space: Look(LABEL_COLOURS[i % len(LABEL_COLOURS)], MARKERS[i], DASHES[i % len(DASHES)])
        for i, space in enumerate(spaces)
    }
    handles = [
        Line2D([], [], color=look.colour, linestyle=look.dash, marker=look.marker, lw=2,
               label=_space_name(space))
        for space, look in looks.items()
    ]  # fmt: skip
    figure = new_sheet(
        4.4, "Clusters as a classifier: accuracy on unseen rows",
        f"band: mean ± sd over {counted(splits, 'split')} · ring: the best k of each space",
        handles,
    )  # fmt: skip
    axes = figure.subplots()
    for space, look in looks.items():
        part = table[table["space"] == space]
        axes.fill_between(
            part["clusters"], part["mean"] - part["sd"], part["mean"] + part["sd"],
            color=look.colour, alpha=0.15, lw=0,
        )  # fmt: skip
        axes.plot(
            part["clusters"], part["mean"], color=look.colour, linestyle=look.dash,
            marker=look.marker, markersize=5.5, lw=1.8,
        )  # fmt: skip
        top = part.loc[part["mean"].idxmax()]
        axes.plot(
            [top["clusters"]], [top["mean"]], marker="o", markersize=13, markerfacecolor="none",
            markeredgecolor=look.colour, markeredgewidth=1.8, zorder=6,
        )  # fmt: skip
    if reference is not None:
        axes.axhline(reference, color=ACCENT, lw=1.4, linestyle=(0, (1, 1.5)), zorder=1)
        axes.annotate(
            f"reference {percent(reference)}", (0, reference),
            xycoords=("axes fraction", "data"), xytext=(4, 3), textcoords="offset points",
            ha="left", fontsize=SMALL, color=ACCENT, fontweight="bold",
        )  # fmt: skip
    set_k_axis(axes, ks)
    dress(axes, "", K, "accuracy")
    axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0, symbol=" %"))
    return figure


def say_classifier(results: pd.DataFrame, reference: float | None = None) -> str:
    """Return one sentence: the best mean accuracy of each space with its k, best space first."""
    table = _summary(results)
    tops = table.loc[table.groupby("space")["mean"].idxmax()]
    tops = tops.sort_values("mean", ascending=False, kind="stable")
    told = [
        f"{percent(mean)} (sd {100 * sd:.1f}) with {k} clusters in {_space_name(space)}"
        for space, k, mean, sd in zip(
            tops["space"], tops["clusters"], tops["mean"], tops["sd"], strict=True
        )
    ]
    text = f"Mean accuracy peaks at {listing(told)}"
    if reference is None:
        return f"{text}."
    enough = table[table["mean"] >= reference].sort_values("clusters", kind="stable")
    if enough.empty:
        return f"{text}; {percent(reference)} is reached nowhere."
    first = enough.iloc[0]
    return (
        f"{text}; {percent(reference)} is first reached with {first['clusters']} clusters in "
        f"{_space_name(first['space'])}."
    )


@stage(packages=PACKAGES)
def draw_classifier(results: pd.DataFrame, *, reference: float | None = 0.98) -> Picture:
    """Draw the accuracy of clusters used as a classifier against their number, for each space.

    Arguments:
        results: columns space, clusters, split, accuracy (0 to 1); a row a split.
        reference: accuracy to compare with (0 to 1; the posts report about 98 %), or None.

    Raises:
        InputError: when the reference lies outside 0 to 1.
    """
    if reference is not None and not 0 <= reference <= 1:
        raise InputError(
            f"reference is {reference}, expected a share from 0 to 1 (98 % is 0.98), or None"
        )
    return picture(plot_classifier(results, reference), say_classifier(results, reference))
