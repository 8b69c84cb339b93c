"""Accuracy against the number of clusters, for every space and algorithm."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine import Picture, stage
from tasks.figures.against_k import K
from tasks.figures.cells import (
    PLACE,
    Place,
    cell_looks,
    count_seeds,
    name_algorithm,
    name_cells,
    name_scaling,
    name_space,
)
from tasks.figures.style import CARD, INK, PACKAGES, Look, dress, new_sheet, picture
from tasks.figures.words import counted, percent

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

MOST_LINES = 8
LEAST_ERROR = 0.002  # nothing beyond it on the axis; 20 of 10,000 images
TICKS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.97, 0.98, 0.99, 0.995)

# Of all 70,000 MNIST images, normalised, in 40 components; plain scikit-learn, one run each.
MEASURED = (
    ("kmeans", 10, 0.60), ("kmeans", 100, 0.895), ("kmeans", 300, 0.939),
    ("minibatch", 100, 0.876), ("minibatch", 300, 0.931),
)  # fmt: skip
MEASURED_PLACE = ("normalise", "pca40")


def choose_lines(means: pd.DataFrame) -> pd.DataFrame:
    """Return the cells to draw: each space and algorithm once, in the best scaling that has it.

    The best scaling is the one with the highest accuracy anywhere; scalings have a picture of their
    own. Of more than `MOST_LINES` lines those with the highest accuracy stay.
    """
    best = means.groupby("scaling", sort=False)["accuracy"].max()
    ranked = list(best.sort_values(ascending=False, kind="stable").index)
    tops = means.groupby(list(PLACE), sort=False)["accuracy"].max()
    kept: dict[tuple[str, str], Place] = {}
    for place in sorted(tops.index, key=lambda place: ranked.index(place[0])):
        kept.setdefault((place[1], place[2]), place)
    chosen = sorted(kept.values(), key=lambda place: -float(tops[place]))[:MOST_LINES]
    inside = [place in chosen for place in _places(means)]
    return means[inside].sort_values("clusters", kind="stable")


def plot_accuracy(means: pd.DataFrame, measured: bool = False) -> Figure:
    """Return accuracy against k, both on axes where a constant factor is a constant distance."""
    table = choose_lines(means)
    looks, (names, fixed) = cell_looks(table), name_cells(table)
    notes = [fixed] if fixed else []
    if table["seeds"].max() > 1:
        notes.append(f"band: mean ± sd over {count_seeds(table)}")
    notes.append("both axes logarithmic, the upright one in the share of errors")
    kinds = means[["space", "algorithm"]].drop_duplicates().shape[0]
    if len(looks) < kinds:
        notes.append(f"the best {len(looks)} of {kinds} spaces and algorithms")
    if means["scaling"].nunique() > 1:
        notes.insert(1 if fixed else 0, f"the best of {means['scaling'].nunique()} scalings")
    ks = table["clusters"]
    # Far from all lines a mark would only stretch the axis.
    points = [m for m in MEASURED if measured and ks.min() <= m[1] <= 1.1 * ks.max()]
    figure = new_sheet(
        5.4, "Accuracy on test images against the number of clusters", " · ".join(notes),
        _key(looks, names), _measured_key(points),
    )  # fmt: skip
    axes = figure.subplots()
    for place, look in looks.items():
        part = table[[p == place for p in _places(table)]]
        _draw_line(axes, part, look)
    for algorithm, k, accuracy in points:
        axes.plot(
            [k], [1 - accuracy], linestyle="", marker=_measured_marker(algorithm), markersize=13,
            markerfacecolor="none", markeredgecolor=INK, markeredgewidth=1.8, zorder=7,
        )  # fmt: skip
    _set_axes(axes, table, [k for _, k, _ in points], [1 - a for _, _, a in points])
    return figure


def _places(table: pd.DataFrame) -> list[Place]:
    return list(table[list(PLACE)].itertuples(index=False, name=None))


def _draw_line(axes: Axes, part: pd.DataFrame, look: Look) -> None:
    """Draw the errors of one line with its band."""
    import numpy as np

    error = np.maximum(1 - part["accuracy"].to_numpy(), LEAST_ERROR)
    sd = part["accuracy_sd"].to_numpy()
    low = np.maximum(error - sd, LEAST_ERROR)
    axes.fill_between(
        part["clusters"], low, np.minimum(error + sd, 1), color=look.colour, alpha=0.1, lw=0
    )
    axes.plot(
        part["clusters"], error, color=look.colour, linestyle=look.dash, marker=look.marker,
        markersize=6, markeredgecolor=CARD, markeredgewidth=0.6, lw=1.8,
    )  # fmt: skip


def _set_axes(axes: Axes, table: pd.DataFrame, ks: list[int], errors: list[float]) -> None:
    """Put ticks at the numbers of clusters and at round accuracies, the best on top."""
    from matplotlib.ticker import FixedLocator, NullFormatter, NullLocator

    axes.set_xscale("log")
    axes.set_yscale("log")
    dress(axes, "", K, "accuracy")
    every = sorted({int(k) for k in table["clusters"]})
    ticks = _apart(every)
    axes.xaxis.set_major_locator(FixedLocator([float(k) for k in ticks]))
    axes.set_xticklabels([f"{k:,}" for k in ticks])
    far = [*every, *ks]
    axes.set_xlim(min(far) / 1.12, max(far) * 1.12)
    error = (1 - table["accuracy"]).clip(lower=LEAST_ERROR)
    highest = max([float(error.max()), *errors])
    lowest = min([float(error.min()), *errors])
    axes.set_ylim(min(highest * 1.15, 1), max(lowest / 1.15, LEAST_ERROR / 1.2))
    shown = [t for t in TICKS if lowest / 1.15 <= 1 - t <= highest * 1.15]
    axes.yaxis.set_major_locator(FixedLocator([1 - t for t in shown]))
    axes.set_yticklabels([f"{100 * t:.3g} %" for t in shown])
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_minor_locator(NullLocator())
        axis.set_minor_formatter(NullFormatter())


def _apart(ks: list[int]) -> list[int]:
    """Return the numbers whose labels do not meet on a logarithmic axis, both ends kept."""
    from math import log

    if len(ks) < 3:
        return ks
    least = 0.06 * log(ks[-1] / ks[0])
    kept = [ks[0]]
    for k in ks[1:-1]:
        if log(k / kept[-1]) >= least and log(ks[-1] / k) >= least:
            kept.append(k)
    return [*kept, ks[-1]]


def _key(looks: dict[Place, Look], names: dict[Place, str]) -> list[Line2D]:
    from matplotlib.lines import Line2D

    return [
        Line2D([], [], color=look.colour, linestyle=look.dash, marker=look.marker, lw=2,
               label=names[place])
        for place, look in looks.items()
    ]  # fmt: skip


def _measured_marker(algorithm: str) -> str:
    return "o" if algorithm == "kmeans" else "s"


def _measured_key(points: list[tuple[str, int, float]]) -> list[Line2D]:
    from matplotlib.lines import Line2D

    return [
        Line2D([], [], color=INK, marker=_measured_marker(algorithm), markersize=10,
               linestyle="", markerfacecolor="none", markeredgewidth=1.8,
               label=f"{name_algorithm(algorithm)} as measured before ({_words(MEASURED_PLACE)})")
        for algorithm in dict.fromkeys(algorithm for algorithm, _, _ in points)
    ]  # fmt: skip


def _words(place: tuple[str, str]) -> str:
    return f"{name_scaling(place[0])}, {name_space(place[1])}"


def say_accuracy(means: pd.DataFrame, measured: bool = False) -> str:
    """Return one sentence: how the best line rises, where it passes 90 %, how it meets the measured."""
    names, _ = name_cells(means)
    best = means.iloc[int(means["accuracy"].to_numpy().argmax())]
    place = tuple(str(best[part]) for part in PLACE)
    line = means[[p == place for p in _places(means)]].sort_values("clusters")
    first, last = line.iloc[0], line.iloc[-1]
    name = names[place].replace(" · ", ", ")
    text = (
        f"With {name} the accuracy goes from {percent(float(first['accuracy']))} at "
        f"{counted(int(first['clusters']), 'cluster')} to {percent(float(last['accuracy']))} at "
        f"{int(last['clusters']):,}"
    )
    # It may fall again: what counts is from where on all are.
    below = line["accuracy"] < 0.9
    enough = line[~below[::-1].cummax()[::-1]]
    if len(enough) and below.any():
        text += f" and is above 90 % from {int(enough['clusters'].iloc[0]):,} on"
    if best["clusters"] != last["clusters"]:
        text += f", at its best with {int(best['clusters']):,} ({percent(float(best['accuracy']))})"
    apart = _differences(means) if measured else []
    if apart:
        most = 100 * max(abs(gap) for gap in apart)
        text += (
            f"; {counted(len(apart), 'value')} measured before {'is' if len(apart) == 1 else 'are'} "
            f"met within {most:.1f} points"
        )
    return f"{text}."


def _differences(means: pd.DataFrame) -> list[float]:
    """Return accuracy less the measured one wherever both exist."""
    gaps = []
    for algorithm, k, accuracy in MEASURED:
        same = means[
            (means["scaling"] == MEASURED_PLACE[0]) & (means["space"] == MEASURED_PLACE[1])
            & (means["algorithm"] == algorithm) & (means["clusters"] == k)
        ]  # fmt: skip
        gaps += [float(value) - accuracy for value in same["accuracy"]]
    return gaps


@stage(packages=PACKAGES)
def draw_accuracy(means: pd.DataFrame, *, measured: bool = False) -> Picture:
    """Draw the accuracy against the number of clusters, a line a space and algorithm.

    Arguments:
        means: columns scaling, space, algorithm, clusters, seeds, accuracy, accuracy_sd (0 to 1).
        measured: mark what plain scikit-learn reached on all of MNIST; for that data set alone.
    """
    return picture(plot_accuracy(means, measured), say_accuracy(means, measured))
