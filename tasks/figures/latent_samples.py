"""Images that no one drew, by where their points came from, and which of them the judge passes."""

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
    new_plate,
    tone,
    tone_note,
)
from tasks.figures.style import ACCENT, INK, LABEL, MUTED, PACKAGES, SMALL, picture
from tasks.figures.words import literal, percent, prose

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLUMNS, ROWS = 20, 3  # images of a source


def plot_latent_samples(
    images: np.ndarray, verdicts: pd.DataFrame, shares: pd.DataFrame, limits: Mapping[str, Any], *,
    name: str = "z",
) -> Figure:  # fmt: skip
    """Return the first samples of each source; what does not pass is crossed by a line below it."""
    size = fit_image(images.shape[1:3], BREADTH / COLUMNS - 0.04, 0.6)
    step = size[1] + 0.1
    block = ROWS * step + 1.6 * LINE + 2 * GAP
    cmap = tone(images)
    figure, axes = new_plate(
        len(shares) * block - 2 * GAP,
        f"Samples of the latent space of {name}, decoded",
        (
            "underlined: looks like no image of the data, by its ten nearest training images; of "
            f"unseen images {percent(limits['unseen'])} pass, {percent(limits['unseen_clear'])} clearly, "
            f"of averages of two of different classes {percent(limits['blends'])} and "
            f"{percent(limits['blends_clear'])}",
            tone_note(cmap),
        ),
    )
    for number, row in enumerate(shares.to_dict("records")):
        top = number * block
        axes.text(
            0,
            top,
            literal(str(row["source"])),
            va="top",
            fontsize=LABEL,
            fontweight="bold",
            color=INK,
        )
        axes.text(
            BREADTH, top,
            f"{percent(float(row['share']))} of {row['rows']:,} pass, {percent(float(row['clear']))} "
            f"clearly; {row['labels']} of the classes",
            va="top", ha="right", fontsize=SMALL, color=MUTED,
        )  # fmt: skip
        own = (verdicts["source"] == row["source"]).to_numpy().nonzero()[0][: COLUMNS * ROWS]
        for place, index in enumerate(own):
            line, column = divmod(place, COLUMNS)
            x, y = column * BREADTH / COLUMNS, top + 1.6 * LINE + line * step
            draw_image(axes, images[index], x, y, size, cmap)
            if not verdicts["passes"].iloc[index]:
                _underline(axes, x, y + size[1] + 0.035, size[0])
    return figure


def _underline(axes: Axes, x: float, y: float, width: float) -> None:
    axes.plot([x, x + width], [y, y], color=ACCENT, linewidth=2, solid_capstyle="butt", zorder=4)


@stage(packages=PACKAGES)
def draw_latent_samples(
    images: np.ndarray,
    verdicts: pd.DataFrame,
    shares: pd.DataFrame,
    summary: dict[str, Any],
    limits: dict[str, Any],
    *,
    name: str = "z",
) -> Picture:
    """Draw samples of the latent space by their source, with the judge's verdict.

    Arguments:
        images: of `sample_latents`.
        verdicts, shares, summary: of `judge_samples`.
        limits: of `fit_judge`.
        name: of the model.
    """
    figure = plot_latent_samples(images, verdicts, shares, limits, name=name)
    return picture(figure, f"{prose(name)}: {summary['finding']}")
