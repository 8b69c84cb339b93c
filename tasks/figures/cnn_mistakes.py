"""The images that a network gets most wrong, with what it takes them for and how sure it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from engine import Picture, stage
from tasks.figures.images import (
    BREADTH,
    GAP,
    LINE,
    draw_image,
    fit_image,
    fit_names,
    new_plate,
    text_width,
    tone,
    tone_note,
)
from tasks.figures.style import ACCENT, INK, MUTED, PACKAGES, SMALL, picture
from tasks.figures.words import counted, percent, prose

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from matplotlib.figure import Figure

MOST = 40
COLUMNS = 10


def plot_mistakes(
    mistakes: pd.DataFrame, test: Mapping[str, np.ndarray], about: Mapping[str, Any]
) -> Figure:
    """Return the surest mistakes first, under each its class → what it was taken for, and the chance."""
    import numpy as np

    shown = mistakes.head(MOST)
    rows = max(1, -(-len(shown) // COLUMNS))
    pitch = BREADTH / COLUMNS
    images = np.asarray(test["x"])[shown["image"].to_numpy()]
    # Beside the arrow; two short names stand on one line.
    names = fit_names([str(name) for name in about["classes"]], pitch - 0.3, SMALL + 1)
    size = fit_image(test["x"].shape[1:3], pitch - 2 * GAP, pitch - 2 * GAP)
    step = size[1] + 2 * LINE + 0.14
    cmap = tone(images)
    more = len(mistakes) - len(shown)
    figure, axes = new_plate(
        rows * step if len(shown) else 0.4,
        f"The {counted(len(shown), 'surest mistake')}"
        + (f" of {len(mistakes):,}" if more > 0 else ""),
        (
            "what it is → what it was taken for, and the chance that was given to that",
            tone_note(cmap),
        ),
    )
    told = zip(shown["truth"], shown["predicted"], shown["chance"].tolist(), images, strict=True)
    for place, (truth, predicted, chance, image) in enumerate(told):
        line, column = divmod(place, COLUMNS)
        x, y = column * pitch + GAP, line * step
        draw_image(axes, image, x, y, size, cmap)
        middle, below = x + size[0] / 2, y + size[1] + 0.04
        own, other = names[str(truth)], names[str(predicted)]
        short = text_width(f"{own} → {other}", SMALL + 1, bold=True) < pitch - 0.06
        axes.text(
            middle, below, f"{own} → {other}" if short else f"→ {other}", ha="center", va="top",
            fontsize=SMALL + (1 if short else -0.5), fontweight="bold", color=ACCENT,
        )  # fmt: skip
        axes.text(
            middle, below + LINE, percent(chance, 0), ha="center", va="top",
            fontsize=SMALL, color=MUTED,
        )  # fmt: skip
    if not len(shown):
        axes.text(0, 0.2, "none", va="center", fontsize=SMALL + 1, color=INK)
    return figure


def say_mistakes(mistakes: pd.DataFrame, test: Mapping[str, np.ndarray]) -> str:
    """Return one sentence: how many mistakes, the surest one, how many are nearly undecided."""
    rows = len(test["y"])
    if not len(mistakes):
        return f"None of the {rows:,} test images is taken for another class."
    first = mistakes.iloc[0]
    torn = int((mistakes["chance"] < 0.6).sum())
    return (
        f"{counted(len(mistakes), 'test image')} of {rows:,} "
        f"{'is' if len(mistakes) == 1 else 'are'} taken for another class, the surest one "
        f"{prose(first['truth'])} taken for {prose(first['predicted'])} with "
        f"{percent(float(first['chance']))}; in {torn} of these cases the network was torn (below 60 %)."
    )


@stage(packages=PACKAGES)
def draw_mistakes(
    mistakes: pd.DataFrame, test: Mapping[str, np.ndarray], about: dict[str, Any]
) -> Picture:
    """Draw the test images that are wrong by the widest margin.

    Arguments:
        mistakes: of `evaluate_cnn`: image, truth, predicted, chance; the surest first.
        test: x, uint8 (n, h, w[, c]).
        about: classes, the names by code.
    """
    return picture(plot_mistakes(mistakes, test, about), say_mistakes(mistakes, test))
