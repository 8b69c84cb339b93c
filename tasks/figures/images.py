"""Small images side by side on one sheet: their tone, their size, and rows of them by class.

They lie in one axes whose unit is an inch, so that type below and beside them fits by arithmetic.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tasks.figures.style import DPI, GRID, INK, LABEL, MARGIN, MUTED, SMALL, WIDTH, new_sheet
from tasks.figures.words import distinct_names

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BREADTH = WIDTH - 2 * MARGIN  # inches for images and their captions
# Inches: the pixels of a small image need not be seen one by one, yet its content must be.
LARGEST_IMAGE, SMALLEST_IMAGE = 0.95, 0.34
TALLEST = 8.5  # inches of rows that one still takes in
GAP = 0.07
LINE = 0.165  # of small type
DARK = 32  # grey values below are background where they are most of an image


def tone(images: np.ndarray) -> str:
    """Return the colour map for images (…, h, w): light strokes on black are drawn as ink.

    Ink on paper shows faint strokes better than light on black, and its rim melts into the sheet.
    Images in colour (…, h, w, 3) are drawn as they are.
    """
    import numpy as np

    if images.shape[-1] == 3:  # no image is 3 pixels wide
        return "gray"
    return "Greys" if images.size and np.mean(images < DARK) > 0.4 else "gray"


def tone_note(cmap: str) -> str:
    """Return what to say of a colour map below the images, nothing where they are as stored."""
    return "light on black is drawn as dark on white" if cmap == "Greys" else ""


def text_width(text: str, size: float, bold: bool = False) -> float:
    """Return the width in inches of a line of type of `size` points."""
    from matplotlib.font_manager import FontProperties, findfont, get_font

    font = get_font(findfont(FontProperties(weight="bold" if bold else "normal")))
    font.set_size(size, DPI)
    font.set_text(text.replace(r"\$", "$"), 0.0)
    return float(font.get_width_height()[0]) / 64 / DPI


def fit_names(names: Iterable[str], width: float, size: float, longest: int = 24) -> dict[str, str]:
    """Map each name to a short form that fits `width` inches of bold type, as far as four letters."""
    every = list(dict.fromkeys(names))
    for length in range(longest, 3, -1):
        short = distinct_names(every, length)
        if all(text_width(text, size, bold=True) <= width for text in short.values()):
            break
    return short


def fit_image(
    shape: Sequence[int], width: float, height: float = LARGEST_IMAGE
) -> tuple[float, float]:
    """Return width and height in inches of an image of `shape` (h, w) inside a box, undistorted."""
    scale = min(width / shape[1], height / shape[0])
    return shape[1] * scale, shape[0] * scale


def new_plate(
    height: float, title: str, notes: Sequence[str] = (), below: float = 0
) -> tuple[Figure, Axes]:
    """Return a sheet and an axes on it of `BREADTH` × `height` inches, 0, 0 in its upper left.

    `below` inches under the axes are left free, for a panel placed by hand.
    """
    figure = new_sheet(height + below, title, " · ".join(note for note in notes if note))
    layout = figure.get_layout_engine()
    assert layout is not None
    foot = layout.get()["rect"][1]
    # Everything is placed by hand; there is nothing to lay out.
    figure.set_layout_engine("none")
    total = figure.get_size_inches()[1]
    axes = figure.add_axes((MARGIN / WIDTH, foot + below / total, BREADTH / WIDTH, height / total))
    axes.set_axis_off()
    axes.set_autoscale_on(False)
    axes.set_xlim(0, BREADTH)
    axes.set_ylim(height, 0)
    return figure, axes


def draw_image(
    axes: Axes, image: np.ndarray, x: float, y: float, size: tuple[float, float], cmap: str,
    limits: tuple[float, float] = (0, 255),
) -> None:  # fmt: skip
    """Draw one image (h, w), its upper left corner at x, y (inches), `size` wide and high."""
    from matplotlib.patches import Rectangle

    width, height = size
    axes.imshow(
        image, cmap=cmap, vmin=limits[0], vmax=limits[1], aspect="auto", zorder=2,
        interpolation="nearest", extent=(x, x + width, y + height, y),
    )  # fmt: skip
    axes.add_patch(
        Rectangle((x, y), width, height, fill=False, edgecolor="#c4cad1", linewidth=0.6, zorder=3)
    )


@dataclass(frozen=True)
class ClassRow:
    """Images of one class: uint8 (n, h, w), and a short text below each of them or none."""

    name: str
    detail: str
    images: np.ndarray
    captions: Sequence[str] = field(default=())


@dataclass(frozen=True)
class RowPlan:
    """Where rows of images lie, in inches: `lines` rows in each of `blocks` columns."""

    blocks: int
    lines: int
    breadth: float
    beside: float
    room: float
    step: float
    size: tuple[float, float]
    names: Sequence[str]

    @property
    def height(self) -> float:
        """Inches that all rows take."""
        return self.lines * self.step


def row_capacity(classes: int) -> int:
    """Return how many images of each class are shown on a sheet of so many classes."""
    return 12 if classes <= 12 else 6 if classes <= 24 else 4


def plan_rows(rows: Sequence[ClassRow]) -> RowPlan:
    """Return the plan with the largest images that is not too tall, else the one least tall."""
    plans = [_plan(rows, blocks) for blocks in range(1, 5)]
    fitting = [plan for plan in plans if plan.size[0] >= min(SMALLEST_IMAGE, plans[0].size[0])]
    low = [plan for plan in fitting if plan.height <= TALLEST]
    if low:
        return min(low, key=lambda plan: (-round(plan.size[0], 2), plan.height))
    return min(fitting, key=lambda plan: plan.height)


def _plan(rows: Sequence[ClassRow], blocks: int) -> RowPlan:
    breadth = (BREADTH - (blocks - 1) * 3 * GAP) / blocks
    short = fit_names([row.name for row in rows], max(0.9, 0.3 * breadth), LABEL)
    beside = 0.12 + max(
        *(text_width(row.detail, SMALL) for row in rows),
        *(text_width(name, LABEL, bold=True) for name in short.values()),
    )
    room = (breadth - beside) / max(len(row.images) for row in rows) - GAP
    size = fit_image(rows[0].images.shape[1:], max(room, 0.01))
    caption = LINE + 0.03 if any(row.captions for row in rows) else 0
    step = max(size[1] + caption, 2.2 * LINE) + GAP
    lines = -(-len(rows) // blocks)
    # An image that does not fill its place, tall or large, draws nearer to the next.
    return RowPlan(
        blocks, lines, breadth, beside, min(room, size[0] + 3 * GAP), step, size,
        [short[row.name] for row in rows],
    )  # fmt: skip


def draw_class_rows(axes: Axes, rows: Sequence[ClassRow], plan: RowPlan, cmap: str) -> None:
    """Draw a row for each class, its name and detail to the left, from top to bottom."""
    for index, (row, name) in enumerate(zip(rows, plan.names, strict=True)):
        block, line = divmod(index, plan.lines)
        left = block * (plan.breadth + 3 * GAP)
        top = line * plan.step
        middle = top + max(plan.size[1] / 2, LINE)
        axes.text(
            left, middle - 0.02, name, va="bottom", fontsize=LABEL, fontweight="bold", color=INK
        )
        axes.text(left, middle + 0.02, row.detail, va="top", fontsize=SMALL, color=MUTED)
        if line:
            axes.plot(
                [left, left + plan.breadth], [top - GAP / 2] * 2, color=GRID, lw=0.8, zorder=1
            )
        for place, image in enumerate(row.images):
            x = left + plan.beside + place * (plan.room + GAP)
            draw_image(axes, image, x, top, plan.size, cmap)
            if place < len(row.captions):
                axes.text(
                    x + plan.size[0] / 2, top + plan.size[1] + 0.03, row.captions[place],
                    ha="center", va="top", fontsize=SMALL, color=INK,
                )  # fmt: skip
