"""What a person can set in the flow `digits`, each value with its reason and its bounds."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from engine import Parameters
from flows.image_data import Data, Seed
from flows.latent_training import MOST_Z, LatentTraining, Variant


def _space(name: str) -> str:
    share = re.fullmatch(r"pca(0?\.\d+)", name)
    known = name == "raw" or re.fullmatch(r"(pca|ae)[1-9]\d{0,3}", name)
    if known and name.startswith("ae") and int(name.removeprefix("ae")) > MOST_Z:
        raise ValueError(f"{name}: an autoencoder's space has at most {MOST_Z} dimensions")
    if known or (share and float(share[1]) > 0):
        return name
    raise ValueError(
        f"{name} is no space; there is raw (all pixels), pca40 (40 components, any number), pca0.95 "
        "(as many as explain 95 % of the variance, any share), ae16 (the latent space of an "
        "autoencoder, any number of dimensions)"
    )


def _distinct(values: list[Any]) -> list[Any]:
    twice = [value for value in values if values.count(value) > 1]
    if twice:
        raise ValueError(f"{twice[0]} stands twice")
    return values


Clusters = Annotated[int, Field(ge=1, le=10_000)]
Space = Annotated[str, AfterValidator(_space)]
Scaling = Literal["unit", "standard", "normalise", "standard-normalise", "normalise-standard"]
Algorithm = Literal["kmeans", "minibatch"]
Once = AfterValidator(_distinct)


class Shown(Parameters):
    """The clustering that is drawn: its confusion, its centroids, its space by t-SNE."""

    scaling: Scaling = Field(
        default="normalise", description="Unit rows: they told most of MNIST right of all five"
    )
    space: Space = Field(
        default="pca40", description="40 components hold 77 % of the variance; more add little"
    )
    clusters: Clusters = Field(
        default=100, description="As many centroids as a person can still look at one by one"
    )
    algorithm: Algorithm = Field(
        default="kmeans", description="Two points better than minibatch here, and seconds slower"
    )
    seed: Seed = Field(default=0, description="Seed of the starts")


class Sweep(Parameters):
    """Every combination of these is a cell, clustered by MiniBatchKMeans and cached on its own."""

    clusters: Annotated[list[Clusters], Once] = Field(
        default=[10, 20, 40, 80, 100, 160, 300, 320, 640, 1000, 2000],
        min_length=1,
        description="Numbers of clusters: doubled each time, and 100 and 300, whose accuracy is known",
    )
    scalings: Annotated[list[Scaling], Once] = Field(
        default=["unit", "standard", "normalise", "standard-normalise", "normalise-standard"],
        min_length=1,
        description="unit divides by 255, standard goes pixel by pixel, normalise image by image",
    )
    spaces: Annotated[list[Space], Once] = Field(
        default=["raw", "pca15", "pca30", "pca50", "pca75"],
        min_length=1,
        description="Where distances are taken: all pixels, or the first components (pca30; pca0.95: "
        "as many as explain 95 % of the variance), or an autoencoder's latent space (ae16), which "
        "knows one scaling alone, unit",
    )
    seeds: Annotated[list[Seed], Once] = Field(
        default=[0, 1, 2],
        min_length=1,
        description="A clustering for each; three show a spread of half a point",
    )


class Reference(Parameters):
    """Cells in one scaling with more seeds and with Lloyd's KMeans, for the same numbers of clusters."""

    scaling: Scaling = Field(default="normalise", description="The scaling whose numbers are known")
    spaces: Annotated[list[Space], Once] = Field(
        default=["pca40", "pca50"], description="pca40: its numbers are known; pca50: peers use it"
    )
    algorithms: Annotated[list[Algorithm], Once] = Field(
        default=["kmeans", "minibatch"],
        description="Lloyd's iteration, and what it is compared with",
    )
    seeds: Annotated[list[Seed], Once] = Field(
        default=[0, 1, 2, 3, 4],
        min_length=1,
        description="Five are the least whose mean holds to a quarter of a point",
    )


