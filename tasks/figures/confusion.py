"""Which classes are taken for which: every pair as a cell, the worst ones named."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from engine import Picture, stage
from tasks.figures.heat import rule_cells, type_colour
from tasks.figures.images import text_width
from tasks.figures.style import (
    ACCENT,
    INK,
    MUTED,
    PACKAGES,
    SMALL,
    dress,
    new_sheet,
    picture,
)
from tasks.figures.words import distinct_names, listing, percent, prose

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

NOTHING = "#f6f7f9"  # behind cells without a row
WORST = 8  # pairs in the list beside the table
ROOMY = 14  # classes up to which every share is written


class Mistake(NamedTuple):
    """Images of class `truth` taken for `predicted`: how many, and what share of the class."""

    truth: str
    predicted: str
    rows: int
    share: float


def tabulate_shares(
    confusion: pd.DataFrame, about: Mapping[str, Any]
) -> tuple[np.ndarray, np.ndarray]:
    """Return counts and shares of each true class, (classes, classes); a row a true class.

    A class without a row has shares of 0.
    """
    import numpy as np

    classes = [str(name) for name in about["classes"]]
    counts = (
        confusion.assign(
            truth=confusion["truth"].astype(str), predicted=confusion["predicted"].astype(str)
        )
        .pivot_table(index="truth", columns="predicted", values="rows", aggfunc="sum")
        .reindex(index=classes, columns=classes)
        .fillna(0)
        .to_numpy()
        .astype(np.int64)
    )
    return counts, counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)


def rank_mistakes(confusion: pd.DataFrame, about: Mapping[str, Any]) -> list[Mistake]:
    """Return all pairs of classes that are confused at least once, the largest share first."""
    import numpy as np

    classes = [str(name) for name in about["classes"]]
    counts, shares = tabulate_shares(confusion, about)
    wrong = np.where(np.eye(len(classes), dtype=bool), 0.0, shares)
    order = np.argsort(-wrong, axis=None, kind="stable")[: int((wrong > 0).sum())]
    return [
        Mistake(classes[row], classes[column], int(counts[row, column]), float(wrong[row, column]))
        for row, column in zip(*np.unravel_index(order, wrong.shape), strict=True)
    ]


def plot_confusion(confusion: pd.DataFrame, about: Mapping[str, Any], *, name: str = "") -> Figure:
    """Return true classes down, predicted ones across, shares in percent; the worst pairs as bars.

    What is right is blue and what is wrong orange, each on a scale of its own: on one scale the
    mistakes of a good classifier are white.
    """
    import numpy as np

    classes = [str(name) for name in about["classes"]]
    counts, shares = tabulate_shares(confusion, about)
    mistakes = rank_mistakes(confusion, about)[:WORST]
    names = list(distinct_names(classes, 16 if len(classes) <= ROOMY else 12).values())
    # 5.6 inches for all columns.
    slanted = max(text_width(name, SMALL) for name in names) > 5.4 / len(classes)
    cell = 0.52 if len(classes) <= ROOMY else 0.3
    figure = new_sheet(
        max(3.4, 0.75 + (0.55 if slanted else 0) + cell * len(classes)),
        f"{name + ': t' if name else 'T'}est images of each class by the class they were taken for",
        "cells: percent of the true class · blue: right · orange: wrong, on a scale of its own · "
        "arrows: from the true class to the one it was taken for",
    )
    table, bars = figure.subplots(1, 2, width_ratios=(3.1, 1))
    right = float(np.trace(counts) / max(1, counts.sum()))
    dress(table, f"{percent(right)} of {counts.sum():,} are right", grid="none")
    _draw_shares(table, shares, names, slanted)
    _draw_worst(bars, mistakes, distinct_names(classes, 12), cell * len(classes))
    return figure


def _draw_shares(axes: Axes, shares: np.ndarray, names: list[str], slanted: bool) -> None:
    """Draw the table as two images, the diagonal and the rest, and write the shares into it."""
    import numpy as np

    right = np.eye(len(names), dtype=bool)
    most = float(np.where(right, 0, shares).max()) or 1.0
    axes.set_facecolor(NOTHING)
    layers = [
        axes.imshow(np.ma.masked_array(shares, hidden), cmap=cmap, vmin=0, vmax=top, aspect="auto")
        for hidden, cmap, top in (
            (~right, "Blues", 1.1),
            (right | (shares == 0), "Oranges", 1.35 * most),
        )
    ]
    axes.set_xlabel("taken for", fontsize=SMALL + 0.5, color=INK)
    axes.set_ylabel("true class", fontsize=SMALL + 0.5, color=INK)
    axes.set_xticks(
        range(len(names)), names, fontsize=SMALL, color=INK, rotation=45 if slanted else 0,
        ha="right" if slanted else "center", rotation_mode="anchor",
    )  # fmt: skip
    axes.set_yticks(range(len(names)), names, fontsize=SMALL, color=INK)
    rule_cells(axes, len(names), len(names))
    for (row, column), share in np.ndenumerate(shares):
        text = write_share(float(share), len(names) <= ROOMY)
        if text:
            same = row == column
            axes.text(
                column, row, text, ha="center", va="center", fontsize=SMALL,
                fontweight="bold" if same else "normal",
                color=type_colour(tuple(layers[0 if same else 1].to_rgba(share))),
            )  # fmt: skip


def write_share(share: float, roomy: bool) -> str:
    """Return a share as percent without its sign, as short as a cell needs; "" for what is nothing.

    All of a class is "100", and nothing less is.
    """
    if share == 0 or (not roomy and share < 0.005):
        return ""
    if share >= 0.0995 or not roomy:
        return "100" if share == 1 else str(min(99, round(100 * share)))
    return f"{100 * share:.1f}" if share >= 0.0005 else "·"


def _draw_worst(
    axes: Axes, mistakes: list[Mistake], names: Mapping[str, str], height: float
) -> None:
    """List the worst pairs as bars of their shares, with counts, on `height` inches."""
    dress(axes, "worst confusions", grid="none")
    for row, mistake in enumerate(mistakes):
        axes.barh(row, mistake.share, color="#fdae6b", height=0.34, align="edge")
        axes.text(
            0, row - 0.06, f"{names[mistake.truth]} → {names[mistake.predicted]}", va="bottom",
            fontsize=SMALL + 0.5, fontweight="bold", color=ACCENT,
        )  # fmt: skip
        axes.text(
            mistake.share, row + 0.17, f" {percent(mistake.share)} ({mistake.rows:,})",
            va="center", fontsize=SMALL, color=INK,
        )  # fmt: skip
    if not mistakes:
        axes.text(0, 0, "none", fontsize=SMALL + 0.5, color=MUTED)
    axes.set_ylim(max(len(mistakes), height / 0.65) - 0.55, -0.55)
    axes.set_xlim(0, 2.1 * mistakes[0].share if mistakes else 1)
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_visible(False)


def say_confusion(confusion: pd.DataFrame, about: Mapping[str, Any]) -> str:
    """Return one sentence: how many are right, the class told worst, the worst confusions."""
    import numpy as np

    classes = [str(name) for name in about["classes"]]
    counts, shares = tabulate_shares(confusion, about)
    there = np.flatnonzero(counts.sum(axis=1))
    diagonal = shares.diagonal()[there]
    weak, strong = (classes[there[int(i)]] for i in (diagonal.argmin(), diagonal.argmax()))
    text = (
        f"{percent(float(np.trace(counts) / counts.sum()))} of the {counts.sum():,} test images are "
        f"told right, from {percent(float(diagonal.min()))} of {prose(weak)} to "
        f"{percent(float(diagonal.max()))} of {prose(strong)}"
    )
    worst = rank_mistakes(confusion, about)[:3]
    if not worst:
        return f"{text}."
    told = listing(
        [
            f"{prose(m.truth)} for {prose(m.predicted)} ({percent(m.share)} of the class)"
            for m in worst
        ]
    )
    return f"{text}; most often mistaken are {told}."


@stage(packages=PACKAGES)
def draw_confusion(confusion: pd.DataFrame, about: dict[str, Any], *, name: str = "") -> Picture:
    """Draw how the test images of each class were classified.

    Arguments:
        confusion: columns truth, predicted (names of classes), rows; every pair at most once.
        about: classes, the names by code.
        name: of what classified them, where there are several.
    """
    told = say_confusion(confusion, about)
    figure = plot_confusion(confusion, about, name=name)
    return picture(figure, f"{prose(name)}: {told}" if name else told)
