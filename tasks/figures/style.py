"""The one look of all pictures: colours, markers, type sizes, sheets, and the way to PNG bytes.

Colours are never alone: every class has a marker and a dash as well, every cluster its number.
Nothing here touches pyplot or matplotlib's global settings, so stages may draw in threads.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from textwrap import wrap
from typing import TYPE_CHECKING, Any

from engine import Picture
from tasks.figures.words import literal

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure
    from matplotlib.legend import Legend
    from matplotlib.lines import Line2D

PACKAGES = ("matplotlib", "numpy", "pandas", "pillow")

WIDTH, MARGIN = 9.0, 0.12  # inches; shown at 900 px a point of type is then a point on the page
NOTE_LINE = 120  # characters of the smallest type that fit the width
DPI = 120
LARGEST = 400_000  # bytes; a report holds a dozen pictures
MOST_POINTS = 6000  # beyond, a scatter plot is a blot and only a sample is drawn

INK, MUTED, GRID, CARD = "#1b1f24", "#57606a", "#e4e7eb", "#ffffff"
ACCENT = "#c2410c"  # marks the one thing to look at; dark enough for text on white
TITLE, LABEL, SMALL = 12.0, 10.0, 9.0  # points

# Okabe & Ito 2008, safe for colour-blind readers; a dark brown instead of their pale yellow.
LABEL_COLOURS = (
    "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9", "#333333", "#5C4A00",
)  # fmt: skip
# After P. Tol's "muted" scheme, some hues moved apart for colour-blind readers: another family
# than the labels', so that clusters are not taken for classes.
CLUSTER_COLOURS = (
    "#332288", "#117733", "#CC6677", "#6FB7E0", "#882255", "#A8A84A", "#AA4499", "#661100",
)  # fmt: skip
MARKERS = "os^DvPX*<>phd8H"
DASHES: tuple[Any, ...] = ("-", (0, (5, 1.5)), (0, (1.2, 1.2)), (0, (6, 1.5, 1.2, 1.5)))


@dataclass(frozen=True)
class Look:
    """How one class or cluster is drawn."""

    colour: str
    marker: str
    dash: Any


def _look(index: int, colours: Sequence[str]) -> Look:
    rounds = index // len(colours)
    return Look(
        colour=colours[index % len(colours)],
        marker=MARKERS[index % len(MARKERS)],
        # Shifted by one in each round: the ninth class shares the first one's colour, not its dash.
        dash=DASHES[(index + rounds) % len(DASHES)],
    )


def label_looks(classes: Iterable[str]) -> dict[str, Look]:
    """Map each class, in the given order, to its look; colour and dash differ up to 32 classes."""
    return {name: _look(index, LABEL_COLOURS) for index, name in enumerate(classes)}


def cluster_looks(clusters: Iterable[int]) -> dict[int, Look]:
    """Map each cluster number to its look; the same number looks the same in every picture."""
    return {int(c): _look(int(c), CLUSTER_COLOURS) for c in clusters}


def new_sheet(height: float, title: str, note: str = "", *keys: Sequence[Line2D]) -> Figure:
    """Return a white figure: title and keys on top, `height` inches for panels, a note below.

    The layout of the panels gets the space between, so that no text meets a panel, however many
    classes a key names. Each key starts a line of its own.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    figure = Figure(figsize=(WIDTH, height), dpi=DPI, facecolor=CARD, layout="constrained")
    FigureCanvasAgg(figure)
    legends = [add_key(figure, key) for key in keys if key]
    heights = [legend.get_window_extent().height / DPI + 0.06 for legend in legends]
    lines = wrap(note, NOTE_LINE)
    top, foot = 0.42 + sum(heights), 0.12 + 0.18 * len(lines) if lines else 0.04
    total = height + top + foot
    figure.set_size_inches(WIDTH, total)
    figure.text(
        MARGIN / WIDTH, 1 - 0.12 / total, literal(title), va="top", fontsize=TITLE,
        fontweight="bold", color=INK,
    )  # fmt: skip
    for index, legend in enumerate(legends):
        down = 0.4 + sum(heights[:index])
        legend.set_bbox_to_anchor((MARGIN / WIDTH, 1 - down / total), figure.transFigure)
    if lines:
        figure.text(
            MARGIN / WIDTH, 0.1 / total, literal("\n".join(lines)), va="bottom", fontsize=SMALL,
            color=MUTED,
        )  # fmt: skip
    layout = figure.get_layout_engine()
    assert isinstance(layout, ConstrainedLayoutEngine)
    layout.set(
        w_pad=0.08, h_pad=0.07, wspace=0.02, hspace=0.02,
        rect=(0, foot / total, 1, height / total),
    )  # fmt: skip
    return figure


