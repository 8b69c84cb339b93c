"""Pictures on a sheet, each with a line above and below it: the shelf that all dream figures use."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING

from engine import Picture
from tasks.figures.images import BREADTH, GAP, LINE, new_plate, text_width
from tasks.figures.style import CARD, DPI, INK, LABEL, LARGEST, MUTED, SMALL

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

HEAD = 0.25  # inches for the line above a picture
TALLEST = 4.6  # inches of one picture


@dataclass(frozen=True)
class Plate:
    """One picture: grey uint8 (h, w) or RGB uint8 (h, w, 3), its title and a line below it."""

    pixels: np.ndarray
    title: str
    note: str = ""


def hang(
    rows: Sequence[Sequence[Plate]], title: str, notes: Sequence[str] = ()
) -> tuple[Figure, Axes]:
    """Return a sheet of rows of pictures; all pictures of a row have one height and share the width."""
    tops, heights, total = [], [], 0.0
    for row in rows:
        height = _height(row)
        tops.append(total)
        heights.append(height)
        lines = max(len(_lines(plate, height)) for plate in row)
        total += HEAD + height + LINE * lines + 0.04 * bool(lines) + 2 * GAP
    figure, axes = new_plate(total - GAP, title, notes)
    for row, top, height in zip(rows, tops, heights, strict=True):
        x = 0.0
        for plate in row:
            width = height * plate.pixels.shape[1] / plate.pixels.shape[0]
            _hang_one(axes, plate, x, top, width, height)
            x += width + GAP
    return figure, axes


def framed(figure: Figure, alt: str) -> Picture:
    """Return a sheet of photos as a `Picture`: few colours as everywhere, but without bands of them."""
    from PIL import Image

    buffer = BytesIO()
    figure.savefig(buffer, format="png", dpi=DPI, facecolor=CARD, metadata={"Software": None})
    if buffer.tell() <= LARGEST:
        return Picture(buffer.getvalue(), "png", alt)
    small = BytesIO()
    with Image.open(buffer) as image:
        image.convert("RGB").quantize(256, dither=Image.Dither.FLOYDSTEINBERG).save(
            small, format="png", optimize=True
        )
    return Picture(small.getvalue(), "png", alt)


def shrink(pixels: np.ndarray, width: int, height: int) -> np.ndarray:
    """Pixels uint8 (h, w) or (h, w, 3) in another size: averaged where there are fewer."""
    import numpy as np
    from PIL import Image

    small = pixels.shape[1] < width or pixels.shape[0] < height
    # A network's own few pixels are to be seen as such.
    method = Image.Resampling.NEAREST if small else Image.Resampling.LANCZOS
    return np.asarray(Image.fromarray(np.asarray(pixels)).resize((width, height), method))


def _height(row: Sequence[Plate]) -> float:
    shapes = [plate.pixels.shape for plate in row]
    breadth = BREADTH - GAP * (len(row) - 1)
    return min(TALLEST, breadth / sum(shape[1] / shape[0] for shape in shapes))


def _hang_one(axes: Axes, plate: Plate, x: float, top: float, width: float, height: float) -> None:
    from matplotlib.patches import Rectangle

    size = LABEL if text_width(plate.title, LABEL, bold=True) <= width else SMALL
    axes.text(
        x, top + HEAD - 0.06, plate.title, va="bottom", fontsize=size, fontweight="bold", color=INK
    )
    pixels = shrink(plate.pixels, max(1, round(width * DPI)), max(1, round(height * DPI)))
    y = top + HEAD
    axes.imshow(
        pixels, cmap="gray", vmin=0, vmax=255, aspect="auto", interpolation="nearest", zorder=2,
        extent=(x, x + width, y + height, y),
    )  # fmt: skip
    axes.add_patch(
        Rectangle((x, y), width, height, fill=False, edgecolor="#c4cad1", linewidth=0.6, zorder=3)
    )
    for number, line in enumerate(_lines(plate, height)):
        below = y + height + 0.04 + number * LINE
        axes.text(x, below, line, va="top", fontsize=SMALL, color=MUTED)


def _lines(plate: Plate, height: float) -> list[str]:
    """The note, broken where the picture is narrower."""
    width = height * plate.pixels.shape[1] / plate.pixels.shape[0]
    lines = [""]
    for word in plate.note.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and text_width(longer, SMALL) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return [line for line in lines if line]
