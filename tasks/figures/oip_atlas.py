"""The atlas as a sheet: the pattern of every map, under the class that drives it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any

from engine import Picture, stage
from tasks.dreams.pixels import show_contrast
from tasks.figures.images import BREADTH, fit_image, fit_names, new_plate
from tasks.figures.style import CARD, DPI, INK, PACKAGES, encode
from tasks.figures.words import counted, listing, prose

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

NIGHT, EDGE, FAINT, PALE = "#10131a", "#2b313c", "#8b95a5", "#eef1f5"
# Bright enough to carry a picture on the dark ground; neighbours differ in lightness too.
HUES = (
    "#4fb3ff", "#ffb347", "#3fd6a2", "#ff7f9f", "#c9a0ff", "#ffe066", "#ff8a5c", "#7fe3ff",
    "#a8e05f", "#f2a6e8",
)  # fmt: skip
COLUMNS = 13
INSET, GAP, CAPTION = 0.14, 0.09, 0.17  # inches


@dataclass(frozen=True)
class Entry:
    """A map on the sheet: its number, its pattern (h, w) or (h, w, 3) uint8 or None if it is dead."""

    map: int
    pattern: np.ndarray | None
    gain: float | None


def sort_atlas(
    images: np.ndarray, table: pd.DataFrame, maps: pd.DataFrame, classes: Sequence[str]
) -> dict[str, list[Entry]]:
    """The maps of each class, those first that tell it best; dead ones last, under "".

    Arguments:
        images: float32 (maps, h, w, c).
        table: map, gain, dead, as `score_patterns` has them.
        maps: class, score by map, as `measure_maps` has them.
    """
    import numpy as np

    shown = show_contrast(images)
    shown = shown[..., 0] if shown.shape[3] == 1 else shown
    score = maps["score"].to_numpy()[: len(images)]
    found: dict[str, list[Entry]] = {name: [] for name in (*classes, "")}
    for number in np.argsort(-score, kind="stable"):
        row = table.iloc[int(number)]
        gain = float(row["gain"]) if np.isfinite(row["gain"]) else None
        entry = Entry(int(number), None if row["dead"] else shown[number], gain)
        found["" if row["dead"] else str(row["class"])].append(entry)
    return {name: entries for name, entries in found.items() if entries}


def plot_atlas(
    images: np.ndarray, table: pd.DataFrame, maps: pd.DataFrame, summary: Mapping[str, Any]
) -> Figure:
    """Return the sheet: light strokes in each class's hue on a dark ground, its name before them."""
    from matplotlib.patches import FancyBboxPatch

    classes = list(summary["driven"])
    groups = sort_atlas(images, table, maps, classes)
    cells = sum(map(len, groups.values())) + len(groups)
    columns = min(COLUMNS, max(6, cells))
    pitch = (BREADTH - 2 * INSET + GAP) / columns
    size = fit_image(images.shape[1:3], pitch - GAP, pitch - GAP)
    step = size[1] + CAPTION + 0.06
    rows = -(-cells // columns)
    height = rows * step + 2 * INSET - 0.04
    alive = int((~table["dead"]).sum())
    figure, axes = new_plate(
        height, f"What triggers each map of {summary['layer']}",
        (
            "every pattern grew from noise, all of them at once",
            "under it: its map's number, and how many times as strong it is as the best real image",
            f"{alive} of {len(table)} maps have one",
        ),
    )  # fmt: skip
    axes.add_patch(
        FancyBboxPatch(
            (0.05, 0.05), BREADTH - 0.1, height - 0.1, boxstyle="round,pad=0.05,rounding_size=0.1",
            facecolor=NIGHT, edgecolor="none", zorder=0,
        )
    )  # fmt: skip
    names = fit_names([name for name in groups if name], 0.9 * size[0], 9)
    cell = 0
    for name, entries in groups.items():
        hue = HUES[classes.index(name) % len(HUES)] if name else FAINT
        for place, entry in enumerate([None, *entries]):
            row, column = divmod(cell, columns)
            x = INSET + column * pitch + (pitch - GAP - size[0]) / 2
            y = INSET + row * step
            if place == 0 or entry is None:
                _draw_head(axes, names.get(name, "dead"), len(entries), hue, x, y, size)
            else:
                _draw_entry(axes, entry, hue, x, y, size)
            cell += 1
    return figure


def _draw_head(
    axes: Axes, name: str, count: int, hue: str, x: float, y: float, size: tuple[float, float]
) -> None:
    """The name of a class in its hue, and how many maps it drives."""
    width, height = size
    large = 26 if len(name) <= 2 else 9
    axes.text(
        x + width / 2, y + 0.44 * height, name, ha="center", va="center", fontsize=large,
        fontweight="bold", color=hue, zorder=3,
    )  # fmt: skip
    axes.plot([x + 0.2 * width, x + 0.8 * width], [y + 0.84 * height] * 2, color=hue, lw=1.6)
    axes.text(
        x + width / 2, y + height + 0.02, counted(count, "map"), ha="center", va="top", fontsize=9,
        color=FAINT,
    )  # fmt: skip


def _draw_entry(
    axes: Axes, entry: Entry, hue: str, x: float, y: float, size: tuple[float, float]
) -> None:
    """A pattern in its class's hue, or the empty frame of a dead map."""
    from matplotlib.patches import Rectangle

    width, height = size
    if entry.pattern is None:
        axes.add_patch(
            Rectangle((x, y), width, height, fill=False, edgecolor=EDGE, lw=1.2, zorder=2)
        )
        axes.plot([x, x + width], [y, y + height], color=EDGE, lw=1.0, zorder=1)
        axes.plot([x, x + width], [y + height, y], color=EDGE, lw=1.0, zorder=1)
    else:
        axes.imshow(
            tint(entry.pattern, hue), aspect="auto", interpolation="bicubic", zorder=2,
            extent=(x, x + width, y + height, y),
        )  # fmt: skip
    axes.text(x, y + height + 0.02, str(entry.map), ha="left", va="top", fontsize=9, color=FAINT)
    if entry.gain is not None and entry.pattern is not None:
        gain = f"{entry.gain:.1f}" if entry.gain < 9.95 else f"{min(entry.gain, 999):.0f}"
        axes.text(x + width, y + height + 0.02, gain, ha="right", va="top", fontsize=9, color=PALE)


def tint(image: np.ndarray, hue: str) -> np.ndarray:
    """A grey image (h, w) uint8 as RGB from the ground over the hue to nearly white; colours stay.

    Returns float64 (h, w, 3), 0 to 1.
    """
    import numpy as np
    from matplotlib.colors import to_rgb

    if image.ndim == 3:
        return image / 255.0
    value = image[..., None] / 255.0
    dark, middle, light = (np.array(to_rgb(colour)) for colour in (NIGHT, hue, "#fffaf2"))
    low, high = np.clip(value / 0.62, 0, 1), np.clip((value - 0.62) / 0.38, 0, 1)
    return (dark + (0.78 * middle - dark) * low) * (1 - high) + light * high


def encode_tinted(figure: Figure, hues: Sequence[str]) -> bytes:
    """The figure as PNG bytes of 256 colours: the steps of each hue, and greys for ground and type.

    A palette made for the picture would give rare hues away and mix up classes.
    """
    import numpy as np
    from matplotlib.colors import to_rgb
    from PIL import Image

    steps = 220 // max(len(hues), 1)
    ramp = np.linspace(0, 255, steps)[None].astype(np.uint8)
    colours = [tint(ramp, hue)[0] for hue in hues]
    paper, ink, night, pale = (np.array(to_rgb(each)) for each in (CARD, INK, NIGHT, PALE))
    for first, last in ((paper, ink), (night, pale)):
        colours.append(first + np.linspace(0, 1, 18)[:, None] * (last - first))
    palette = np.rint(255 * np.concatenate(colours)).astype(np.uint8)
    key = Image.new("P", (1, 1))
    key.putpalette(palette.tobytes())
    buffer, small = BytesIO(), BytesIO()
    figure.savefig(buffer, format="png", dpi=DPI, facecolor=CARD, metadata={"Software": None})
    with Image.open(buffer) as image:
        flat = image.convert("RGB").quantize(palette=key, dither=Image.Dither.NONE)
        flat.save(small, format="png", optimize=True)
    return small.getvalue()


def say_atlas(table: pd.DataFrame, summary: Mapping[str, Any]) -> str:
    """Return one sentence: how many maps have a pattern, which are dead, whose is the strongest."""
    alive = table[~table["dead"]]
    dead = [str(number) for number in table.loc[table["dead"], "map"]]
    text = (
        f"{len(alive)} of {counted(len(table), 'map')} of {prose(summary['layer'])} have a pattern"
    )
    if dead:
        text += (
            f", the other {'one' if len(dead) == 1 else len(dead)} ({listing(dead, 8)}) found none"
        )
    rated = alive[alive["gain"].notna()]
    if len(rated):
        best = rated.iloc[int(rated["gain"].to_numpy().argmax())]
        text += (
            f"; a pattern triggers its map {float(rated['gain'].median()):.1f} times as strongly as "
            f"the best real image does (median), that of map {int(best['map'])} "
            f"{float(best['gain']):.1f} times"
        )
    return f"{text}."


@stage(packages=PACKAGES)
def draw_atlas(
    images: np.ndarray, table: pd.DataFrame, maps: pd.DataFrame, summary: dict[str, Any]
) -> Picture:
    """Draw the pattern of every map, sorted by the class that drives it; dead maps are marked.

    Arguments:
        images: float32 (maps, h, w, c), of `grow_patterns`.
        table: of `score_patterns`: map, class, gain, dead.
        maps: of `measure_maps`: class, score by map.
        summary: of `measure_maps`: layer, driven {class: maps}.
    """
    figure = plot_atlas(images, table, maps, summary)
    hues = HUES[: max(len(summary["driven"]), 1)]
    data = encode_tinted(figure, hues) if images.shape[3] == 1 else encode(figure)
    return Picture(data, "png", say_atlas(table, summary))
