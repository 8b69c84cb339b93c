"""A dream as it is to be looked at: the picture alone, as large as a page shows it."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any

from engine import Picture, stage
from tasks.dreams.colour import dreamt_luma, keep_colour
from tasks.dreams.tones import clip_contrast, standardise_picture, to_luma
from tasks.figures.words import prose

if TYPE_CHECKING:
    import numpy as np

LONGEST = 1080  # pixels: nothing of a page's width is lost on a common screen


@stage(packages=("numpy", "pillow"))
def draw_dream(
    dreamt: np.ndarray,
    photo: np.ndarray,
    about: dict[str, Any],
    summary: dict[str, Any],
    *,
    colour: bool = True,
    contrast: float = 1.0,
    vividness: float = 1.0,
) -> Picture:
    """Show a dream: in the photo's colours, or in grey with clip contrast.

    Arguments:
        dreamt, summary: of `carve_picture`; the picture is standardised, float32 (h, w).
        photo, about: of `load_photo`.
        contrast: of the colour form, 1: the photo's own deviation.
        vividness: 1 keeps the photo's chroma.
    """
    from PIL import Image

    if colour:
        pixels = keep_colour(dreamt_luma(dreamt, photo, contrast), photo, vividness)
    else:
        pixels = clip_contrast(dreamt, standardise_picture(to_luma(photo)))
    image = Image.fromarray(pixels)
    image.thumbnail((LONGEST, LONGEST), Image.Resampling.LANCZOS)
    # All colours of a painting would be twice as many bytes; noise hides where they were merged.
    if colour:
        image = image.quantize(256, Image.Quantize.MEDIANCUT, dither=Image.Dither.FLOYDSTEINBERG)
    buffer = BytesIO()
    image.save(buffer, "PNG", optimize=True)
    name = prose(about["name"])
    finding = f"{summary['finding'][:1].lower()}{summary['finding'][1:]}"
    return Picture(buffer.getvalue(), "png", f"A dream of {name}: {finding}")
