"""What the search of start images is worth: every map's pattern with it and without."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from engine import Picture, stage
from tasks.dreams.pixels import show_contrast
from tasks.figures.images import BREADTH, GAP, LINE, draw_image, fit_image, new_plate
from tasks.figures.style import (
    ACCENT,
    INK,
    LABEL,
    LABEL_COLOURS,
    MARGIN,
    MUTED,
    PACKAGES,
    SMALL,
    WIDTH,
    dress,
    picture,
)
from tasks.figures.words import counted

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from matplotlib.figure import Figure

EXAMPLES = 12
PANEL = 2.9  # inches


def plot_search(
    images: np.ndarray, unsearched: np.ndarray, table: pd.DataFrame, summary: Mapping[str, Any]
) -> Figure:
    """Return pairs of patterns where the search changes most; below, all maps by their activation."""
    import numpy as np

    own, plain = table["activation"].to_numpy(), table["unsearched"].to_numpy()
    gained = own - plain
    rescued = np.flatnonzero((plain <= 0) & (own > 0))
    # Maps that only the search wakes come first, then those that it helps most.
    ranked = np.argsort(-gained, kind="stable")
    chosen = [*rescued[np.argsort(-own[rescued], kind="stable")], *ranked]
    chosen = list(dict.fromkeys(int(each) for each in chosen))[:EXAMPLES]
    beside = 1.05
    pitch = (BREADTH - beside) / max(len(chosen), 6)
    size = fit_image(images.shape[1:3], pitch - GAP, pitch - GAP)
    height = 2 * (size[1] + LINE + 0.1) + 0.25
    figure, axes = new_plate(
        height,
        f"{int((own > 0).sum())} maps end above zero, {int((plain > 0).sum())} without the search",
        (
            f"search: the best of {summary['starts']:,} random images, after a few steps of the best "
            f"{summary['candidates']}; without: one random image for each map",
            "numbers under the images: activation of the map",
        ),
        below=PANEL,
    )
    rows = (("without", unsearched, plain), ("with search", images, own))
    for row, (name, pictures, values) in enumerate(rows):
        y = 0.22 + row * (size[1] + LINE + 0.1)
        axes.text(
            0, y + size[1] / 2, name, va="center", fontsize=LABEL, fontweight="bold", color=INK
        )
        shown = show_contrast(pictures[chosen])
        shown = shown[..., 0] if shown.shape[3] == 1 else shown
        for place, (number, image) in enumerate(zip(chosen, shown, strict=True)):
            x = beside + place * pitch
            draw_image(axes, image, x, y, size, "gray")
            if row == 0:
                axes.text(
                    x + size[0] / 2, y - 0.03, f"map {number}", ha="center", va="bottom",
                    fontsize=SMALL, color=MUTED,
                )  # fmt: skip
            value = float(values[number])
            axes.text(
                x + size[0] / 2, y + size[1] + 0.02, f"{value:.2f}" if value > 0 else "0",
                ha="center", va="top", fontsize=SMALL, color=INK if value > 0 else ACCENT,
                fontweight="normal" if value > 0 else "bold",
            )  # fmt: skip
    _draw_curves(figure, axes.get_position().y0, own, plain)
    return figure


def _draw_curves(figure: Figure, top: float, own: np.ndarray, plain: np.ndarray) -> None:
    """Every map's activation with the search as a curve, and without as a point under or over it."""
    import numpy as np

    total = figure.get_size_inches()[1]
    foot = top - PANEL / total
    axes = figure.add_axes(
        (0.075, foot + 0.45 / total, 1 - 0.075 - MARGIN / WIDTH - 0.01, (PANEL - 0.85) / total)
    )
    order = np.argsort(-own, kind="stable")
    place = np.arange(len(own))
    dress(axes, "all maps, the strongest pattern first", "map", "activation", grid="y")
    axes.plot(place, own[order], color=LABEL_COLOURS[0], lw=2, label="with the search")
    alive = plain[order] > 0
    axes.plot(
        place[alive], plain[order][alive], linestyle="", marker="o", markersize=4,
        color=LABEL_COLOURS[1], label="without", zorder=3,
    )  # fmt: skip
    axes.plot(
        place[~alive], plain[order][~alive], linestyle="", marker="X", markersize=7,
        color=ACCENT, label="without: stays at zero", zorder=4, clip_on=False,
    )  # fmt: skip
    axes.set_xlim(-1, len(own))
    axes.set_ylim(0, float(max(own.max(), plain.max(), 1e-6)) * 1.05)
    axes.set_xticks([])
    axes.legend(frameon=False, fontsize=SMALL, labelcolor=INK, loc="upper right", ncols=3)


def say_search(table: pd.DataFrame, summary: Mapping[str, Any]) -> str:
    """Return one sentence: how many maps the search wakes, and what it adds to the others."""
    import numpy as np

    own, plain = table["activation"].to_numpy(), table["unsearched"].to_numpy()
    rescued = [str(n) for n in table.loc[(plain <= 0) & (own > 0), "map"]]
    both = (own > 0) & (plain > 0)
    text = (
        f"From one random image each {int((plain > 0).sum())} of {counted(len(own), 'map')} end above "
        f"zero, from the best of {summary['starts']:,} {int((own > 0).sum())} do"
    )
    if rescued:
        shown = ", ".join(rescued[:8]) + (" …" if len(rescued) > 8 else "")
        text += f"; the search wakes {counted(len(rescued), 'map')} ({shown})"
    if both.any():
        # Of medians: a single start that ends next to zero would decide a mean of ratios.
        change = 100 * (float(np.median(own[both]) / np.median(plain[both])) - 1)
        others = "the others" if rescued else "the maps that end above zero without it"
        text += (
            f"; {others} end {abs(change):.0f} % {'higher' if change >= 0 else 'lower'} (median)"
        )
    return f"{text}."


@stage(packages=PACKAGES)
def draw_search(
    images: np.ndarray, unsearched: np.ndarray, table: pd.DataFrame, summary: dict[str, Any]
) -> Picture:
    """Draw patterns that grew from searched starts beside those from any starts.

    Arguments:
        images, unsearched: float32 (maps, h, w, c), of `grow_patterns`.
        table: of `score_patterns`: map, activation, unsearched.
        summary: of `search_starts`: starts, candidates.
    """
    return picture(plot_search(images, unsearched, table, summary), say_search(table, summary))
