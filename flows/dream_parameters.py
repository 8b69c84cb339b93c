"""What a person can set of a dream: photos, levels and their maps, the loop, colours."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from engine import InputError, Parameters
from tasks.dreams.choosing import check_maps
from tasks.dreams.photo import SIZES
from tasks.dreams.tiles import check_grid


def _grid(text: str) -> str:
    try:
        return check_grid(text)
    except InputError as error:
        raise ValueError(str(error)) from None


def _maps(value: Any) -> Any:
    try:
        return check_maps(value)
    except InputError as error:
        raise ValueError(str(error)) from None


def _spelt_out(value: Any) -> Any:
    """A level given as its grid alone."""
    return {"grid": str(value)} if isinstance(value, str | int) else value


Row = Annotated[int, Field(ge=-64, le=63)]
Map = int | str
Maps = Annotated[Map | list[Map | list[Map]], AfterValidator(_maps)]


class Level(Parameters):
    """A grid over the picture, what is dreamt in its tiles, and how strongly."""

    grid: Annotated[str, AfterValidator(_grid)] = Field(
        default="1",
        description="Rows x columns, as 2x3; one number counts the tiles along the shorter side",
    )
    tiles: Literal["all"] | Annotated[list[tuple[Row, Row]], Field(min_length=1)] = Field(
        default="all", description="[row, column] of the tiles to dream in; -1 counts from the end"
    )
    maps: Maps = Field(
        default="auto",
        description="A map's number, auto (the strongest of each tile), class:9 (the one that tells "
        "that class), guide, an objective such as class_(9); a list is dealt out to the tiles",
    )
    strength: float = Field(
        default=1.0, gt=0, le=5, description="How much of what is dreamt comes back; not in seed"
    )


class Climbing(Parameters):
    """How the network's small images climb."""

    steps: int = Field(
        default=16, ge=1, le=1000, description="Steps of a climb; the posts take 30 smaller ones"
    )
    rate: float = Field(
        default=0.03,
        gt=0,
        le=1,
        description="Length of a step in deviations of a tile: strokes are drawn in two loops",
    )
    octaves: int = Field(
        default=1,
        ge=1,
        le=8,
        description="Passes from coarse to fine within a tile; levels do more",
    )
    octave_ratio: float = Field(
        default=1.4, gt=1, le=4, description="How much finer each octave is than the one before"
    )
    total_variation: float = Field(
        default=0.0, ge=0, le=10, description="Weight of smoothness; .1 makes strokes softer"
    )
    jitter: int = Field(
        default=1,
        ge=0,
        le=14,
        description="Most pixels by which a small image is rolled before a step: patterns then fit "
        "wherever they lie",
    )
    seed: int = Field(default=0, ge=0, le=2**31 - 1, description="Seed of the rolls")
    hold: bool = Field(
        default=True, description="Keep each tile's mean and deviation: strong patterns stay grey"
    )
    tolerance: float = Field(
        default=0.0,
        ge=0,
        lt=1,
        description="A tile stops once a step changes its activation by less than this share; the "
        "posts take 2e-4; 0: never",
    )


Side = Annotated[int, Field(ge=SIZES[0], le=SIZES[1])]


class Dream(Parameters):
    """A photo, carved with what a network knows."""

    photos: list[str] = Field(
        default=[],
        max_length=100,
        description="Own photos (JPEG, PNG, WebP); none: scikit-learn's flower.jpg",
    )
    size: Side | None = Field(
        default=1080,
        description="Pixels of the longer side; the finest patterns need a dozen pixels each. none: "
        "as the photo is",
    )
    shape: Literal["keep", "square", "stretch"] = Field(
        default="keep", description="square cuts the middle out, stretch makes a square of all"
    )
    mode: Literal["corrected", "seed"] = Field(
        default="corrected",
        description="corrected gives each tile its own standardisation and blends; seed is as posted",
    )
    levels: list[Annotated[Level, BeforeValidator(_spelt_out)]] = Field(
        default=[Level(grid=grid) for grid in ("1", "3", "6", "12", "24")],
        min_length=1,
        max_length=12,
        description="From coarse to fine; a level may be its grid alone, as 3",
    )
    overlap: float = Field(
        default=0.5,
        ge=0,
        le=1,
        description="How far windows reach into each other, of a tile's side; seed has borders",
    )
    stretch: bool = Field(
        default=False,
        description="Squeeze tiles into the network's shape instead of overlapping, as seed always does",
    )
    loops: int = Field(
        default=2, ge=1, le=100, description="Passes over all levels; the posts take 4 to 6 of less"
    )
    evenness: float = Field(
        default=0.25,
        ge=0,
        le=1,
        description="0 dreams where the photo is lively, 1 everywhere; not in seed",
    )
    climbing: Climbing = Climbing()
    guide: str | None = Field(
        default=None, description="Another photo, whose maps are dreamt where a level says guide"
    )
    colour: bool = Field(default=True, description="Show the dream with the photo's chroma")
    contrast: float = Field(
        default=1.1, gt=0, le=5, description="Of the picture in colour; 1: the photo's own"
    )
    vividness: float = Field(
        default=1.2,
        ge=0,
        le=3,
        description="Of its colours, which dark strokes dull; 1: as they are",
    )
    animation: int = Field(
        default=420, ge=64, le=1080, description="Pixels of the longer side of the GIF"
    )


# The post's own values, on its own tile, with a map that tells the class 9 as its map 56 did.
SEED_DREAM: dict[str, Any] = {
    "size": 560,
    "shape": "square",
    "mode": "seed",
    "levels": [
        {"grid": "1x1", "maps": "class:9"},
        {"grid": "2x2", "tiles": [[-1, -1]], "maps": "class:9"},
    ],
    "loops": 4,
    "climbing": {"steps": 30, "rate": 0.01, "jitter": 0, "hold": False},
    "colour": False,
}
QUICK_DREAM: dict[str, Any] = {"size": 840, "levels": ["1", "3", "6", "12"]}
