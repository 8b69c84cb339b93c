"""Images and their labels from any source, as squares for training and for testing.

MNIST's npz · an .npz with x and y · a table of pixels · a folder with a sub-folder a class
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from engine import Artifact, File, InputError, source, source_folder, stage
from tasks.datasets import find_dataset
from tasks.image_files import SUFFIXES, BadImages
from tasks.image_folder import Pictures, check_empty, check_pictures
from tasks.image_npz import read_npz
from tasks.image_sources import (
    Options,
    check_file,
    describe,
    gather_all,
    open_file,
    open_folder,
)

if TYPE_CHECKING:
    import numpy as np

log = logging.getLogger(__name__)

__all__ = ["BadImages", "Images", "check_images", "image_options", "load_images", "source_images"]

_BRIGHT = 160


class Images(NamedTuple):
    """train, test: x (n, size, size[, 3]) uint8 and y (n,) int64 · about: name, classes (text; y counts
    in it), shape, rows, train and test (numbers of images), sizes {class: images used}, split (how
    it came about), inverted, mean (of the training pixels)."""

    train: dict[str, np.ndarray]
    test: dict[str, np.ndarray]
    about: dict[str, Any]


@stage(packages=("numpy", "pillow", "pandas", "pyarrow"))
def load_images(
    raw: File,
    *,
    name: str = "images",
    size: int = 28,
    invert: bool = False,
    colour: bool = False,
    white: float | None = None,
    label: str = "label",
    header: bool = True,
    height: int | None = None,
    width: int | None = None,
    class_names: dict[str, str] | None = None,
    test_fraction: float = 0.15,
    seed: int = 0,
    limit: int | None = None,
) -> Images:
    """Squares and classes of an .npz, .csv, .tsv, .txt, .parquet or packed folder of pictures.

    What is no square of `size` bytes a side is made one as `tasks/image_files.py` says.

    Arguments:
        name: what messages and pages call the images.
        size: side of the squares in pixels, 28 as MNIST has it.
        invert: make dark strokes on light paper light on black, as MNIST's are.
        colour: keep red, green and blue instead of grey.
        white: the brightest value in an array or table; None: 1 or 255, whichever holds them all.
        label: the column of a table that holds the class.
        header: whether the first line of a text table names its columns; else the label comes first.
        height, width: of images that are rows of pixels; None: they are square.
        class_names: label as it stands in the data → name to show; where given, for every label.
        test_fraction: share of the images for testing where the data has no test part of its own.
        seed: of that division and of `limit`.
        limit: the most training images; test images are cut in proportion.

    Raises BadImages, which names the file or the place, the fault and the remedy.
    """
    import numpy as np

    options = Options(
        name=name,
        size=size,
        invert=invert,
        colour=colour,
        white=white,
        label=label,
        header=header,
        height=height,
        width=width,
        class_names=class_names,
        test_fraction=test_fraction,
        seed=seed,
        limit=limit,
    )
    try:
        found = open_file(raw, options)
        division = found.divide(options)
        train, test = gather_all(found, division, options.shape)
    except BadImages as error:
        raise BadImages(f"{name}: {error}") from error
    mean = float(train.mean(dtype=np.float64))
    if mean > _BRIGHT and not invert:
        log.warning(
            "%s: mostly light (mean %.0f of 255): dark on light? Then set invert", name, mean
        )
    return Images(
        {"x": train, "y": division.train_codes},
        {"x": test, "y": division.test_codes},
        {**describe(found, division, options), "mean": round(mean, 2)},
    )


def check_images(path: Path | str, **parameters: Any) -> dict[str, Any]:
    """Make sure that `load_images` will take this file or folder.

    Returns its `about` without mean, and test_classes, of how many classes there are test images.

    Arguments:
        parameters: those of `load_images`.

    Raises BadImages, also where it is missing, unreadable or too large.
    """
    from engine.folder import list_folder

    path = Path(path).expanduser()
    options = Options(**{"name": path.name, **parameters})
    try:
        if path.is_dir():
            folder = list_folder(path, SUFFIXES)
            check_empty(folder.empty, folder.ignored)
            found = open_folder(folder, options)
            division = found.divide(options)
            check_pictures([p for p in found.images.values() if isinstance(p, Pictures)])
        else:
            file = check_file(path)
            _check_axes(file)
            found = open_file(file, options)
            division = found.divide(options)
    except BadImages as error:
        raise BadImages(f"{path}: {error}") from error
    tested = len(set(division.test_codes.tolist()))
    return {**describe(found, division, options), "test_classes": tested}


def _check_axes(file: File) -> None:
    """Refuse an npz whose images or labels are a single value: it has no length to go by."""
    if file.suffix.lower() != ".npz" or file.path is None:
        return
    for name, array in read_npz(file.path).items():
        if not array.ndim:
            raise BadImages(
                f"{name} is a single value, shape (); an array with an entry for each image is needed"
            )


def source_images(path: Path | str) -> Artifact:
    """The file or the folder of pictures as `load_images` takes it; for flows."""
    path = Path(path).expanduser()
    return source_folder(path, SUFFIXES) if path.is_dir() else source(path)


def image_options(name: str) -> dict[str, Any]:
    """The parameters of `load_images` for a data set of that name: name, class_names and white."""
    dataset = find_dataset(name)
    if not dataset.classes:
        raise InputError(f"the data set {name} is no set of images")
    names = {str(code): text for code, text in enumerate(dataset.classes)}
    return {"name": name, "class_names": names, "white": dataset.white}
