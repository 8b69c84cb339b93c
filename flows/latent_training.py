"""How the autoencoders of a flow are trained: the parameters."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from flows.training import Training

Variant = Literal["seed", "corrected"]
MOST_Z = 1024  # more numbers than MNIST has pixels press nothing


class LatentTraining(Training):
    """How the models are trained; the defaults are the recipe that reaches the post's loss soonest."""

    epochs: int = Field(
        default=6,
        ge=1,
        le=10_000,
        description="Passes over the images: six of this schedule end below the post's 40",
    )
    batch: int = Field(
        default=64, ge=1, le=10_000, description="Images of a step, half as many as in the post"
    )
    rate: float = Field(
        default=0.004, gt=0, le=1, description="Largest learning rate of Adam; the post has .0005"
    )

    steps_per_epoch: int | None = Field(
        default=None,
        ge=1,
        description="At most so many steps make an epoch, on images drawn anew for each; none: all "
        "images are seen",
    )

    @property
    def is_posted(self) -> bool:
        """Whether this is the post's way, whose losses by epoch are known."""
        whole = self.steps_per_epoch is None
        return whole and (self.batch, self.schedule, self.rate) == (128, "constant", 5e-4)
