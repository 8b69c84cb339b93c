"""Centroids as images, sorted by the label that their clusters were given."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from engine import Picture, stage
from tasks.figures.images import (
    BREADTH,
    LINE,
    draw_image,
    fit_image,
    fit_names,
    new_plate,
    text_width,
    tone,
    tone_note,
)
from tasks.figures.style import ACCENT, INK, LABEL, MUTED, PACKAGES, SMALL, picture
from tasks.figures.words import counted, listing, literal, percent, prose, shorten

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_CENTROIDS = 100
SHADE = "#eef1f5"  # behind every other label, so that one sees where the next begins
# Inches between an image and its cell's rim, and between the captions of two cells.
PAD, CAPTION_GAP = 0.06, 0.04


def sort_clusters(mapping: pd.DataFrame, about: Mapping[str, Any]) -> pd.DataFrame:
    """Return the clusters to draw by label in the order of the classes, then by falling size.

    Of more than `MOST_CENTROIDS` the largest of each label are kept, every label keeping a share
    of the places like that of the clusters, and at least one.
    """
    order = {str(name): place for place, name in enumerate(about["classes"])}
    table = mapping.assign(
        place=mapping["label"].astype(str).map(order),
        rank=mapping.groupby("label")["size"].rank(method="first", ascending=False),
    )
    if len(table) > MOST_CENTROIDS:
        # The first of each label come first, then whoever ranks high among its own label's.
        of_label = table.groupby("label")["size"].transform("count")
        share = ((table["rank"] - 1) / of_label).sort_values(kind="stable")
        table = table.loc[share.index[:MOST_CENTROIDS]]
    return table.sort_values(["place", "rank"], kind="stable")


def _columns(captions: list[str]) -> int:
    """Return how many cells lie side by side, so that no caption meets the next."""
    count = len(captions)
    wished = 5 if count <= 5 else 6 if count <= 12 else 8 if count <= 32 else 10
    widest = max(text_width(caption, SMALL) for caption in captions)
    return max(1, min(wished, int(BREADTH / (widest + CAPTION_GAP))))


def plot_digit_centroids(
    images: np.ndarray, mapping: pd.DataFrame, about: Mapping[str, Any], *, name: str = ""
) -> Figure:
    """Return every centroid as an image with its label, its purity and its size."""
    table = sort_clusters(mapping, about)
    captions = [_caption(row) for _, row in table.iterrows()]
    columns = _columns(captions)
    width = BREADTH / columns
    labels = [str(label) for label in table["label"]]
    # A label that is not the cluster's own has a star.
    room = width - 0.04 - (0 if table["mapped"].all() else 0.08)
    whole = all(text_width(literal(shorten(label)), LABEL, bold=True) <= room for label in labels)
    size_of_names = LABEL if whole else SMALL
    names = fit_names(labels, room, size_of_names)
    size = fit_image(images.shape[1:], width - 2 * PAD, 1.2)
    step = size[1] + 2 * PAD + 2.1 * LINE
    cmap = tone(images[table["cluster"].to_numpy()])
    figure, axes = new_plate(
        step * -(-len(table) // columns),
        f"{name + ': c' if name else 'C'}entroids of {counted(len(mapping), 'cluster')} as images, "
        "sorted by label",
        _notes(table, mapping, cmap),
    )
    shades = table["place"].rank(method="dense").astype(int) % 2
    for index, (cluster, shade, caption) in enumerate(
        zip(table["cluster"], shades, captions, strict=True)
    ):
        line, column = divmod(index, columns)
        x, y = column * width, line * step
        if shade:
            _draw_shade(axes, x, y, width, step)
        draw_image(axes, images[cluster], x + (width - size[0]) / 2, y + PAD, size, cmap)
        below = y + PAD + size[1] + 0.03
        row = table.iloc[index]
        star = "" if row["mapped"] else "*"
        axes.text(
            x + width / 2, below, names[str(row["label"])] + star, ha="center",
            va="top", fontsize=size_of_names, fontweight="bold", color=INK,
        )  # fmt: skip
        axes.text(
            x + width / 2, below + 1.03 * LINE, caption, ha="center", va="top", fontsize=SMALL,
            color=ACCENT if row["purity"] < 0.5 else MUTED,
        )  # fmt: skip
    return figure


def _notes(table: pd.DataFrame, mapping: pd.DataFrame, cmap: str) -> list[str]:
    """Return what to say of the clusters in `table`, which are some or all of `mapping`."""
    notes = ["below each: its label, purity and number of training images", tone_note(cmap)]
    if (table["purity"] < 0.5).any():
        notes.insert(1, "orange: less than half of them have the label")
    if not table["mapped"].all():
        notes.append("*: no majority of its own, the label is that of the nearest centroid")
    if len(table) < len(mapping):
        held = table["size"].sum() / max(1, mapping["size"].sum())
        notes.insert(
            0,
            f"{len(table)} of {len(mapping):,} clusters, of each label the largest, with "
            f"{percent(float(held))} of the training images",
        )
    return notes


def _caption(row: pd.Series[Any]) -> str:
    share = float(row["purity"])
    # Rounding must not claim all.
    whole = 100 if share == 1 else min(99, round(100 * share))
    return f"{whole} % · {int(row['size']):,}"


def _draw_shade(axes: Axes, x: float, y: float, width: float, height: float) -> None:
    from matplotlib.patches import Rectangle

    axes.add_patch(Rectangle((x, y), width, height, facecolor=SHADE, edgecolor="none", zorder=1))


def say_digit_centroids(mapping: pd.DataFrame, about: Mapping[str, Any]) -> str:
    """Return one sentence: purity over all, the least pure cluster, labels with many or none."""
    classes = [str(name) for name in about["classes"]]
    filled = mapping[mapping["size"] > 0]
    whole = float((filled["purity"] * filled["size"]).sum() / filled["size"].sum())
    worst = filled.iloc[int(filled["purity"].to_numpy().argmin())]
    labels = [str(label) for label in mapping["label"]]
    owned = {name: labels.count(name) for name in classes}
    missing = [prose(name) for name in classes if owned[name] == 0]
    text = (
        f"{percent(whole)} of the training images carry the label of their cluster; the least pure "
        f"of the {counted(len(mapping), 'cluster')} is one of {prose(worst['label'])} with "
        f"{percent(float(worst['purity']))}"
    )
    if missing:
        return f"{text}, and no cluster stands for {listing(missing)}."
    few, many = min(classes, key=owned.__getitem__), max(classes, key=owned.__getitem__)
    if owned[few] == owned[many]:
        return f"{text}, and every label has {counted(owned[many], 'cluster')}."
    return (
        f"{text}, and a label has from {owned[few]} ({prose(few)}) to "
        f"{counted(owned[many], 'cluster')} ({prose(many)})."
    )


@stage(packages=PACKAGES)
def draw_digit_centroids(
    images: np.ndarray, mapping: pd.DataFrame, about: dict[str, Any], *, name: str = ""
) -> Picture:
    """Draw centroids as images with label, purity and size; of very many the largest of each label.

    Arguments:
        images: uint8 (k, h, w), the centroids in the order of the clusters' numbers.
        mapping: columns cluster, label (name), size, purity (0 to 1), mapped (bool); k rows.
        about: classes, the names by code.
        name: of the space that was clustered, where there are several.
    """
    told = say_digit_centroids(mapping, about)
    figure = plot_digit_centroids(images, mapping, about, name=name)
    return picture(figure, f"{prose(name)}: {told}" if name else told)
