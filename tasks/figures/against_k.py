"""Curves over the number of clusters: their axis, and the mark at the chosen k."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tasks.figures.style import ACCENT, CARD, SMALL

if TYPE_CHECKING:
    from matplotlib.axes import Axes

K = "number of clusters k"


def set_k_axis(axes: Axes, ks: Sequence[int]) -> None:
    """Put whole-number ticks at the values of k, with room for a mark at either end."""
    from matplotlib.ticker import MaxNLocator

    room = 0.5 if len(ks) <= 13 else 0.02 * (max(ks) - min(ks))
    axes.set_xlim(min(ks) - room, max(ks) + room)
    if len(ks) <= 13:
        axes.set_xticks(list(ks))
    else:
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=10))


def mark_k(axes: Axes, k: int, value: float, text: str, above: bool = True) -> None:
    """Ring the point at k and write `text` beside it, towards the middle of the panel."""
    axes.axvline(k, color=ACCENT, lw=1, linestyle=(0, (2, 2)), zorder=1)
    axes.plot(
        [k], [value], marker="o", markersize=11, markerfacecolor="none", markeredgecolor=ACCENT,
        markeredgewidth=2, zorder=5,
    )  # fmt: skip
    low, high = axes.get_xlim()
    left = k > (low + high) / 2
    axes.annotate(
        text, (k, value), xytext=(-9 if left else 9, 8 if above else -8),
        textcoords="offset points", ha="right" if left else "left",
        va="bottom" if above else "top", fontsize=SMALL + 0.5, color=ACCENT, fontweight="bold",
        bbox={"facecolor": CARD, "edgecolor": "none", "alpha": 0.8, "pad": 1}, zorder=6,
    )  # fmt: skip
