"""How each signal is distributed in each class: one small panel a signal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from engine import Picture, stage
from tasks.figures.style import (
    CARD,
    MUTED,
    PACKAGES,
    SMALL,
    dress,
    label_looks,
    line_key,
    new_sheet,
    picture,
)
from tasks.figures.words import counted, distinct_names, kind, listing, prose, quantity

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

MOST_PANELS = 24


def plot_densities(curves: pd.DataFrame, peaks: pd.DataFrame, about: Mapping[str, Any]) -> Figure:
    """Return small multiples of density curves, one panel a feature, second peaks marked.

    The first `MOST_PANELS` features are drawn; a note says how many there are.
    """
    classes = [str(name) for name in about["classes"]]
    every = [name for name in about["features"] if (curves["feature"] == name).any()]
    features = every[:MOST_PANELS]
    looks, names = label_looks(classes), distinct_names(classes)
    columns = min(4 if len(features) > 6 else 3, len(features))
    rows = -(-len(features) // columns)
    second = peaks[peaks["rank"] == 2]
    notes = ["▼ second peak of a curve"] if len(second) else []
    if len(every) > len(features):
        notes.append(f"the first {len(features)} of {len(every)} {kind(about, 2)} are shown")
    figure = new_sheet(
        2.05 * rows + 0.2, f"Density of each {kind(about)} by class", " · ".join(notes),
        line_key(looks, names),
    )  # fmt: skip
    grid = figure.subplots(rows, columns, squeeze=False)
    titles = distinct_names(features)
    for index, feature in enumerate(features):
        axes = grid[index // columns][index % columns]
        part = curves[curves["feature"] == feature]
        top = float(part["density"].max())
        for name, look in looks.items():
            line = part[part["label"] == name]
            axes.plot(
                line["value"], line["density"], color=look.colour, linestyle=look.dash, lw=1.8
            )
            axes.fill_between(line["value"], line["density"], color=look.colour, alpha=0.10, lw=0)
        for _, peak in second[second["feature"] == feature].iterrows():
            axes.plot(
                [peak["value"]], [peak["density"] + 0.08 * top], marker="v", markersize=9,
                color=looks[str(peak["label"])].colour, markeredgecolor=CARD, markeredgewidth=0.8,
            )  # fmt: skip
        low_row = index + columns >= len(features)
        dress(axes, titles[feature], quantity(about) if low_row else "", grid="x")
        axes.set_ylim(0, 1.18 * top)
        axes.set_yticks([])
        axes.spines["left"].set_visible(False)
        axes.margins(x=0)
        axes.locator_params(axis="x", nbins=5)
        if index % columns == 0:
            axes.set_ylabel("density", fontsize=SMALL + 0.5, color=MUTED)
    for index in range(len(features), rows * columns):
        grid[index // columns][index % columns].set_axis_off()
    return figure


def _short(value: float) -> str:
    """Return a value with three digits: "-16.0", "120"."""
    return f"{value:#.3g}".removesuffix(".")


def say_densities(curves: pd.DataFrame, peaks: pd.DataFrame, about: Mapping[str, Any]) -> str:
    """Return one sentence that names the curves with a second peak and where it stands."""
    total = len(curves[["feature", "label"]].drop_duplicates())
    unit = str(about.get("unit") or "")
    second = peaks[peaks["rank"] == 2]
    scope = f"{counted(total, 'density curve')} of {counted(len(about['features']), kind(about))}"
    if second.empty:
        return f"None of the {scope} has a second peak."
    first = peaks[peaks["rank"] == 1].set_index(["feature", "label"])["value"]
    finds: list[tuple[float, str]] = []
    for _, peak in second.iterrows():
        main = float(first.loc[(peak["feature"], peak["label"])])
        where = f"{_short(main)} and {_short(float(peak['value']))}{' ' + unit if unit else ''}"
        name = f"{prose(peak['feature'])} in {prose(peak['label'])} ({where})"
        finds.append((abs(float(peak["value"]) - main), name))
    # Two far peaks mean two places; near ones are often one bump of a rough curve.
    told = [name for _, name in sorted(finds, key=lambda find: -find[0])]
    verb = "has" if len(finds) == 1 else "have"
    return f"Of the {scope} {len(finds)} {verb} a second peak: {listing(told)}."


@stage(packages=PACKAGES)
def draw_densities(curves: pd.DataFrame, peaks: pd.DataFrame, about: dict[str, Any]) -> Picture:
    """Draw the density of each feature in each class, second peaks marked.

    Arguments:
        curves: columns feature, label, value (in `about["unit"]`), density.
        peaks: columns feature, label, value, density, rank (1 = the highest peak of its curve).
        about: name, unit, classes and features of the data set.
    """
    return picture(plot_densities(curves, peaks, about), say_densities(curves, peaks, about))
