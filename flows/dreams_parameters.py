"""What a person can set in the flow `dreams`, each value with its reason and its bounds."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from engine import Parameters
from flows.dream_parameters import QUICK_DREAM, SEED_DREAM, Dream
from flows.image_data import Data, Seed
from flows.training import Training


class Network(Parameters):
    """The network that dreams: trained here, or a person's own."""

    path: str | None = Field(
        default=None,
        description="An own network, a .keras file, which is taken instead of training one; no code "
        "in it is run",
    )
    layer: str | None = Field(
        default=None,
        min_length=1,
        description="The layer whose maps are meant; none: the last convolution, Conv2D_3 of the CNN",
    )
    pixels: Literal["standard", "unit", "signed", "bytes"] = Field(
        default="standard",
        description="What an own network expects: standardised images, 0 to 1, -1 to 1, or 0 to 255",
    )
    side: int = Field(
        default=96,
        ge=8,
        le=1024,
        description="Pixels a side where an own network leaves the size open; time grows with its "
        "square",
    )


class CnnTraining(Training):
    """How the CNN is trained."""

    epochs: int = Field(
        default=4, ge=1, le=1000, description="Passes over the images: four tell 99.4 % right"
    )
    batch: int = Field(default=128, ge=1, le=4096, description="Images of a step: the usual 128")
    rate: float = Field(
        default=2e-3, gt=0, le=1, description="The largest rate: twice Adam's usual, as it falls"
    )
    l2: float = Field(
        default=1e-4,
        ge=0,
        lt=1,
        description="Weight of the squared kernels in the loss: a small one",
    )


class Atlas(Parameters):
    """The patterns that trigger the maps of the layer best."""

    maps: int = Field(
        default=256, ge=1, le=1024, description="Maps at most, from the first on; the CNN has 128"
    )
    starts: int = Field(
        default=2048,
        ge=1,
        le=100_000,
        description="Random images tried for every map at once; 8,000 wake no further map",
    )
    candidates: int = Field(
        default=3,
        ge=1,
        le=64,
        description="Of each map the best starts, which climb a little first",
    )
    steps: int = Field(
        default=200, ge=1, le=5000, description="Steps of a climb; the gain of more is some percent"
    )
    rate: float = Field(
        default=0.02, gt=0, le=10, description="Length of a step, in deviations of the image"
    )
    octaves: int = Field(
        default=1, ge=1, le=8, description="Passes from coarse to fine; 28 pixels need none"
    )
    octave_ratio: float = Field(
        default=1.4, gt=1, le=4, description="How much finer each pass is: the usual 1.4"
    )
    total_variation: float = Field(
        default=0.3,
        ge=0,
        le=10,
        description="Weight of smoothness: .3 takes single pixels away and leaves strokes",
    )
    jitter: int = Field(
        default=1,
        ge=0,
        le=64,
        description="Pixels by which the image is shifted at random in each step: what holds for its "
        "neighbours too is no accident of one grid",
    )
    hold: bool = Field(
        default=True,
        description="Keep each image's contrast, so that activations compare with real images'",
    )
    seed: Seed = Field(default=0, description="Seed of the starts and of the shifts")


class DreamsParameters(Parameters):
    """A CNN, what its maps react to, the patterns that trigger them, and dreams carved with them."""

    data: Data = Data()
    network: Network = Network()
    training: CnnTraining = CnnTraining()
    atlas: Atlas = Atlas()
    dream: Dream = Dream()


# quick: one epoch, fewer and longer steps. seed: the post's ascent as it stands, from noise.
PRESETS: dict[str, dict[str, Any]] = {
    "quick": {
        "training": {"epochs": 1, "rate": 4e-3, "warm_up": 0.2},
        "atlas": {"steps": 80, "rate": 0.04},
        "dream": QUICK_DREAM,
    },
    "standard": {},
    "seed": {
        "atlas": {
            "steps": 300,
            "rate": 0.01,
            "total_variation": 0.0,
            "jitter": 0,
            "hold": False,
        },
        "dream": SEED_DREAM,
    },
}
