"""Unseen images, what came back of them, and the difference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from engine import Picture, stage
from tasks.figures.images import (
    BREADTH,
    GAP,
    LINE,
    draw_image,
    fit_image,
    new_plate,
    text_width,
    tone,
    tone_note,
)
from tasks.figures.style import INK, LABEL, MUTED, PACKAGES, SMALL, picture
from tasks.figures.words import counted, prose

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLUMNS = 14
BESIDE = 1.12  # inches for the names of the rows


def choose_rows(codes: np.ndarray, count: int, seed: int) -> np.ndarray:
    """Return `count` rows drawn at random, the classes taking turns, in the order of the classes."""
    import numpy as np

    random = np.random.default_rng(seed)
    there = np.unique(codes)
    turns = -(-count // max(len(there), 1))
    chosen = np.full((turns, len(there)), -1)
    for place, code in enumerate(there):
        own = random.permutation(np.flatnonzero(codes == code))[:turns]
        chosen[: len(own), place] = own
    flat = chosen[chosen >= 0][:count]
    return flat[np.argsort(codes[flat], kind="stable")]


def plot_reconstructions(
    rebuilt: np.ndarray, errors: pd.DataFrame, test: Mapping[str, np.ndarray],
    components: np.ndarray | None = None, *, name: str = "the autoencoder", seed: int = 0,
) -> Figure:  # fmt: skip
    """Return rows of originals, reconstructions and differences: some at random, and the worst."""
    import numpy as np

    images = np.asarray(test["x"]).reshape(rebuilt.shape)
    codes = np.asarray(test["y"])
    count = min(COLUMNS, len(images))
    worst = np.argsort(-(errors["bce"] - errors["floor"]).to_numpy(), kind="stable")[:count]
    some = choose_rows(codes, count, seed)
    rest = np.setdiff1d(np.arange(len(images)), some)
    blocks = [
        ("at random,", "of each class", some),
        ("at random,", "others", rest[choose_rows(codes[rest], count, seed + 1)]),
        ("the worst", f"of {len(images):,}", worst),
    ]
    blocks = [block for block in blocks if len(block[2])]
    lines = ["original", "rebuilt", "difference"]
    if components is not None:
        lines.append("components")
    size = fit_image(images.shape[1:3], (BREADTH - BESIDE) / count - 0.04, 0.6)
    step = size[1] + 0.04
    height = len(blocks) * (len(lines) * step + 3 * GAP) - 2 * GAP
    shown = np.concatenate([images[rows] for *_, rows in blocks])
    cmap = tone(shown)
    figure, axes = new_plate(
        height,
        f"Unseen images and what {name} makes of them",
        (
            "difference: orange is missing in the copy, purple was added",
            "components: as many principal components" if components is not None else "",
            tone_note(cmap),
        ),
    )
    for number, (first, second, rows) in enumerate(blocks):
        top = number * (len(lines) * step + 3 * GAP)
        _name_block(axes, first, second, lines, top, step, size)
        for place, row in enumerate(rows):
            # A narrow image draws nearer to its neighbour than its place would let it.
            x = BESIDE + place * min((BREADTH - BESIDE) / count, size[0] + 3 * GAP)
            for line, image in enumerate((images[row], rebuilt[row])):
                draw_image(axes, image, x, top + line * step, size, cmap)
            _draw_difference(axes, images[row], rebuilt[row], (x, top + 2 * step), size)
            if components is not None:
                draw_image(axes, components[row], x, top + 3 * step, size, cmap)
    return figure


def _draw_difference(
    axes: Axes, image: np.ndarray, copy: np.ndarray, place: tuple[float, float],
    size: tuple[float, float],
) -> None:  # fmt: skip
    import numpy as np

    lack = np.asarray(copy, dtype=float) - np.asarray(image, dtype=float)
    if lack.ndim == 3:
        lack = lack.mean(axis=2)
    draw_image(axes, lack, *place, size, "PuOr", limits=(-255, 255))


def _name_block(
    axes: Axes, first: str, second: str, lines: Sequence[str], top: float, step: float,
    size: tuple[float, float],
) -> None:  # fmt: skip
    """Write what the rows of a block show, to the left of them."""
    for line, text in enumerate(lines):
        y = top + line * step + size[1] / 2
        if line == 0 and step > 2.6 * LINE:
            axes.text(0, y - LINE, first, va="center", fontsize=SMALL, color=MUTED)
            axes.text(0, y, second, va="center", fontsize=SMALL, color=MUTED)
            axes.text(0, y + LINE, text, va="center", fontsize=LABEL, fontweight="bold", color=INK)
            continue
        bold = "bold" if line < 2 else "normal"
        axes.text(0, y, text, va="center", fontsize=LABEL, fontweight=bold, color=INK)
    if step <= 2.6 * LINE:
        width = text_width("difference ", LABEL)
        axes.text(
            width, top + size[1] / 2, f"{first} {second}", va="center", fontsize=SMALL, color=MUTED
        )


def say_reconstructions(
    summary: Mapping[str, Any], components: Mapping[str, Any] | None, name: str
) -> str:
    """Return one sentence: the errors on average, beside those of as many components."""
    text = (
        f"{prose(name)} gives {counted(int(summary['rows']), 'unseen image')} back with PSNR "
        f"{summary['psnr']:.1f} dB and SSIM {summary['ssim']:.3f} from "
        f"{counted(int(summary['dimensions']), 'number')} each"
    )
    if components is None:
        return f"{text}."
    return (
        f"{text}; as many principal components reach {components['psnr']:.1f} dB and "
        f"{components['ssim']:.3f}."
    )


@stage(packages=PACKAGES)
def draw_reconstructions(
    rebuilt: np.ndarray,
    errors: pd.DataFrame,
    summary: dict[str, Any],
    test: Mapping[str, np.ndarray],
    components: np.ndarray | None = None,
    components_summary: dict[str, Any] | None = None,
    *,
    name: str = "the autoencoder",
    seed: int = 0,
) -> Picture:
    """Draw unseen images above their copies and the difference: random ones, and the worst.

    Arguments:
        rebuilt: uint8, as the test images.
        errors: row, bce, floor, a row an image.
        summary: of `reconstruct`.
        test: x, uint8 (n, h, w) or (n, h, w, c); y, int64 (n,).
        components, components_summary: of `reconstruct_components`; none: they are not drawn.
        name: of the model.
        seed: of the choice.
    """
    figure = plot_reconstructions(rebuilt, errors, test, components, name=name, seed=seed)
    return picture(figure, say_reconstructions(summary, components_summary, name))
