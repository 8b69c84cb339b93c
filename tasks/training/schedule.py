"""The learning rate as a function of the step.

constant   ▔▔▔▔▔▔▔▔   rate
cosine     ╱▔╲▁       from 0 to rate over `warm_up` epochs, then half a cosine to 0
one-cycle  ╱▔╲▁       from rate / 25 to rate over `warm_up` of all epochs (a share), then to rate / 10⁴,
                      both as half cosines (Smith & Topin 2018)
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from engine import InputError

if TYPE_CHECKING:
    import numpy as np

Kind = Literal["constant", "cosine", "one-cycle"]

KINDS = ("constant", "cosine", "one-cycle")
_START, _END = 1 / 25, 1e-4


@dataclass(frozen=True)
class Schedule:
    """A learning rate for each step.

    Arguments:
        kind: its course, one of the three above.
        rate: its largest value.
        warm_up: of cosine in epochs, of one-cycle as a share of all steps; constant has none.
    """

    kind: Kind = "constant"
    rate: float = 5e-4
    warm_up: float = 0.0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise InputError(f"schedule = {self.kind!r}: choose one of {', '.join(KINDS)}")
        if not (math.isfinite(self.rate) and 0 < self.rate <= 1):
            raise InputError(f"rate = {self.rate}: expected a number above 0, at most 1")
        most = 1.0 if self.kind == "one-cycle" else math.inf
        if not 0 <= self.warm_up < most:
            raise InputError(
                f"warm_up = {self.warm_up}: expected "
                + ("a share of all steps, 0 to below 1" if most == 1 else "epochs, at least 0")
            )
        if self.kind == "constant" and self.warm_up:
            raise InputError(f"warm_up = {self.warm_up}: a constant rate has none; leave it at 0")

    @property
    def extends(self) -> bool:
        """Whether more epochs go on from fewer: the rate of a step does not depend on their number."""
        return self.kind == "constant"

    def rates(self, steps: np.ndarray, per_epoch: int, epochs: int) -> np.ndarray:
        """The rate of each step.

        Arguments:
            steps: numbers of steps, counted from 0.
            per_epoch: steps of an epoch.

        Returns:
            float32, as many.
        """
        import numpy as np

        at = np.asarray(steps, dtype=np.float64)
        total = per_epoch * epochs
        if self.kind == "constant":
            share = np.ones_like(at)
        elif self.kind == "cosine":
            rise = self.warm_up * per_epoch
            fall = np.clip((at - rise) / max(total - rise, 1), 0, 1)
            share = np.where(at < rise, (at + 1) / (rise + 1), (1 + np.cos(np.pi * fall)) / 2)
        else:
            rise = self.warm_up * total
            up = np.clip(at / max(rise, 1), 0, 1)
            down = np.clip((at - rise) / max(total - 1 - rise, 1), 0, 1)
            first = _START + (1 - _START) * (1 - np.cos(np.pi * up)) / 2
            last = _END + (1 - _END) * (1 + np.cos(np.pi * down)) / 2
            share = np.where(at < rise, first, last)
        return (self.rate * share).astype(np.float32)
