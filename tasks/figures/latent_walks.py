"""What the decoder makes of points of the latent space: a grid, walks along the axes, ways."""

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
    tone,
    tone_note,
)
from tasks.figures.style import INK, LABEL, MUTED, PACKAGES, SMALL, picture
from tasks.figures.words import literal, prose

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

GRID_HEIGHT = 7.4  # inches of all rows of a grid
AXIS, UNDER = 0.55, 0.28  # inches beside and below a grid for its coordinates


def _number(value: float) -> str:
    """Return a coordinate with two or three digits and a true minus sign."""
    # z: a zero has no sign
    return f"{value:z.{1 if abs(value) < 9.95 else 0}f}".replace("-", "−")


def plot_grid(
    images: np.ndarray, plane: Mapping[str, np.ndarray], summary: Mapping[str, Any], *,
    name: str = "z",
) -> Figure:  # fmt: skip
    """Return the decoded images of a rectangle of the plane side by side, with its coordinates."""
    columns, rows = int(summary["columns"]), int(summary["rows"])
    dimensions = int(summary["dimensions"])
    size = fit_image(images.shape[1:3], (BREADTH - 2 * AXIS) / columns, GRID_HEIGHT / rows)
    cmap = tone(images)
    width, height = columns * size[0], rows * size[1]
    left = max(AXIS, (BREADTH - width) / 2)
    figure, axes = new_plate(
        height + UNDER,
        f"A plane of the latent space of {name}, decoded point by point",
        (
            ("across: z1" + ", up: z2" * (dimensions == 2))
            if dimensions <= 2
            else "across and up: the two principal axes of z through its mean, with "
            f"{100 * summary['explained']:.0f} % of its variance",
            "from the 2nd to the 98th percentile of the training points",
            tone_note(cmap),
        ),
    )
    # One large image: hundreds of small ones take seconds to draw.
    lines = images.reshape(rows, columns, *images.shape[1:]).swapaxes(1, 2)
    sheet = lines.reshape(rows * images.shape[1], columns * images.shape[2], *images.shape[3:])
    axes.imshow(
        sheet, cmap=cmap, vmin=0, vmax=255, aspect="auto", interpolation="nearest", zorder=2,
        extent=(left, left + width, height, 0),
    )  # fmt: skip
    _write_ticks(axes, plane, left, size, (width, height))
    return figure


