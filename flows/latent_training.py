"""How the autoencoders of a flow are trained: the parameters."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from engine import Parameters
from flows.image_data import Seed

Variant = Literal["seed", "corrected"]


class Training(Parameters):
    """How the models are trained."""

    epochs: int = Field(
        default=4, ge=1, le=10_000, description="Passes over the images; the post takes 40"
    )
    batch: int = Field(default=128, ge=1, le=10_000, description="Images of a step, as in the post")
    schedule: Literal["constant", "cosine", "one-cycle"] = Field(
        default="cosine",
        description="Course of the learning rate: constant as in the post, or falling to 0, which "
        "saves two of three epochs",
    )
    rate: float = Field(
        default=0.002, gt=0, le=1, description="Largest learning rate of Adam; the post has .0005"
    )
    warm_up: float = Field(
        default=0.2,
        ge=0,
        le=1000,
        description="Epochs in which the rate rises (of one-cycle: share of all steps)",
    )
    seed: Seed = Field(default=0, description="Seed of the weights and of the images' order")
    precision: Literal["auto", "float32", "bfloat16"] = Field(
        default="auto",
        description="auto: bfloat16 where the processor multiplies it, twice as fast at equal loss",
    )

    @model_validator(mode="after")
    def _has_no_warm_up(self) -> Training:
        if self.schedule == "constant" and self.warm_up:
            raise ValueError(
                f"training.warm_up = {self.warm_up}: a constant rate has none; set it to 0"
            )
        if self.schedule == "one-cycle" and self.warm_up >= 1:
            raise ValueError(
                f"training.warm_up = {self.warm_up}: of one-cycle it is a share of all steps, below 1"
            )
        return self

    @property
    def is_posted(self) -> bool:
        """Whether this is the post's way, whose losses by epoch are known."""
        return (self.batch, self.schedule, self.rate) == (128, "constant", 5e-4)