def add_key(
    place: Figure | SubFigure, handles: Sequence[Line2D], where: Any = "upper left"
) -> Legend:
    """Add a frameless legend with as many columns as fit the width.

    At an "outside ..." place the layout makes room for it.
    """
    outside = str(where).startswith("outside")
    for columns in range(min(6, len(handles)), 0, -1):
        legend = place.legend(
            handles=list(handles), loc=where, ncols=columns, frameon=False, borderpad=0,
            fontsize=SMALL + 0.5, labelcolor=INK, handletextpad=0.5, columnspacing=1.6,
            borderaxespad=0.5 if outside else 0,
        )  # fmt: skip
        legend.set_in_layout(outside)
        if columns == 1 or legend.get_window_extent().width <= (WIDTH - 2 * MARGIN) * DPI:
            break
        legend.remove()
    return legend


def dress(axes: Axes, title: str = "", x: str = "", y: str = "", grid: str = "both") -> None:
    """Give axes the common look and their texts; `grid` is "both", "x", "y" or "none"."""
    axes.set_facecolor(CARD)
    axes.set_axisbelow(True)
    axes.grid(False)
    if grid != "none":
        axes.grid(True, axis=grid, color=GRID, linewidth=0.8)  # type: ignore[arg-type]
    for side, spine in axes.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color("#9aa3ad")
        spine.set_linewidth(0.8)
    axes.tick_params(labelsize=SMALL, colors=MUTED, length=3, width=0.8)
    if title:
        axes.set_title(title, loc="left", fontsize=LABEL, fontweight="bold", color=INK, pad=5)
    axes.set_xlabel(x, fontsize=SMALL + 0.5, color=INK, labelpad=3)
    axes.set_ylabel(y, fontsize=SMALL + 0.5, color=INK, labelpad=3)


def line_key(looks: Mapping[Any, Look], names: Mapping[Any, str]) -> list[Line2D]:
    """Return legend handles that show colour and dash."""
    from matplotlib.lines import Line2D

    return [
        Line2D([], [], color=look.colour, linestyle=look.dash, linewidth=2, label=names[key])
        for key, look in looks.items()
    ]


def point_key(
    looks: Mapping[Any, Look], names: Mapping[Any, str], hollow: bool = False
) -> list[Line2D]:
    """Return legend handles that show colour and marker, opaque and larger than in the plot."""
    from matplotlib.lines import Line2D

    return [
        Line2D(
            [], [], color=look.colour, marker=look.marker, linestyle="", markersize=7,
            markeredgecolor=look.colour if hollow else CARD,
            markeredgewidth=1.4 if hollow else 0.5,
            markerfacecolor="none" if hollow else look.colour, label=names[key],
        )
        for key, look in looks.items()
    ]  # fmt: skip


def sample_rows(rows: int, seed: int, most: int = MOST_POINTS) -> np.ndarray:
    """Return sorted row numbers (int64) to draw: all of them, or a random `most`."""
    import numpy as np

    if rows <= most:
        return np.arange(rows)
    return np.sort(np.random.default_rng(seed).choice(rows, size=most, replace=False))


def spread_ties(values: np.ndarray, seed: int, width: float = 0.35) -> np.ndarray:
    """Move whole numbers by up to `width` either way, so that equal points do not hide each other.

    Values (float64, any shape) that are not whole numbers come back as they are.
    """
    import numpy as np

    if values.size == 0 or not np.all(values == np.round(values)):
        return values
    return values + np.random.default_rng(seed).uniform(-width, width, values.shape)


def encode(figure: Figure) -> bytes:
    """Return the figure as PNG bytes: no date, no program name, 256 colours where it is large."""
    from PIL import Image

    buffer = BytesIO()
    figure.savefig(buffer, format="png", dpi=DPI, facecolor=CARD, metadata={"Software": None})
    if buffer.tell() <= LARGEST:
        return buffer.getvalue()
    small = BytesIO()
    with Image.open(buffer) as image:
        flat = image.convert("RGB").quantize(256, dither=Image.Dither.NONE)
        flat.save(small, format="png", optimize=True)
    return small.getvalue()


def picture(figure: Figure, alt: str) -> Picture:
    """Return the figure as a PNG `Picture` whose caption is the sentence `alt`."""
    return Picture(data=encode(figure), format="png", alt=alt)
