"""What a person can set in the flow `autoencoder`, each value with its reason and its bounds."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from engine import Parameters
from flows.digits_parameters import Once, Tsne
from flows.image_data import MOST_SEED, Data, Seed
from flows.latent_training import MOST_Z, LatentTraining, Variant

Weight = Annotated[float, Field(ge=0, le=1000)]


class ColourData(Data):
    """Which images: a known data set, or a person's own, in grey or in colour."""

    colour: bool = Field(
        default=False,
        description="Keep the colours of own images: three channels go in and come out instead of one",
    )

    @property
    def values(self) -> int:
        """How many numbers an image is."""
        return self.size**2 * (3 if self.colour else 1)

    @model_validator(mode="after")
    def _has_colours(self) -> Self:
        if self.colour and self.path is None:
            raise ValueError(f"colour = true: {self.dataset} is grey; it is for own images (path)")
        return self


class Models(Parameters):
    """Which models are trained: every combination of these is one, cached on its own."""

    z: Annotated[list[Annotated[int, Field(ge=1, le=MOST_Z)]], Once] = Field(
        default=[16, 2],
        min_length=1,
        description="Numbers that an image is pressed into: 16 rebuild a digit almost perfectly, 2 can "
        "be drawn as they are",
    )
    variants: Annotated[list[Variant], Once] = Field(
        default=["corrected"],
        min_length=1,
        description="seed: the post's decoder, whose last LeakyReLU stands before the sigmoid; "
        "corrected: without it",
    )
    kl_weights: Annotated[list[Weight], Once] = Field(
        default=[0.0],
        min_length=1,
        description="Weight of the Kullback-Leibler term: 0 is no VAE, 1 the evidence lower bound "
        "(sum over z and mean over images, divided by the pixels)",
    )
    repeats: int = Field(
        default=1,
        ge=1,
        le=100,
        description="Trainings of each, begun with training.seed and the seeds after it: what differs "
        "between them is chance",
    )


class Probes(Parameters):
    """What the latent space is asked."""

    neighbours: int = Field(
        default=10, ge=1, le=1000, description="Nearest training points that vote on a class"
    )
    clusters: int = Field(
        default=10,
        ge=1,
        le=2000,
        description="Clusters of KMeans in z: as many as there are digits",
    )
    n_init: int = Field(default=5, ge=1, le=100, description="Starts of KMeans, the best kept")
    seed: Seed = Field(default=0, description="Seed of samples and starts")


class Tools(Parameters):
    """The walks through the latent space and the samples of it."""

    grid: int = Field(
        default=20, ge=2, le=60, description="Images along each side of the decoded plane"
    )
    start: int = Field(
        default=0, ge=0, description="Number of the test image that the walks along the axes pass"
    )
    steps: int = Field(default=11, ge=3, le=25, description="Images along an axis or on a way")
    pairs: int = Field(
        default=8, ge=1, le=30, description="Ways from an image to one of another class"
    )
    samples: int = Field(
        default=200, ge=20, le=10_000, description="Samples of each source; 200 hold a share to 3 %"
    )
    components: int = Field(
        default=20,
        ge=1,
        le=500,
        description="Gaussians of the mixture: two a digit; 100 take five times as long and pass alike",
    )
    scales: Annotated[list[Annotated[float, Field(gt=0, le=100)]], Once] = Field(
        default=[0.5, 1.0],
        description="Deviations of the normal distributions around the origin; 1 is what a VAE is "
        "drawn to",
    )
    agreement: float = Field(
        default=0.6,
        gt=0,
        le=1,
        description="Share of a sample's ten nearest training images that must be of one class for it "
        "to pass: a majority; of averages of two digits most pass too, clearly (0.8) half",
    )
    seed: Seed = Field(default=0, description="Seed of pairs and samples")

    @model_validator(mode="after")
    def _holds_the_unit(self) -> Tools:
        if 1.0 not in self.scales:
            raise ValueError("tools.scales must hold 1.0, the deviation that the card counts")
        return self


class AutoencoderParameters(Parameters):
    """Autoencoders of labelled images, plain or variational, and what their latent spaces are like."""

    data: ColourData = ColourData()
    models: Models = Models()
    training: LatentTraining = LatentTraining()
    probes: Probes = Probes()
    tsne: Tsne = Tsne()
    tools: Tools = Tools()

    @model_validator(mode="after")
    def _has_seeds(self) -> Self:
        last = self.training.seed + self.models.repeats - 1
        if last > MOST_SEED:
            raise ValueError(
                f"models.repeats = {self.models.repeats}: the last seed would be {last:,}, and the "
                f"largest is {MOST_SEED:,}; set a lower training.seed"
            )
        return self


# quick: half of the images once, in small batches, which learn most from few images.
# seed: the post's own values.
PRESETS: dict[str, dict[str, Any]] = {
    "quick": {
        "training": {"epochs": 1, "warm_up": 0.1, "batch": 16, "steps_per_epoch": 1875},
        "tsne": {"sample": 3000, "iterations": 500},
    },
    "standard": {},
    "seed": {
        "models": {"variants": ["seed"]},
        "training": {
            "epochs": 40, "batch": 128, "schedule": "constant", "rate": 5e-4, "warm_up": 0.0,
        },
    },
}  # fmt: skip
