"""What the data look like: a few images of every class."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from engine import Picture, stage
from tasks.figures.images import (
    ClassRow,
    draw_class_rows,
    new_plate,
    plan_rows,
    row_capacity,
    tone,
    tone_note,
)
from tasks.figures.style import PACKAGES, picture
from tasks.figures.words import counted, prose

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.figure import Figure


def plot_samples(
    train: Mapping[str, np.ndarray], about: Mapping[str, Any], per_class: int = 12, seed: int = 0
) -> Figure:
    """Return a row of randomly chosen images for each class."""
    import numpy as np

    images, codes = train["x"], np.asarray(train["y"])
    classes = [str(name) for name in about["classes"]]
    most = min(per_class, row_capacity(len(classes)))
    random = np.random.default_rng(seed)
    rows = []
    for code, name in enumerate(classes):
        own = np.flatnonzero(codes == code)
        chosen = np.sort(random.choice(own, size=min(most, len(own)), replace=False))
        rows.append(ClassRow(name, f"{len(own):,} images", np.asarray(images[chosen])))
    plan = plan_rows(rows)
    cmap = tone(np.concatenate([row.images for row in rows]))
    figure, axes = new_plate(
        plan.height,
        "Some training images of each class",
        ("chosen at random within each class", tone_note(cmap)),
    )
    draw_class_rows(axes, rows, plan, cmap)
    return figure


def say_samples(train: Mapping[str, np.ndarray], about: Mapping[str, Any]) -> str:
    """Return one sentence: how many images of what size, and how evenly they fill the classes."""
    import numpy as np

    classes = [str(name) for name in about["classes"]]
    sizes = np.bincount(np.asarray(train["y"]), minlength=len(classes))
    height, width = train["x"].shape[1:3]
    least, most = int(sizes.argmin()), int(sizes.argmax())
    text = (
        f"The {counted(int(sizes.sum()), 'training image')} of {width} × {height} pixels fall into "
        f"{len(classes)} classes"
    )
    if sizes[least] == sizes[most]:
        return f"{text} of {sizes[most]:,} each."
    return (
        f"{text} of {sizes[least]:,} ({prose(classes[least])}) to {sizes[most]:,} "
        f"({prose(classes[most])})."
    )


@stage(packages=PACKAGES)
def draw_samples(
    train: Mapping[str, np.ndarray], about: dict[str, Any], *, per_class: int = 12, seed: int = 0
) -> Picture:
    """Draw a few training images of every class.

    Arguments:
        train: x, uint8 (n, h, w) or (n, h, w, 3); y, int64 (n,), codes into `about["classes"]`.
        about: classes, the names by code.
        per_class: images of each class, as far as they fit.
        seed: of the choice.
    """
    return picture(plot_samples(train, about, per_class, seed), say_samples(train, about))
