"""A photo as pixels: upright, opaque, of a size one can afford, and refused where it is none."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from engine import Artifact, File, InputError, source, stage
from tasks.image_files import BadImages, open_upright

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image

Shape = Literal["keep", "square", "stretch"]

SHAPES = ("keep", "square", "stretch")
MAX_FILE_BYTES = 256 << 20
SIZES = (56, 8192)  # two CNN pictures side by side, and what fits the memory of a small machine
MOST_ELONGATED = 8  # beyond, a picture is a strip in which no window finds anything

_DEFAULT_SIZE = (640, 427)  # width and height of flower.jpg


class Photo(NamedTuple):
    """pixels: RGB uint8 (h, w, 3) · about: name, found {width, height, mode, format}, width,
    height, enlarged (by what factor the file's picture was made larger; at most 1: it was not)."""

    pixels: np.ndarray
    about: dict[str, Any]


@stage(packages=("pillow", "numpy"))
def load_photo(
    raw: File, *, name: str = "photo", size: int | None = None, shape: Shape = "keep"
) -> Photo:
    """The pixels of a JPEG, PNG or WebP, turned as EXIF says, transparency laid on white.

    Arguments:
        name: what messages and pages call it.
        size: pixels of the longer side, bicubic as the post has it; None: as it is.
        shape: "keep" its shape; "square" cuts the middle out; "stretch" makes a square of all.

    Raises BadImages, which names the photo, the fault and the remedy.
    """
    import numpy as np

    _check_options(size, shape)
    try:
        image = _open(raw)
        about = _describe(image)
        image = _to_shape(_to_rgb(image), size, shape)
    except BadImages as error:
        raise BadImages(f"{name}: {error}") from error
    found = about["found"]
    shorter = min(found["width"], found["height"])
    sides = shorter if shape == "square" else max(found["width"], found["height"])
    return Photo(
        np.asarray(image),
        {
            "name": name,
            **about,
            "width": image.width,
            "height": image.height,
            "enlarged": round(max(image.size) / sides, 3),
        },
    )


def check_photo(
    path: Path | str, *, size: int | None = None, shape: Shape = "keep"
) -> tuple[int, int]:
    """Height and width that `load_photo` will bring this file to; raises BadImages if it cannot."""
    _check_options(size, shape)
    path = Path(path).expanduser()
    try:
        if path.is_dir():
            raise BadImages("this is a folder; name the photos in it one by one")
        length = path.stat().st_size
        if length > MAX_FILE_BYTES:
            raise BadImages(f"{length:,} bytes, limit {MAX_FILE_BYTES:,}; save it smaller")
        (_, (width, height)) = _aim(_open(File(None, path.suffix, path)).size, size, shape)
    except BadImages as error:
        raise BadImages(f"{path}: {error}") from error
    except FileNotFoundError:
        raise BadImages(f"{path}: there is no such file; check the path") from None
    except OSError as error:
        raise BadImages(f"{path}: cannot be read: {error.strerror}") from error
    return height, width


def aim_default(*, size: int | None = None, shape: Shape = "keep") -> tuple[int, int]:
    """Height and width that `load_photo` will bring the default photo to; opens nothing."""
    _check_options(size, shape)
    width, height = _aim(_DEFAULT_SIZE, size, shape)[1]
    return height, width


def default_photo() -> Path:
    """The file of scikit-learn's flower.jpg, found without importing scikit-learn.

    Raises InputError where scikit-learn is not installed as a folder.
    """
    spec = importlib.util.find_spec("sklearn")
    for place in (spec.submodule_search_locations or ()) if spec else ():
        path = Path(place, "datasets", "images", "flower.jpg")
        if path.is_file():
            return path
    raise InputError("scikit-learn's flower.jpg is not here: name a photo of your own in photos")


def source_photo(path: Path | str | None) -> Artifact:
    """A photo's file as an artifact, known by its content; None: the default photo. For flows."""
    return source(default_photo() if path is None else Path(path).expanduser())


def _check_options(size: int | None, shape: str) -> None:
    least, most = SIZES
    if size is not None and not least <= size <= most:
        raise InputError(f"size = {size}: expected {least} to {most} pixels, or none")
    if shape not in SHAPES:
        raise InputError(f"shape = {shape!r}: choose one of {', '.join(SHAPES)}")


def _open(raw: File) -> Image.Image:
    image = open_upright(raw.read_bytes())
    shorter, longer = sorted(image.size)
    if shorter < SIZES[0]:
        raise BadImages(
            f"{image.width} × {image.height} pixels are too few to dream in; at least "
            f"{SIZES[0]} each way"
        )
    if longer > MOST_ELONGATED * shorter:
        raise BadImages(
            f"{image.width} × {image.height} pixels are a strip; cut it to at most "
            f"{MOST_ELONGATED} : 1"
        )
    return image


def _describe(image: Image.Image) -> dict[str, Any]:
    found = {
        "width": image.width,
        "height": image.height,
        "mode": image.mode,
        "format": str(image.format or ""),
    }
    return {"found": found}


def _to_rgb(image: Image.Image) -> Image.Image:
    import numpy as np
    from PIL import Image

    if image.mode == "I" or image.mode.startswith("I;16"):
        deep = np.asarray(image).astype(np.int64).clip(0, 65_535)
        image = Image.fromarray(((deep + 128) // 257).astype(np.uint8))
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, (255,) * 4), image)
    return image.convert("RGB")


def _to_shape(image: Image.Image, size: int | None, shape: str) -> Image.Image:
    from PIL import Image

    box, target = _aim(image.size, size, shape)
    if target == (box[2] - box[0], box[3] - box[1]):
        return image if target == image.size else image.crop(box)
    return image.resize(target, Image.Resampling.BICUBIC, box=box)


def _aim(
    found: tuple[int, int], size: int | None, shape: str
) -> tuple[tuple[int, int, int, int], tuple[int, int]]:
    """Which box of a picture (width, height) is taken, and the width and height it is brought to."""
    width, height = found
    box = (0, 0, width, height)
    if shape == "square":
        side = min(width, height)
        left, top = (width - side) // 2, (height - side) // 2
        box, width, height = (left, top, left + side, top + side), side, side
    longer = size or max(width, height)
    scale = longer / max(width, height)
    target = (max(SIZES[0], round(width * scale)), max(SIZES[0], round(height * scale)))
    if shape == "stretch":
        target = (longer, longer)
    return box, target
