"""Points in a plane of two features: drawing groups so that none hides another."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import TYPE_CHECKING, Any

from tasks.figures.style import CARD, INK, LABEL, Look, sample_rows, spread_ties

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from matplotlib.axes import Axes

LAYERS = 4


def plane_points(features: pd.DataFrame, seed: int) -> tuple[np.ndarray, pd.DataFrame, str]:
    """Return the rows to draw (int64), their features with ties spread, and a note on both."""
    import pandas as pd

    rows = sample_rows(len(features), seed)
    drawn = features.iloc[rows].to_numpy(dtype=float)
    spread = spread_ties(drawn, seed)
    notes = []
    if len(rows) < len(features):
        notes.append(f"{len(rows):,} of {len(features):,} points drawn")
    if spread is not drawn:
        notes.append("equal points spread by ±0.35")
    return rows, pd.DataFrame(spread, columns=features.columns), " · ".join(notes)


def draw_groups(
    axes: Axes, x: np.ndarray, y: np.ndarray, groups: np.ndarray, looks: Mapping[Any, Look],
    size: float, alpha: float, hollow: bool = False,
) -> None:  # fmt: skip
    """Draw the points of every group in its colour and marker, in turns, so that none lies on top.

    Arguments:
        x, y: coordinates, float64 of shape (n,).
        groups: each point's key in `looks`, shape (n,).
        size: marker area in square points.
        hollow: draw rims only.
    """
    import numpy as np

    members = {key: np.flatnonzero(groups == key) for key in looks}
    for layer in range(LAYERS):
        for key, look in looks.items():
            rows = members[key][layer::LAYERS]
            axes.scatter(
                x[rows], y[rows], s=size, marker=look.marker, alpha=alpha,
                facecolors="none" if hollow else look.colour,
                edgecolors=look.colour if hollow else "none", linewidths=0.8 if hollow else 0,
            )  # fmt: skip


def set_limits(axes: Axes, x: np.ndarray, y: np.ndarray, room: float = 0.04) -> None:
    """Fit the axes to finite points with some room; a constant column gets a span of its own."""
    for values, setter in ((x, axes.set_xlim), (y, axes.set_ylim)):
        low, high = float(values.min()), float(values.max())
        span = (high - low) or 1.0
        setter(low - room * span, high + room * span)


def write_number(axes: Axes, x: float, y: float, text: Hashable, colour: str, size: float) -> None:
    """Write a cluster's number on a white disc with a rim in its colour."""
    axes.text(
        x, y, str(text), ha="center", va="center", fontsize=size, fontweight="bold", color=INK,
        bbox={"boxstyle": "circle,pad=0.1", "facecolor": CARD, "edgecolor": colour,
              "alpha": 0.9, "linewidth": 1.5},
        zorder=8,
    )  # fmt: skip


def mark_centroid(axes: Axes, x: float, y: float, number: int) -> None:
    """Draw a large cross with a white rim and the cluster's number beside it."""
    for colour, width, length in ((CARD, 6.0, 13), (INK, 3.0, 11)):
        axes.plot(
            [x], [y], marker="x", markersize=length, markeredgewidth=width, color=colour, zorder=7
        )
    axes.annotate(
        str(number), (x, y), xytext=(8, 8), textcoords="offset points", ha="left", va="bottom",
        fontsize=LABEL, fontweight="bold", color=INK, zorder=9,
        bbox={"boxstyle": "round,pad=0.12", "facecolor": CARD, "edgecolor": "none", "alpha": 0.85},
    )  # fmt: skip
