"""A dream loop by loop, and at its end beside what it came from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine import Picture, stage
from tasks.dreams.finishing import POST_CENTRE, POST_SPREAD
from tasks.dreams.pixels import show_contrast
from tasks.dreams.tones import clip_contrast, standardise_picture, to_bytes, to_luma
from tasks.figures.dream_pictures import Plate, framed, hang
from tasks.figures.style import PACKAGES
from tasks.figures.words import counted

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from matplotlib.figure import Figure

_MOST_LOOPS = 8


def plot_loops(frames: np.ndarray, steps: pd.DataFrame, trace: pd.DataFrame) -> Figure:
    """Return the photo in grey and the picture at the end of each loop (of many, some)."""
    import numpy as np

    ends = steps[steps["ends_loop"]].sort_values("frame")
    chosen = ends.iloc[1:]
    if len(chosen) > _MOST_LOOPS:
        picks = np.unique(np.linspace(0, len(chosen) - 1, _MOST_LOOPS).round().astype(int))
        chosen = chosen.iloc[picks]
    means = trace.groupby("loop")["kept"].mean()
    start = float(trace["original"].mean())
    plates = [Plate(frames[0], "Before", f"activation {start:.2f}")]
    plates += [
        Plate(frames[int(frame)], f"Loop {loop}", f"activation {means.loc[int(loop)]:.2f}")
        for frame, loop in zip(chosen["frame"], chosen["loop"], strict=True)
    ]
    across = 3 if frames.shape[2] >= frames.shape[1] else 4
    across = 2 if len(plates) == 4 else across
    rows = [plates[first : first + across] for first in range(0, len(plates), across)]
    last = rows[-1]
    blank = np.full_like(frames[0], 255)
    # Empty places keep the last row's pictures as large as the others'.
    missing = across - len(last) if len(rows) > 1 else 0
    figure, axes = hang(
        [*rows[:-1], [*last, *[Plate(blank, "")] * missing]],
        "The dream grows",
        ("below: what the tiles' own maps make of them, on average",),
    )
    for frame in axes.patches[len(plates) :]:
        frame.set_visible(False)
    return figure


def plot_comparison(picture: np.ndarray, photo: np.ndarray) -> Figure:
    """Return photo, grey photo and the dream in the post's two forms of contrast."""
    luma = to_luma(photo)
    grey = standardise_picture(luma)
    return hang(
        [
            [Plate(photo, "The photo"), Plate(to_bytes(luma / 255), "Its grey values")],
            [
                Plate(clip_contrast(picture, grey), "The dream, clip contrast"),
                Plate(
                    show_contrast(picture[None], POST_CENTRE, POST_SPREAD)[0],
                    "The dream, hard contrast",
                ),
            ],
        ],
        "Before and after",
        ("clip(1.1 x) at .85 of the photo's range", "clip(.8 x + .46) in deviations"),
    )[0]


@stage(packages=PACKAGES)
def draw_loops(frames: np.ndarray, steps: pd.DataFrame, trace: pd.DataFrame) -> Picture:
    """Draw the pictures at the end of each loop.

    Arguments:
        frames, steps, trace: of `carve_picture`.
    """
    loops = int(steps["loop"].max())
    start, end = float(trace["original"].mean()), trace[trace["loop"] == loops]["kept"].mean()
    alt = (
        f"In {counted(loops, 'loop')} the mean activation of the tiles' maps goes from {start:.2f} "
        f"to {end:.2f}."
    )
    return framed(plot_loops(frames, steps, trace), alt)


@stage(packages=PACKAGES)
def draw_comparison(dreamt: np.ndarray, photo: np.ndarray, summary: dict[str, Any]) -> Picture:
    """Draw the photo, its grey values, and the dream in two forms of contrast.

    Arguments:
        dreamt, summary: of `carve_picture`; the picture is standardised, float32 (h, w).
        photo: pixels of `load_photo`.
    """
    return framed(plot_comparison(dreamt, photo), summary["finding"])
