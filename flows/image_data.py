"""Which images a flow works on: the parameters, and how they become artifacts."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import Field

from engine import Parameters
from tasks.download import download_dataset
from tasks.images import check_images, image_options, load_images, source_images

MOST_SEED = 2**31
Seed = Annotated[int, Field(ge=0, le=MOST_SEED)]

_OWN = {"label", "header", "invert", "colour", "white"}
_DIVISION = {"size", "test_fraction", "seed", "limit"}
# Images of the known sets for training, and for testing where they have such a part of their own.
_ROWS = {"mnist": (60_000, 10_000), "fashion-mnist": (60_000, 10_000), "digits8x8": (1_797, None)}
CLASSES = 10  # of each of them


class Counts(NamedTuple):
    """How many images are for training and for testing, of how many classes, and of how many of them
    there are test images."""

    train: int
    test: int
    classes: int
    test_classes: int


class Data(Parameters):
    """Which images: a known data set, or a person's own."""

    dataset: Literal["mnist", "fashion-mnist", "digits8x8"] = Field(
        default="mnist", description="A data set known by its content; not used with a path"
    )
    path: str | None = Field(
        default=None,
        description="Own images: a folder with a sub-folder a class, an .npz with x and y, or a table "
        "of pixels (.csv, .parquet)",
    )
    label: str = Field(
        default="label", min_length=1, description="The column of an own table that holds the class"
    )
    header: bool = Field(
        default=True, description="Whether an own text table begins with the names of its columns"
    )
    size: int = Field(
        default=28,
        ge=4,
        le=90,
        description="Height and width that images are brought to: MNIST's 28; twice as much takes 16 "
        "times as long in the components",
    )
    invert: bool = Field(
        default=False,
        description="Make own dark strokes on light paper light on black, as MNIST's are",
    )
    white: float | None = Field(
        default=None,
        gt=0,
        description="Brightest value of own arrays or tables; none: 1 or 255, whichever holds them",
    )
    test_fraction: float = Field(
        default=0.15,
        gt=0,
        lt=1,
        description="Share that is tested where the data has no test part: MNIST's is one in seven",
    )
    seed: Seed = Field(default=0, description="Seed of the choice of test images")
    limit: int | None = Field(
        default=None,
        ge=20,
        description="At most so many training images, and test images in proportion; none: all",
    )
    offline: bool = Field(
        default=False, description="Use the bundled copy and never open a connection"
    )

    @property
    def is_reference(self) -> bool:
        """Whether this is all of MNIST as it is, whose numbers are known."""
        whole = self.limit is None and self.size == 28
        return self.path is None and self.dataset == "mnist" and whole


def take_images(data: Data) -> Any:
    """The handles of `load_images` for these parameters."""
    division = data.model_dump(include=_DIVISION)
    if data.path is None:
        raw = download_dataset(name=data.dataset, offline=data.offline)
        return load_images(raw, **image_options(data.dataset), **division)
    raw = source_images(data.path)  # type: ignore[assignment]
    return load_images(raw, **data.model_dump(include=_OWN), **division)


def count_images(data: Data) -> Counts:
    """How many images and classes there will be; raises BadImages where own ones are unfit."""
    if data.path is not None:
        own = Path(data.path).expanduser()
        about = _look_at(own, _fingerprint(own), **data.model_dump(include=_OWN | _DIVISION))
        return Counts(about["train"], about["test"], len(about["classes"]), about["test_classes"])
    train, test = _ROWS[data.dataset]
    if test is None:
        # As images are divided: of each class one at least, on either side.
        test = min(max(round(data.test_fraction * train), CLASSES), train - CLASSES)
        train -= test
    if data.limit is not None and data.limit < train:
        train, test = data.limit, max(CLASSES, round(test * data.limit / train))
    return Counts(train, test, CLASSES, CLASSES)


def name_classes(data: Data) -> list[str]:
    """Names of the classes by code; raises BadImages as `count_images` does."""
    if data.path is None:
        return list(image_options(data.dataset)["class_names"].values())
    own = Path(data.path).expanduser()
    about = _look_at(own, _fingerprint(own), **data.model_dump(include=_OWN | _DIVISION))
    return list(about["classes"])


@functools.lru_cache(maxsize=8)
def _look_at(path: Path, fingerprint: object, **parameters: Any) -> dict[str, Any]:
    """What is known of own images, which are all opened: once, as long as the files stay as they are."""
    return check_images(path, **parameters)


def _fingerprint(path: Path) -> tuple[tuple[str, int, int], ...]:
    """Name, time and size of the file, or of all in the folder; zeros where they cannot be told."""
    found = sorted(path.rglob("*")) if path.is_dir() else [path]
    stats = []
    for each in found:
        try:
            stat = each.stat()
        except OSError:  # not there, or a link to nothing: the look itself will say so
            stats.append((str(each), 0, 0))
        else:
            stats.append((str(each), stat.st_mtime_ns, stat.st_size))
    return tuple(stats)
