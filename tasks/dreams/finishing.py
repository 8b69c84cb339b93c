"""A dream as files: full-size PNGs that know the recipe they were made by, and how it grew as a GIF."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, NamedTuple

from engine import File, Picture, stage, work
from tasks.dreams.colour import dreamt_luma, keep_colour
from tasks.dreams.pixels import show_contrast
from tasks.dreams.tones import clip_contrast, standardise_picture, to_luma
from tasks.figures.words import counted, prose

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

POST_CENTRE, POST_SPREAD = 0.46, 0.8  # of the post's final picture
_GIF_COLOURS = 128  # fewer show bands, more make the file a third larger


class Finished(NamedTuple):
    """Full-size PNG files: colour (the dreamt luma with the photo's chroma), clip (the post's clip
    contrast) and contrast (its other form), both grey · summary: width, height, recipe (key of the
    recipe, which stands in the files too), finding."""

    colour: File
    clip: File
    contrast: File
    summary: dict[str, Any]


@stage(packages=("pillow", "numpy"))
def finish_picture(
    picture: np.ndarray,
    photo: np.ndarray,
    about: dict[str, Any],
    carved: dict[str, Any],
    *,
    contrast: float = 1.0,
    vividness: float = 1.0,
) -> Finished:
    """Write a carved picture as PNG files in the photo's full size.

    Arguments:
        picture: of `carve_picture`, standardised, float32 (h, w).
        photo: RGB uint8 (h, w, 3).
        about, carved: of `load_photo` and `carve_picture`, for the files' texts.
        contrast: of the colour form, 1: the photo's own deviation.
        vividness: 1 keeps the photo's chroma.
    """
    grey = standardise_picture(to_luma(photo))
    texts = {
        "Title": f"A dream of {about['name']}",
        "Description": carved["finding"],
        "Software": "Latentflow",
    }
    if work.key():
        texts["Recipe"] = work.key()
    luma = dreamt_luma(picture, photo, contrast)
    height, width = picture.shape
    return Finished(
        _png(keep_colour(luma, photo, vividness), texts),
        _png(clip_contrast(picture, grey), texts),
        _png(show_contrast(picture[None], POST_CENTRE, POST_SPREAD)[0], texts),
        {
            "width": width,
            "height": height,
            "recipe": work.key(),
            "finding": f"The dream of {prose(about['name'])} lies in the store in full size, {width:,} × "
            f"{height:,} pixels: latentflow show 'dream_file[{about['name']}]' tells where.",
        },
    )


@stage(packages=("pillow", "numpy"))
def animate_growth(
    frames: np.ndarray,
    steps: pd.DataFrame,
    photo: np.ndarray,
    about: dict[str, Any],
    *,
    width: int = 420,
    colour: bool = True,
    vividness: float = 1.0,
    milliseconds: int = 160,
) -> Picture:
    """How a dream grew: a GIF that starts with the photo, lingers at loops' ends and on the last one.

    Arguments:
        frames, steps: of `carve_picture`.
        photo: RGB uint8 (h, w, 3).
        about: of `load_photo`.
        width: pixels of the longer side at most.
        colour: with the photo's chroma; else grey.
        milliseconds: of a frame within a loop.
    """
    import numpy as np
    from PIL import Image

    scale = min(1.0, width / max(frames.shape[1:]))
    size = max(1, round(frames.shape[2] * scale)), max(1, round(frames.shape[1] * scale))
    small = [
        Image.fromarray(np.asarray(frame)).resize(size, Image.Resampling.LANCZOS)
        for frame in frames
    ]
    if colour:
        tiny = Image.fromarray(np.asarray(photo)).resize(size, Image.Resampling.LANCZOS)
        chroma = np.asarray(tiny)
        small = [
            Image.fromarray(keep_colour(np.asarray(each, np.float32), chroma, vividness))
            for each in small
        ]
    # One palette for all frames, or what does not change would flicker.
    film = Image.new("RGB", (size[0], size[1] * len(small)))
    for number, each in enumerate(small):
        film.paste(each, (0, number * size[1]))
    palette = film.quantize(_GIF_COLOURS, Image.Quantize.MEDIANCUT)
    indexed = [
        each.convert("RGB").quantize(palette=palette, dither=Image.Dither.NONE) for each in small
    ]
    ends = [bool(end) for end in steps["ends_loop"]]
    lasting = [milliseconds * (2 if end else 1) for end in ends]
    lasting[0], lasting[-1] = 8 * milliseconds, 16 * milliseconds
    buffer = io.BytesIO()
    indexed[0].save(
        buffer, "GIF", save_all=True, append_images=indexed[1:], duration=lasting, loop=0,
        optimize=False, disposal=1,
    )  # fmt: skip
    loops = int(steps["loop"].max())
    alt = (
        f"{prose(about['name'])} turns into the dream in {counted(loops, 'loop')} and "
        f"{counted(len(small) - 1, 'step')}."
    )
    return Picture(buffer.getvalue(), "gif", alt[:1].upper() + alt[1:])


def _png(pixels: np.ndarray, texts: dict[str, str]) -> File:
    from PIL import Image
    from PIL.PngImagePlugin import PngInfo

    told = PngInfo()
    for name, text in texts.items():
        told.add_itxt(name, text)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", pnginfo=told)
    return File(buffer.getvalue(), ".png")
