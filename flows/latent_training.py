"""How the autoencoders of a flow are trained: the parameters."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from flows.training import Training

Variant = Literal["seed", "corrected"]
MOST_Z = 1024  # more numbers than MNIST has pixels press nothing


class LatentTraining(Training):
    """How the models are trained."""

    epochs: int = Field(
        default=4, ge=1, le=10_000, description="Passes over the images; the post takes 40"
    )
    batch: int = Field(default=128, ge=1, le=10_000, description="Images of a step, as in the post")
    rate: float = Field(
        default=0.002, gt=0, le=1, description="Largest learning rate of Adam; the post has .0005"
    )

    @property
    def is_posted(self) -> bool:
        """Whether this is the post's way, whose losses by epoch are known."""
        return (self.batch, self.schedule, self.rate) == (128, "constant", 5e-4)
