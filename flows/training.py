"""How a network of a flow is trained: what all of them have in common, and what cannot go together."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from engine import Parameters
from flows.image_data import Seed


class Training(Parameters):
    """The course of the learning rate, the seed and the precision."""

    epochs: int
    schedule: Literal["constant", "cosine", "one-cycle"] = Field(
        default="cosine",
        description="Course of the learning rate. Falling, it saves two of three epochs; constant, as in "
        "the posts, more epochs go on from fewer",
    )
    seed: Seed = Field(default=0, description="Seed of the weights and of the images' order")
    precision: Literal["auto", "float32", "bfloat16"] = Field(
        default="auto",
        description="auto: bfloat16 where the processor multiplies it, nearly twice as fast at equal "
        "loss",
    )
    warm_up: float = Field(
        default=0.5,
        ge=0,
        le=1000,
        description="Epochs in which the rate rises (of one-cycle: share of all steps)",
    )

    @model_validator(mode="after")
    def _has_fitting_warm_up(self) -> Self:
        if self.schedule == "constant" and self.warm_up:
            raise ValueError(f"warm_up = {self.warm_up}: a constant rate has none; set it to 0")
        if self.schedule == "one-cycle" and self.warm_up >= 1:
            raise ValueError(
                f"warm_up = {self.warm_up}: of one-cycle it is a share of all steps, below 1"
            )
        if self.schedule == "cosine" and self.warm_up >= self.epochs:
            raise ValueError(
                f"warm_up = {self.warm_up}: the rate would still rise at the end of "
                f"{self.epochs} epoch{'s' * (self.epochs > 1)}; it must be lower"
            )
        return self
