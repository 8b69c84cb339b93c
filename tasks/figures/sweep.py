"""All cells of a sweep as one heat map of accuracies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine import Picture, stage
from tasks.figures.cells import PLACE, Place, count_seeds, list_places, name_cells, name_scaling
from tasks.figures.heat import rule_cells, type_colour
from tasks.figures.style import ACCENT, INK, MUTED, PACKAGES, SMALL, dress, new_sheet, picture
from tasks.figures.words import counted, percent

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_ROWS = 40
MOST_COLUMNS = 14


def tabulate_cells(means: pd.DataFrame) -> pd.DataFrame:
    """Return accuracies, a row a (scaling, space, algorithm), a column a k; NaN where none exists.

    Rows of one scaling stand together, the scaling with the best cell first. Of more than
    `MOST_ROWS` the rows with the best cells stay.
    """
    table = means.pivot_table(
        index=list(PLACE), columns="clusters", values="accuracy", sort=False
    ).sort_index(axis=1)
    best = table.max(axis=1)
    if len(table) > MOST_ROWS:
        kept = set(best.sort_values(ascending=False, kind="stable").index[:MOST_ROWS])
        table = table[[place in kept for place in table.index]]
    ahead = best.groupby(level="scaling").max()
    order = [place for place in list_places(means) if place in table.index]
    return table.loc[sorted(order, key=lambda place: -ahead[place[0]])]


def plot_sweep(means: pd.DataFrame) -> Figure:
    """Return a heat map: numbers of clusters across, ways to cluster down under their scaling."""
    import numpy as np
    from matplotlib.patches import Rectangle

    table = tabulate_cells(means)
    ks = _columns(table)
    lines = _lines(table)
    cells = np.array(
        [table.loc[place, ks] if place else [np.nan] * len(ks) for _, place in lines], dtype=float
    )
    figure = new_sheet(
        0.75 + 0.3 * len(lines), "Accuracy on test images [%]", _notes(means, table, ks)
    )
    axes = figure.subplots()
    # By errors: from 90 to 95 % is as far as from 80 to 90 %.
    shade = -np.log(np.maximum(1 - cells, 0.001))
    low, high = float(np.nanmin(shade)), float(np.nanmax(shade))
    span = (high - low) or 1.0
    image = axes.imshow(
        shade, cmap="Blues", vmin=low - 0.1 * span, vmax=high + 0.1 * span, aspect="auto"
    )
    dress(axes, "", "number of clusters k", grid="none")
    axes.xaxis.set_label_position("top")
    axes.xaxis.labelpad = 7
    axes.xaxis.tick_top()
    axes.set_xticks(range(len(ks)), [f"{k:,}" for k in ks], fontsize=SMALL + 0.5, color=INK)
    axes.set_yticks(range(len(lines)), [name for name, _ in lines], fontsize=SMALL, color=INK)
    for label, (_, place) in zip(axes.get_yticklabels(), lines, strict=True):
        label.set_fontweight("normal" if place else "bold")
    rule_cells(axes, len(lines), len(ks))
    _write_cells(axes, cells, image.to_rgba(shade), [place is not None for _, place in lines])
    row, column = np.unravel_index(int(np.nanargmax(cells)), cells.shape)
    axes.add_patch(
        Rectangle((float(column) - 0.5, float(row) - 0.5), 1, 1, fill=False, edgecolor=ACCENT,
                  linewidth=2.4, zorder=5)
    )  # fmt: skip
    return figure


def _columns(table: pd.DataFrame) -> list[int]:
    """Return the numbers of clusters to draw: all, or so many, evenly chosen with both ends."""
    ks = [int(k) for k in table.columns]
    if len(ks) <= MOST_COLUMNS:
        return ks
    return [ks[round(i * (len(ks) - 1) / (MOST_COLUMNS - 1))] for i in range(MOST_COLUMNS)]


def _lines(table: pd.DataFrame) -> list[tuple[str, Place | None]]:
    """Return name and place of each line; a line without a place is the heading of a scaling."""
    frame = table.index.to_frame(index=False)
    names, _ = name_cells(frame.assign(scaling=""))
    several = frame["scaling"].nunique() > 1
    lines: list[tuple[str, Place | None]] = []
    last = None
    for place in table.index:
        if several and place[0] != last:
            lines.append((name_scaling(place[0]), None))
        last = place[0]
        lines.append((names["", *place[1:]], tuple(place)))
    return lines


def _notes(means: pd.DataFrame, table: pd.DataFrame, ks: list[int]) -> str:
    names, fixed = name_cells(means)
    notes = [fixed] if fixed else []
    if means["seeds"].max() > 1:
        most = 100 * float(means["accuracy_sd"].max())
        notes.append(f"means over {count_seeds(means)}, their sd at most {most:.1f} points")
    notes.append(
        "framed: the best of all; bold: the best of its row; shade: logarithm of the errors"
    )
    if len(names) > len(table):
        notes.append(f"the best {len(table)} of {len(names)} rows")
    if table.shape[1] > len(ks):
        notes.append(f"{len(ks)} of {table.shape[1]} numbers of clusters")
    return " · ".join(notes)


def _write_cells(axes: Axes, cells: np.ndarray, colours: np.ndarray, filled: list[bool]) -> None:
    """Write the accuracies in percent; `filled` tells rows of cells from headings."""
    import numpy as np

    for row in np.flatnonzero(filled).tolist():
        known = np.isfinite(cells[row])
        best = int(np.nanargmax(cells[row])) if known.any() else -1
        for column, value in enumerate(cells[row]):
            axes.text(
                column, row, f"{100 * value:.1f}" if known[column] else "·", ha="center",
                va="center", fontsize=SMALL, fontweight="bold" if column == best else "normal",
                color=type_colour(colours[row, column]) if known[column] else MUTED,
            )  # fmt: skip


def say_sweep(means: pd.DataFrame) -> str:
    """Return one sentence: the best cell, and the best of the other algorithm."""
    names, _ = name_cells(means)
    best = means.iloc[int(means["accuracy"].to_numpy().argmax())]
    cells = int(means["seeds"].sum())
    text = (
        f"The most accurate of {counted(cells, 'clustering')} has "
        f"{counted(int(best['clusters']), 'cluster')} ({_words(names, best)}) and tells "
        f"{_accuracy(best)} of the test images right"
    )
    others = means[means["algorithm"] != best["algorithm"]]
    if len(others):
        second = others.iloc[int(others["accuracy"].to_numpy().argmax())]
        text += (
            f"; {_accuracy(second)} is the best of the other algorithm, with "
            f"{int(second['clusters']):,} ({_words(names, second)})"
        )
    return f"{text}."


def _words(names: dict[Place, str], cell: pd.Series[Any]) -> str:
    return names[tuple(str(cell[part]) for part in PLACE)].replace(" · ", ", ")


def _accuracy(cell: pd.Series[Any]) -> str:
    text = percent(float(cell["accuracy"]))
    return text if cell["seeds"] < 2 else f"{text} (sd {100 * float(cell['accuracy_sd']):.1f})"


@stage(packages=PACKAGES)
def draw_sweep(means: pd.DataFrame) -> Picture:
    """Draw the accuracy of every cell of a sweep as a heat map with numbers.

    Arguments:
        means: columns scaling, space, algorithm, clusters, seeds, accuracy, accuracy_sd (0 to 1);
            a row a cell.
    """
    return picture(plot_sweep(means), say_sweep(means))
