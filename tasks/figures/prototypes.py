"""Prototypes of each class as images, and how well so many of them tell the classes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from engine import Picture, stage
from tasks.figures.images import (
    ClassRow,
    draw_class_rows,
    new_plate,
    plan_rows,
    row_capacity,
    tone,
    tone_note,
)
from tasks.figures.style import LABEL_COLOURS, MARGIN, PACKAGES, SMALL, WIDTH, dress, picture
from tasks.figures.words import counted, listing, percent

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from matplotlib.figure import Figure

CURVE = 2.9  # inches for the panel below the images


def _by_number(table: pd.DataFrame) -> pd.DataFrame:
    """Return mean and sd (0 of a single seed) of the accuracy by prototypes a class."""
    by = table.groupby("per_class")["accuracy"]
    return by.agg(mean="mean", sd="std", seeds="size").fillna({"sd": 0.0}).reset_index()


def plot_prototypes(
    table: pd.DataFrame, images: np.ndarray, labels: pd.DataFrame, about: Mapping[str, Any]
) -> Figure:
    """Return a row of prototypes for each class; below, accuracy against their number."""
    classes = [str(name) for name in about["classes"] if (labels["label"] == name).any()]
    most = row_capacity(len(classes))
    rows, cut = [], 0
    for name in classes:
        own = labels[labels["label"] == name].sort_values(
            ["size", "prototype"], ascending=[False, True], kind="stable"
        )
        cut = max(cut, len(own) - most)
        own, total = own.head(most), own["size"].sum()
        rows.append(
            ClassRow(
                name, f"{total:,} images", images[own["prototype"].to_numpy()],
                [percent(float(size) / total, 0) for size in own["size"]],
            )
        )  # fmt: skip
    plan = plan_rows(rows)
    cmap = tone(images)
    many = table["per_class"].nunique() > 1
    notes = ["below each prototype: its share of the class", tone_note(cmap)]
    if cut > 0:
        notes.insert(0, f"of each class the {most} largest prototypes")
    figure, axes = new_plate(
        plan.height, f"{counted(len(labels), 'prototype')}: the centroids inside each class", notes,
        below=CURVE if many else 0,
    )  # fmt: skip
    draw_class_rows(axes, rows, plan, cmap)
    if many:
        _draw_curve(figure, axes.get_position().y0, _by_number(table), len(labels))
    return figure


def _draw_curve(figure: Figure, top: float, means: pd.DataFrame, drawn: int) -> None:
    """Draw accuracy against prototypes a class under the images, which end at `top`."""
    from matplotlib.patheffects import withStroke
    from matplotlib.ticker import FixedLocator, NullFormatter, NullLocator, PercentFormatter

    total = figure.get_size_inches()[1]
    foot = top - CURVE / total
    axes = figure.add_axes(
        (0.095, foot + 0.5 / total, 1 - 0.095 - MARGIN / WIDTH - 0.01, (CURVE - 0.95) / total)
    )
    numbers, mean, sd = (means[name].to_numpy() for name in ("per_class", "mean", "sd"))
    blue = LABEL_COLOURS[0]
    axes.fill_between(numbers, mean - sd, mean + sd, color=blue, alpha=0.15, lw=0)
    axes.plot(numbers, mean, color=blue, marker="o", markersize=6, lw=2)
    axes.set_xscale("log")
    seeds = int(means["seeds"].max())
    band = f" (band: mean ± sd over {seeds} seeds)" if seeds > 1 else ""
    dress(axes, f"the nearest prototype's class on test images{band}",
          "prototypes a class", "accuracy")  # fmt: skip
    axes.xaxis.set_major_locator(FixedLocator(list(numbers)))
    axes.set_xticklabels([f"{n:,}" for n in numbers])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xlim(numbers.min() / 1.3, numbers.max() * 1.3)
    room = max(0.35 * float(mean.max() - mean.min()), 0.01)
    axes.set_ylim(float((mean - sd).min()) - 0.3 * room, float((mean + sd).max()) + room)
    axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0, symbol=" %"))
    axes.locator_params(axis="y", nbins=5)
    halo = [withStroke(linewidth=3, foreground="white")]  # where the curve climbs past a number
    for number, value, spread in zip(numbers, mean, sd, strict=True):
        axes.annotate(
            percent(float(value)), (number, value + spread), xytext=(0, 6),
            textcoords="offset points", ha="center", fontsize=SMALL, color=blue, path_effects=halo,
        )  # fmt: skip


def say_prototypes(table: pd.DataFrame, labels: pd.DataFrame) -> str:
    """Return one sentence: accuracy with the fewest and the most prototypes, and with those drawn."""
    means = _by_number(table)
    told = [
        f"{percent(float(row['mean']))} with {int(row['per_class']):,} a class"
        for _, row in means.iloc[[0, -1] if len(means) > 1 else [0]].iterrows()
    ]
    text = f"The class of the nearest prototype is right for {listing(told)} of the test images"
    best = means.iloc[int(means["mean"].to_numpy().argmax())]
    if len(means) > 2 and best["per_class"] not in (means["per_class"].iloc[[0, -1]].to_list()):
        text += (
            f", and most often, for {percent(float(best['mean']))}, with "
            f"{int(best['per_class']):,} a class"
        )
    return f"{text}; the {counted(len(labels), 'prototype')} of one fit are drawn."


@stage(packages=PACKAGES)
def draw_prototypes(
    table: pd.DataFrame, images: np.ndarray, labels: pd.DataFrame, about: dict[str, Any]
) -> Picture:
    """Draw the prototypes of each class as images and the accuracy against their number.

    Arguments:
        table: columns per_class, prototypes, seed, accuracy (0 to 1); a row a fit.
        images: uint8 (p, h, w), the prototypes of the fit that is drawn.
        labels: columns prototype (place in `images`), label (name), size; p rows.
        about: classes, the names by code.
    """
    return picture(plot_prototypes(table, images, labels, about), say_prototypes(table, labels))