class Clustering(Parameters):
    """How each cell is clustered."""

    n_init: int = Field(
        default=1,
        ge=1,
        le=100,
        description="Starts, the best kept; seeds already show what a start is worth",
    )
    max_iter: int = Field(
        default=300, ge=1, le=10_000, description="Passes over the images; KMeans takes 50 to 270"
    )
    batch_size: int = Field(
        default=1024,
        ge=1,
        le=100_000,
        description="Images of a minibatch; 4,096 take up to twice as long and gain nothing on average",
    )
    patience: int = Field(
        default=10,
        ge=1,
        le=1000,
        description="Minibatches without gain before the end; 20 take up to half as long again for .1 points",
    )
    backend: Literal["auto", "intelex", "scikit-learn"] = Field(
        default="auto",
        description="Who computes KMeans; auto: scikit-learn, in a third less processor time",
    )


class Prototypes(Parameters):
    """Clusters inside each class, the nearest of which classifies."""

    per_class: Annotated[list[Annotated[int, Field(ge=1, le=5000)]], Once] = Field(
        default=[1, 5, 10, 20, 50, 100, 200, 500, 1000],
        min_length=1,
        description="Prototypes of each class; 1,000 are 10,000 in all, as peers report",
    )
    seeds: Annotated[list[Seed], Once] = Field(
        default=[0, 1, 2], min_length=1, description="Their accuracy moves by a tenth of a point"
    )
    shown: int = Field(
        default=10, ge=1, le=100, description="Prototypes of each class that are drawn"
    )


class Tsne(Parameters):
    """The map of the space."""

    sample: int = Field(
        default=15_000,
        ge=8,
        le=200_000,
        description="Training images on the map: as many as the posts drew; time grows with n log n",
    )
    perplexity: float = Field(
        default=30.0,
        ge=1,
        le=500,
        description="Neighbours that each point holds on to: the usual 30",
    )
    iterations: int = Field(
        default=750,
        ge=250,
        le=10_000,
        description="Steps; 1,000 keep .2 % more neighbours in a third more time",
    )
    seed: Seed = Field(default=0, description="Seed of the sample")
    neighbours: int = Field(
        default=10,
        ge=1,
        le=1000,
        description="Neighbours whose survival is counted: peers count 10",
    )
    backend: Literal["auto", "intelex", "scikit-learn"] = Field(
        default="auto",
        description="Who computes t-SNE; auto: scikit-learn-intelex, ten times faster, where it is",
    )


class LatentSpaces(LatentTraining):
    """How the autoencoders of the latent spaces (ae16 …) are trained."""

    variant: Variant = Field(
        default="corrected",
        description="seed: the post's decoder, whose last LeakyReLU stands before the sigmoid; "
        "corrected: without it",
    )


class DigitsParameters(Parameters):
    """Scaling, components and clusters of labelled images, and how well clusters classify them."""

    data: Data = Data()
    shown: Shown = Shown()
    sweep: Sweep = Sweep()
    reference: Reference = Reference()
    clustering: Clustering = Clustering()
    prototypes: Prototypes = Prototypes()
    tsne: Tsne = Tsne()
    autoencoder: LatentSpaces = LatentSpaces()

    @model_validator(mode="after")
    def _draws_something(self) -> DigitsParameters:
        if self.shown.clusters > 2000:
            raise ValueError(f"shown.clusters = {self.shown.clusters}: at most 2000 can be drawn")
        return self


# quick: all images, few cells. seed: what the posts name, MiniBatchKMeans in 30 of fewer than 80
# components after standardisation, normalisation or both.
PRESETS: dict[str, dict[str, Any]] = {
    "quick": {
        "sweep": {"clusters": [10, 40, 100], "spaces": ["pca40"], "seeds": [0]},
        "reference": {"spaces": ["pca40"], "seeds": [0, 1]},
        "prototypes": {"per_class": [1, 10, 50], "seeds": [0]},
        "tsne": {"sample": 4000},
    },
    "standard": {},
    "seed": {
        "shown": {"space": "pca30", "algorithm": "minibatch"},
        "sweep": {
            "clusters": [10, 20, 40, 80, 160, 320],
            "scalings": ["standard", "normalise", "standard-normalise", "normalise-standard"],
            "spaces": ["pca15", "pca30", "pca50", "pca75"],
        },
        "reference": {"spaces": ["pca30"], "algorithms": ["minibatch"]},
        "prototypes": {"per_class": [1, 10, 100]},
    },
}