def _write_ticks(
    axes: Axes, plane: Mapping[str, np.ndarray], left: float, size: tuple[float, float],
    extent: tuple[float, float],
) -> None:  # fmt: skip
    """Write coordinates below and beside some columns and rows, and a frame around all."""
    from matplotlib.patches import Rectangle

    axes.add_patch(
        Rectangle((left, 0), *extent, fill=False, edgecolor="#c4cad1", linewidth=0.8, zorder=3)
    )
    across, up = plane["across"], plane["up"]
    for column in sorted(
        {0, len(across) // 4, len(across) // 2, 3 * len(across) // 4, len(across) - 1}
    ):
        axes.text(
            left + (column + 0.5) * size[0], extent[1] + 0.05, _number(across[column]), ha="center",
            va="top", fontsize=SMALL, color=MUTED,
        )  # fmt: skip
    if len(up) == 1:
        return
    for line in sorted({0, len(up) // 4, len(up) // 2, 3 * len(up) // 4, len(up) - 1}):
        axes.text(
            left - 0.06, (line + 0.5) * size[1], _number(up[line]), ha="right", va="center",
            fontsize=SMALL, color=MUTED,
        )  # fmt: skip


@stage(packages=PACKAGES)
def draw_grid(
    images: np.ndarray,
    plane: Mapping[str, np.ndarray],
    summary: dict[str, Any],
    *,
    name: str = "z",
) -> Picture:
    """Draw a plane of the latent space as the images that its points are decoded to.

    Arguments:
        images, plane, summary: of `decode_grid`.
        name: of the model.
    """
    return picture(
        plot_grid(images, plane, summary, name=name), f"{prose(name)}: {summary['finding']}"
    )


def plot_traversals(
    images: np.ndarray, start: np.ndarray, axes_table: pd.DataFrame, summary: Mapping[str, Any], *,
    name: str = "z",
) -> Figure:  # fmt: skip
    """Return a row of images for each axis of z, from its low end to its high one."""
    beside, after = 1.1, 0.55
    steps = images.shape[1]
    first = 1.15
    size = fit_image(images.shape[2:4], (BREADTH - beside - after - first) / steps - 0.03, 0.5)
    step = size[1] + 0.05
    cmap = tone(images)
    figure, axes = new_plate(
        max(len(images) * step, 2 * (size[1] + 2.4 * LINE)),
        f"Walks along the axes of {name} through one unseen image",
        (
            "one axis moves from the 2nd to the 98th percentile of the training points, the others "
            "stay; the axis that changes most comes first",
            f"{len(images)} of {summary['dimensions']} axes" if len(images) < summary["dimensions"] else "",
            tone_note(cmap),
        ),
    )  # fmt: skip
    for place, text in enumerate((f"{summary['label']}", "rebuilt")):
        y = place * (size[1] + 2.2 * LINE)
        draw_image(axes, start[place], 0, y, size, cmap)
        axes.text(
            0, y + size[1] + 0.03, literal(fit_names([text], 1.05, SMALL)[text]), va="top",
            fontsize=SMALL, color=INK,
        )  # fmt: skip
    for line, row in enumerate(axes_table.to_dict("records")):
        y = line * step
        axes.text(
            first, y + size[1] / 2, f"axis {row['axis']}", va="center", fontsize=LABEL,
            fontweight="bold", color=INK,
        )  # fmt: skip
        axes.text(
            first + beside - 0.08, y + size[1] / 2, _number(row["low"]), va="center", ha="right",
            fontsize=SMALL, color=MUTED,
        )  # fmt: skip
        for place, image in enumerate(images[line]):
            draw_image(axes, image, first + beside + place * (size[0] + 0.03), y, size, cmap)
        axes.text(
            first + beside + steps * (size[0] + 0.03) + 0.05, y + size[1] / 2, _number(row["high"]),
            va="center", fontsize=SMALL, color=MUTED,
        )  # fmt: skip
    return figure


@stage(packages=PACKAGES)
def draw_traversals(
    images: np.ndarray,
    start: np.ndarray,
    axes: pd.DataFrame,
    summary: dict[str, Any],
    *,
    name: str = "z",
) -> Picture:
    """Draw what changes in an image along every axis of the latent space.

    Arguments:
        images, start, axes, summary: of `traverse`.
        name: of the model.
    """
    return picture(
        plot_traversals(images, start, axes, summary, name=name),
        f"{prose(name)}: {summary['finding']}",
    )


def plot_interpolations(
    images: np.ndarray, ends: np.ndarray, pairs: pd.DataFrame, *, name: str = "z"
) -> Figure:
    """Return a row for each pair: the first image, the way in z, the second image."""
    steps = images.shape[1]
    names = fit_names([*pairs["first_label"], *pairs["second_label"]], 0.8, LABEL)
    beside = 0.85
    size = fit_image(images.shape[2:4], (BREADTH - 2 * beside - 4 * GAP) / (steps + 2) - 0.03, 0.7)
    step = size[1] + 0.06
    cmap = tone(images)
    figure, axes = new_plate(
        len(images) * step + LINE,
        f"From one unseen image to another through the latent space of {name}",
        ("outside: the images themselves; between them a straight line in z, decoded", tone_note(cmap)),
    )  # fmt: skip
    width = (steps + 2) * (size[0] + 0.03) + 2 * GAP
    left = (BREADTH - width) / 2
    middle = left + size[0] + 0.03 + GAP
    for line, row in enumerate(pairs.to_dict("records")):
        y = LINE + line * step
        draw_image(axes, ends[line, 0], left, y, size, cmap)
        for place, image in enumerate(images[line]):
            draw_image(axes, image, middle + place * (size[0] + 0.03), y, size, cmap)
        right = middle + steps * (size[0] + 0.03) + GAP
        draw_image(axes, ends[line, 1], right, y, size, cmap)
        for x, ha, label in (
            (left - 0.08, "right", row["first_label"]),
            (right + size[0] + 0.08, "left", row["second_label"]),
        ):
            axes.text(
                x, y + size[1] / 2, names[str(label)], ha=ha, va="center", fontsize=LABEL,
                fontweight="bold", color=INK,
            )  # fmt: skip
    for x, text in ((left, "image"), (middle, "decoded")):
        axes.text(x, 0, text, va="top", fontsize=SMALL, color=MUTED)
    axes.text(right + size[0], 0, "image", ha="right", va="top", fontsize=SMALL, color=MUTED)
    return figure


@stage(packages=PACKAGES)
def draw_interpolations(
    images: np.ndarray,
    ends: np.ndarray,
    pairs: pd.DataFrame,
    summary: dict[str, Any],
    *,
    name: str = "z",
) -> Picture:
    """Draw the ways from images to images of other classes.

    Arguments:
        images, ends, pairs, summary: of `interpolate`.
        name: of the model.
    """
    return picture(
        plot_interpolations(images, ends, pairs, name=name), f"{prose(name)}: {summary['finding']}"
    )
