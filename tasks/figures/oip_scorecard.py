"""What the patterns are worth: strength, steadiness, and what the network takes them for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from engine import Picture, stage
from tasks.figures.confusion import NOTHING
from tasks.figures.heat import rule_cells, type_colour
from tasks.figures.images import text_width
from tasks.figures.style import (
    ACCENT,
    INK,
    LABEL_COLOURS,
    PACKAGES,
    SMALL,
    dress,
    new_sheet,
    picture,
)
from tasks.figures.words import counted, distinct_names, percent

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_CLASSES = 14  # in the table of what is called what


def plot_scorecard(table: pd.DataFrame, about: Mapping[str, Any]) -> Figure:
    """Return three histograms over the living maps, and their classes against what they are called."""
    alive = table[~table["dead"]]
    figure = new_sheet(
        5.6,
        f"The patterns of {counted(len(alive), 'map')} put to the test",
        "activations of each pattern's own map, at a real image's contrast · shifted 2 pixels in four "
        "directions, turned by 5° either way, its rim drawn out · lines: medians",
    )
    parts: Any = figure.subfigures(1, 2, width_ratios=(1, 1.12))
    left, right = parts
    panels = left.subplots(3, 1)
    for axes, (name, title, unit, colour) in zip(
        panels,
        (
            ("gain", "beside the best real image", "×", LABEL_COLOURS[0]),
            ("shifted", "kept, shifted 2 pixels", "%", LABEL_COLOURS[2]),
            ("turned", "kept, turned by 5°", "%", LABEL_COLOURS[3]),
        ),
        strict=True,
    ):
        _draw_spread(axes, alive[name].dropna().to_numpy(), title, unit, colour)
    _draw_called(right.subplots(), alive, about)
    return figure


def _draw_spread(axes: Axes, values: np.ndarray, title: str, unit: str, colour: str) -> None:
    """A histogram with its median named; far outliers stand in the last bar."""
    import numpy as np

    dress(axes, title, "", "maps", grid="y")
    if not len(values):
        axes.text(0.5, 0.5, "none", transform=axes.transAxes, ha="center", fontsize=SMALL)
        return
    values = 100 * values if unit == "%" else values
    middle = float(np.median(values))
    low, high = (0.0, max(4.0, 1.05 * float(np.quantile(values, 0.97)))) if unit == "×" else (
        min(50.0, float(np.floor(values.min() / 10) * 10)), max(105.0, 1.02 * float(values.max()))
    )  # fmt: skip
    axes.hist(np.clip(values, low, high), bins=28, range=(low, high), color=colour, alpha=0.85)
    axes.axvline(middle, color=ACCENT, lw=1.8)
    told = f"{middle:.1f} %" if unit == "%" else f"{middle:.1f}×"
    axes.set_title(
        f"median {told}", loc="right", fontsize=SMALL + 0.5, fontweight="bold", color=ACCENT, pad=5
    )
    axes.set_xlim(low, high)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}{' %' if unit == '%' else '×'}")
    axes.locator_params(axis="y", nbins=4, integer=True)


def _draw_called(axes: Axes, alive: pd.DataFrame, about: Mapping[str, Any]) -> None:
    """How many patterns of each driving class the network calls by each class."""
    import numpy as np

    classes = [str(name) for name in about["classes"]]
    if not _shares_classes(alive, classes) or len(classes) > MOST_CLASSES:
        _list_called(axes, alive)
        return
    counts = np.zeros((len(classes), len(classes)), int)
    for own, other in zip(alive["class"], alive["called"], strict=True):
        counts[classes.index(own), classes.index(other)] += 1
    agree = int(np.trace(counts))
    dress(axes, f"{agree} of {len(alive)} are called by their driver's name", grid="none")
    right = np.eye(len(classes), dtype=bool)
    most = max(int(counts.max()), 1)
    axes.set_facecolor(NOTHING)
    layers = [
        axes.imshow(np.ma.masked_array(counts, hidden), cmap=cmap, vmin=0, vmax=1.15 * most,
                    aspect="auto")
        for hidden, cmap in ((~right | (counts == 0), "Blues"), (right | (counts == 0), "Oranges"))
    ]  # fmt: skip
    names = list(distinct_names(classes, 12).values())
    slanted = max(text_width(name, SMALL) for name in names) > 3.4 / len(classes)
    axes.set_xticks(
        range(len(names)), names, fontsize=SMALL, color=INK, rotation=45 if slanted else 0,
        ha="right" if slanted else "center", rotation_mode="anchor",
    )  # fmt: skip
    axes.set_yticks(range(len(names)), names, fontsize=SMALL, color=INK)
    axes.set_xlabel("what the network calls the pattern", fontsize=SMALL + 0.5, color=INK)
    axes.set_ylabel("class that drives the map", fontsize=SMALL + 0.5, color=INK)
    rule_cells(axes, len(names), len(names))
    for (row, column), count in np.ndenumerate(counts):
        if count:
            layer = layers[0 if row == column else 1]
            axes.text(
                column, row, str(count), ha="center", va="center", fontsize=SMALL,
                fontweight="bold" if row == column else "normal",
                color=type_colour(tuple(layer.to_rgba(np.array(float(count))))),
            )  # fmt: skip


def _list_called(axes: Axes, alive: pd.DataFrame) -> None:
    """The names that most patterns are called by, as bars."""
    counts = alive["called"].value_counts().head(12)  # without the missing
    names = list(distinct_names([str(name) for name in counts.index], 24).values())
    if not len(counts):
        dress(axes, "no pattern is called by a class", grid="none")
        axes.set_axis_off()
        return
    dress(axes, "what the network calls the patterns", "patterns", grid="x")
    axes.barh(range(len(counts)), counts.to_numpy(), color=LABEL_COLOURS[0])
    axes.set_yticks(range(len(counts)), names, fontsize=SMALL, color=INK)
    axes.invert_yaxis()
    axes.locator_params(axis="x", integer=True)


def _shares_classes(alive: pd.DataFrame, classes: Sequence[str]) -> bool:
    """Whether every pattern is called by a name that the images have."""
    return bool(alive["called"].isin(classes).all())


def say_scorecard(table: pd.DataFrame, about: Mapping[str, Any]) -> str:
    """Return one sentence: gain, what a shift and a turn leave, and what patterns are called."""
    alive = table[~table["dead"]]
    if not len(alive):
        return "No map has a pattern that could be rated."
    rated = alive.dropna(subset=["gain"])
    stronger = int((rated["gain"] > 1).sum())
    text = (
        f"{stronger} of {counted(len(rated), 'pattern')} trigger their map more than any test image "
        f"does; after a shift of 2 pixels {percent(float(alive['shifted'].median()), 0)} of that is "
        f"left (median), after a turn of 5° {percent(float(alive['turned'].median()), 0)}"
    )
    if not _shares_classes(alive, [str(name) for name in about["classes"]]):
        return f"{text}."
    agree = int((alive["called"] == alive["class"]).sum())
    return f"{text}; the network calls {agree} of them by the class that drives their map."


@stage(packages=PACKAGES)
def draw_scorecard(table: pd.DataFrame, about: dict[str, Any]) -> Picture:
    """Draw how strong and how steady the patterns are, and what the network calls them.

    Arguments:
        table: of `score_patterns`.
        about: classes, the names by code.
    """
    return picture(plot_scorecard(table, about), say_scorecard(table, about))
