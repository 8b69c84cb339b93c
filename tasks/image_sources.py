"""One way into every source of images: parts of squares, made now or when touched, and their labels."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from engine import File, InputError
from tasks import image_tables
from tasks.image_arrays import check_rows, to_squares
from tasks.image_files import MAX_BYTES, BadImages, square_shape
from tasks.image_folder import Pictures, group
from tasks.image_labels import Division, divide
from tasks.image_npz import read_npz

if TYPE_CHECKING:
    import numpy as np

_SIZES = (4, 256)


@dataclass(frozen=True)
class Options:
    """The parameters of `load_images`; raises InputError for one out of its range."""

    name: str = "images"
    size: int = 28
    invert: bool = False
    colour: bool = False
    white: float | None = None
    label: str = "label"
    header: bool = True
    height: int | None = None
    width: int | None = None
    class_names: dict[str, str] | None = None
    test_fraction: float = 0.15
    seed: int = 0
    limit: int | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of each image."""
        return square_shape(self.size, self.colour)

    def __post_init__(self) -> None:
        least, most = _SIZES
        for name, fits, expected in (
            ("size", least <= self.size <= most, f"{least} to {most}"),
            ("test_fraction", 0 < self.test_fraction < 1, "more than 0 and less than 1"),
            ("white", self.white is None or 0 < self.white < 2**53, "more than 0"),
            ("height", self.height is None or self.height > 0, "more than 0"),
            ("width", self.width is None or self.width > 0, "more than 0"),
            ("limit", self.limit is None or self.limit > 1, "at least 2"),
            ("seed", self.seed >= 0, "at least 0"),
        ):
            if not fits:
                raise InputError(f"{name} = {getattr(self, name)}: expected {expected}")


@dataclass(frozen=True)
class Found:
    """Squares and labels (text) of the part `x` and, where the data is divided, of `x_test`."""

    images: Mapping[str, np.ndarray | Pictures]
    labels: Mapping[str, np.ndarray]

    @property
    def is_divided(self) -> bool:
        """Whether the data has a test part of its own."""
        return "x_test" in self.images

    def divide(self, options: Options) -> Division:
        """Which images are for training and which for testing; raises BadImages."""
        division = divide(
            self.labels["x"],
            self.labels.get("x_test"),
            class_names=options.class_names or {},
            test_fraction=options.test_fraction,
            seed=options.seed,
            limit=options.limit,
        )
        rows = len(division.train) + len(division.test)
        if rows * math.prod(options.shape) > MAX_BYTES:
            raise BadImages(
                f"{rows:,} images of {options.size} × {options.size} pixels are more than "
                f"{MAX_BYTES:,} bytes: lower size, or set limit"
            )
        return division

    def gather(self, part: str, positions: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        """The squares at these positions, uint8 (n, *shape); not copied where they are all."""
        import numpy as np

        images = self.images[part]
        if isinstance(images, np.ndarray):
            return images if len(positions) == len(images) else images[positions]
        squares = np.empty((len(positions), *shape), np.uint8)
        for row, position in enumerate(positions):
            squares[row] = images[int(position)]
        return squares


def open_file(raw: File, options: Options) -> Found:
    """The images of a file, by its suffix; raises BadImages."""
    suffix = raw.suffix.lower()
    if suffix == ".folder" and raw.path is not None:
        from engine.folder import PackedFolder

        return open_folder(PackedFolder(raw.path), options)
    if suffix == ".npz":
        arrays = read_npz(raw.read_bytes() if raw.path is None else raw.path)
        parts = {name: array for name, array in arrays.items() if name.startswith("x")}
        labels = {
            name: check_rows(part, arrays[name.replace("x", "y")], name, name.replace("x", "y"))
            for name, part in parts.items()
        }
    elif suffix in image_tables.SUFFIXES:
        pixels, texts = image_tables.read_pixel_table(
            raw.read_bytes(), suffix, options.label, options.header
        )
        parts, labels = {"x": pixels}, {"x": texts}
    else:
        raise BadImages(
            f"images come as .npz, {', '.join(image_tables.SUFFIXES)} or a folder with one sub-folder "
            f"a class, not as {raw.suffix or 'a file without suffix'}"
        )
    squares = to_squares(
        parts,
        size=options.size,
        invert=options.invert,
        colour=options.colour,
        white=options.white,
        height=options.height,
        width=options.width,
    )
    return Found(squares, labels)


def open_folder(files: Mapping[str, bytes], options: Options) -> Found:
    """The pictures of a folder with one sub-folder a class; raises BadImages."""
    import numpy as np

    parts = group(list(files))
    return Found(
        {
            part: Pictures(
                files, [name for name, _ in members], options.size, options.invert, options.colour
            )
            for part, members in parts.items()
        },
        {
            part: np.array([label for _, label in members], np.str_)
            for part, members in parts.items()
        },
    )


def check_file(path: Path) -> File:
    """The file at a path, when it is there, readable and not too large; else BadImages."""
    try:
        size = path.stat().st_size
        with path.open("rb"):
            pass
    except FileNotFoundError:
        raise BadImages("there is no such file or folder; check the path") from None
    except OSError as error:
        raise BadImages(f"cannot be read: {error.strerror}") from error
    if not path.is_file():
        raise BadImages("this is neither a file nor a folder")
    if size > MAX_BYTES:
        raise BadImages(f"{size:,} bytes, limit {MAX_BYTES:,}; take a sample of it")
    return File(None, path.suffix, path)


def describe(found: Found, division: Division, options: Options) -> dict[str, object]:
    """What is told of the images beside the pixels; see `Images.about`."""
    import numpy as np

    used = np.bincount(
        np.concatenate([division.train_codes, division.test_codes]), minlength=len(division.classes)
    )
    split = (
        "the data's own"
        if found.is_divided
        else f"{100 * options.test_fraction:g} % of each class for testing, drawn with seed {options.seed}"
    )
    return {
        "name": options.name,
        "classes": division.classes,
        "shape": list(options.shape),
        "rows": len(division.train) + len(division.test),
        "train": len(division.train),
        "test": len(division.test),
        "sizes": {name: int(n) for name, n in zip(division.classes, used, strict=True)},
        "split": split,
        "inverted": options.invert,
    }


def gather_all(
    found: Found, division: Division, shape: tuple[int, ...]
) -> tuple[np.ndarray, np.ndarray]:
    """Training and test squares."""
    test = "x_test" if found.is_divided else "x"
    return found.gather("x", division.train, shape), found.gather(test, division.test, shape)
