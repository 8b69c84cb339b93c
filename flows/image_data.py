"""Which images a flow works on: the parameters, and how they become artifacts."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from engine import Parameters
from tasks.download import download_dataset
from tasks.images import check_images, image_options, load_images, source_images

Seed = Annotated[int, Field(ge=0, le=2**31)]

_OWN = {"label", "header", "invert", "white"}
_DIVISION = {"size", "test_fraction", "seed", "limit"}
# Images of the known sets, and whether they have a test part of their own beside them.
_ROWS = {"mnist": (60_000, True), "fashion-mnist": (60_000, True), "digits8x8": (1_797, False)}


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


def count_training(data: Data) -> int:
    """How many training images there will be; raises BadImages where own ones are unfit."""
    if data.path is not None:
        about = check_images(data.path, **data.model_dump(include=_OWN | _DIVISION))
        return int(about["train"])
    rows, divided = _ROWS[data.dataset]
    if not divided:
        rows -= round(data.test_fraction * rows)
    return min(rows, data.limit or rows)


def count_test(data: Data) -> int:
    """How many test images there will be at most; raises BadImages where own ones are unfit."""
    if data.path is not None:
        about = check_images(data.path, **data.model_dump(include=_OWN | _DIVISION))
        return int(about["test"])
    rows, divided = _ROWS[data.dataset]
    # The sets with a test part of their own have 10,000 images in it.
    return 10_000 if divided else round(data.test_fraction * rows)


def count_classes(data: Data) -> int:
    """How many classes the images have; raises BadImages where own ones are unfit."""
    if data.path is None:
        return 10  # of every known set
    return len(check_images(data.path, **data.model_dump(include=_OWN | _DIVISION))["classes"])
