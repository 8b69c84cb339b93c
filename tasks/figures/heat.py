"""Heat maps with a number in every cell: white rules between cells, type that stands out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tasks.figures.style import CARD, INK

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def type_colour(background: Sequence[float]) -> str:
    """Return white or ink for type on a colour (red, green, blue, 0 to 1; opacity is ignored)."""
    red, green, blue = (float(part) ** 2.2 for part in background[:3])
    # Relative luminance; at 0.2 both contrasts are equal, and white reads better on strong hues.
    return CARD if 0.2126 * red + 0.7152 * green + 0.0722 * blue < 0.26 else INK


def rule_cells(axes: Axes, rows: int, columns: int) -> None:
    """Draw white rules between the cells and take the frame and the ticks' strokes away."""
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.set_xticks([column - 0.5 for column in range(1, columns)], minor=True)
    axes.set_yticks([row - 0.5 for row in range(1, rows)], minor=True)
    axes.grid(True, which="minor", color=CARD, linewidth=1.5)
    axes.tick_params(which="both", length=0)
