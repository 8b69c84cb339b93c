"""What a person can set in the flow `wifi`, each value with its reason and its bounds."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from engine import Parameters

Clusters = Annotated[int, Field(ge=2, le=2000)]
Seed = Annotated[int, Field(ge=0, le=2**31)]
TestFraction = Annotated[float, Field(gt=0, lt=1)]


class Data(Parameters):
    """Which table: the UCI set, or a person's own."""

    path: str | None = Field(
        default=None,
        description="A .csv, .tsv, .txt or .parquet file; none: the UCI set, downloaded once",
    )
    label: str = Field(default="room", min_length=1, description="The column that holds the class")
    names: list[str] | None = Field(
        default=None, description="Column names of an own text file that has no header line"
    )
    unit: str | None = Field(
        default=None,
        max_length=20,
        description="Unit of the features; none: dBm for the UCI set, else no unit",
    )
    offline: bool = Field(
        default=False, description="Use the bundled copy and never open a connection"
    )

    @property
    def is_reference(self) -> bool:
        """Whether this is the UCI set, whose numbers are known."""
        return self.path is None


class Forest(Parameters):
    """The supervised reference."""

    trees: int = Field(
        default=100,
        ge=1,
        le=5000,
        description="Trees of a forest; more change the accuracy by less than .1",
    )
    splits: int = Field(
        default=8,
        ge=1,
        le=100,
        description="Divisions into training and test rows; one moves by .6 points",
    )
    test_fraction: TestFraction = Field(
        default=0.25, description="Share of the rows that is tested: 500 of 2000, as in the posts"
    )
    seed: Seed = Field(default=0, description="Seed of the divisions and of the trees")


class ClusterAnalysis(Parameters):
    """The clusters and the range of k that is compared."""

    k_min: Clusters = Field(default=2, description="The least k: a silhouette needs two clusters")
    k_max: Clusters = Field(
        default=12, description="The largest k: all criteria have settled before it"
    )
    n_init: int = Field(
        default=10,
        ge=1,
        le=1000,
        description="Starts of KMeans; a single one misses the best k = 4 often",
    )
    seed: Seed = Field(default=0, description="Seed of the starts")
    algorithm: Literal["kmeans", "minibatch"] = Field(
        default="kmeans", description="minibatch is faster on large tables and a little worse"
    )
    profiles: list[Clusters] = Field(
        default=[3, 4, 5, 6],
        min_length=1,
        max_length=8,
        description="The k of the silhouette plots",
    )
    chosen: tuple[Clusters, Clusters] = Field(
        default=(4, 5),
        description="The two k whose clusters are drawn, the second one in more pictures",
    )

    @model_validator(mode="after")
    def _within_range(self) -> ClusterAnalysis:
        if self.k_min > self.k_max:
            raise ValueError(f"k_min = {self.k_min} exceeds k_max = {self.k_max}")
        for name, values in (("profiles", self.profiles), ("chosen", self.chosen)):
            outside = [k for k in values if not self.k_min <= k <= self.k_max]
            if outside:
                raise ValueError(
                    f"{name} = {list(values)}: {outside[0]} is not within k_min to k_max = "
                    f"{self.k_min} to {self.k_max}"
                )
            if len(set(values)) < len(values):
                raise ValueError(f"{name} = {list(values)}: each k once")
        return self


class Reference(Parameters):
    """What noise and chance would give."""

    references: int = Field(
        default=10,
        ge=1,
        le=500,
        description="Tables of uniform noise; s(k) of the gap hardly falls beyond",
    )
    resamples: int = Field(
        default=12,
        ge=1,
        le=500,
        description="Pairs of bootstrap samples; they take the most time of all",
    )
    n_init: int = Field(
        default=5,
        ge=1,
        le=1000,
        description="Starts of KMeans on each of them; noise has no best start to miss",
    )


class Classifier(Parameters):
    """Clusters used to classify."""

    clusters: list[Clusters] = Field(
        default=[4, 5, 6, 7, 8, 9, 10, 11, 12, 15, 20, 25, 30],
        min_length=1,
        description="Numbers of clusters; the posts find 9 to 11 good, beyond 12 little changes",
    )
    spaces: list[str] = Field(
        default=["raw", "pca3", "standardised"],
        min_length=1,
        description="Where distances are taken: raw, standardised, pca3 (first 3 components; or pca2 …)",
    )
    splits: int = Field(
        default=8,
        ge=1,
        le=100,
        description="Divisions into training and test rows; one moves by 1 point",
    )
    test_fraction: TestFraction = Field(
        default=0.25, description="500 of 2000 rows, as in the posts"
    )
    n_init: int = Field(
        default=5, ge=1, le=1000, description="Starts of KMeans; more add less than .2 points"
    )

    @field_validator("clusters", "spaces")
    @classmethod
    def _distinct(cls, values: list[Any]) -> list[Any]:
        twice = [value for value in values if values.count(value) > 1]
        if twice:
            raise ValueError(f"{twice[0]} stands twice")
        return values

    @field_validator("spaces")
    @classmethod
    def _known(cls, spaces: list[str]) -> list[str]:
        for space in spaces:
            if not re.fullmatch(r"raw|standardised|pca[1-9]\d*", space):
                raise ValueError(f"{space} is no space; there is raw, standardised, pca1, pca2, …")
        return spaces


class Figures(Parameters):
    """What the pictures show."""

    pairs: list[tuple[str, str]] | None = Field(
        default=None,
        min_length=1,
        max_length=4,
        description="Planes that are enlarged; none: 0/4 and 3/4 for the UCI set, as in the posts, "
        "else the two in which the clusters stand apart best",
    )


class WifiParameters(Parameters):
    """Cluster analysis of a table of signals with a class each."""

    data: Data = Data()
    forest: Forest = Forest()
    clusters: ClusterAnalysis = ClusterAnalysis()
    reference: Reference = Reference()
    classifier: Classifier = Classifier()
    figures: Figures = Figures()


# quick: the same numbers with less certainty. seed: what the posts did, and nothing they did not;
# they scored one division, and five are the least that gives an honest spread.
PRESETS: dict[str, dict[str, Any]] = {
    "quick": {
        "forest": {"splits": 5},
        "clusters": {"k_max": 8},
        "reference": {"references": 3, "resamples": 4, "n_init": 3},
        "classifier": {"clusters": [4, 5, 10, 11], "splits": 5},
    },
    "standard": {},
    "seed": {
        "forest": {"splits": 5},
        "classifier": {
            "clusters": [4, 5, 8, 9, 10, 11, 12],
            "spaces": ["raw", "pca3"],
            "splits": 5,
        },
    },
}
