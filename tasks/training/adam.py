"""Adam with one operation a variable, whose whole state is arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tasks.training.runtime import start_tensorflow

if TYPE_CHECKING:
    import numpy as np

BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-7  # as Keras has them


def corrected_rates(rates: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """The rates (k,) of steps counted from 0, times Adam's correction of its averages' start from 0.

    rate · √(1 − β₂ᵗ) / (1 − β₁ᵗ) with t = step + 1 (Kingma & Ba 2015, end of section 2).
    """
    import numpy as np

    t = np.asarray(steps, dtype=np.float64) + 1
    return np.asarray(rates * np.sqrt(1 - BETA_2**t) / (1 - BETA_1**t), dtype=np.float32)


class Adam:
    """Averages of the gradients and of their squares, float32, for variables in one order."""

    def __init__(self, variables: Sequence[Any]) -> None:
        tf = start_tensorflow()
        self.variables = list(variables)
        self.means = [tf.Variable(tf.zeros_like(v), trainable=False) for v in self.variables]
        self.squares = [tf.Variable(tf.zeros_like(v), trainable=False) for v in self.variables]

    def update(self, gradients: Sequence[Any], rate: Any) -> None:
        """One step, inside a graph.

        Arguments:
            gradients: float32, one a variable.
            rate: float32, as `corrected_rates` gives it.
        """
        tf = start_tensorflow()
        for variable, mean, square, gradient in zip(
            self.variables, self.means, self.squares, gradients, strict=True
        ):
            tf.raw_ops.ResourceApplyAdam(
                var=variable.handle,
                m=mean.handle,
                v=square.handle,
                # powers of 0: the correction is in the rate already
                beta1_power=0.0,
                beta2_power=0.0,
                lr=rate,
                beta1=BETA_1,
                beta2=BETA_2,
                epsilon=EPSILON,
                grad=gradient,
            )

    def arrays(self) -> dict[str, np.ndarray]:
        """Weights and averages by name: weight_00, mean_00, square_00, …"""
        return {name: variable.numpy() for name, variable in self._named()}

    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Set what `arrays` gave."""
        for name, variable in self._named():
            variable.assign(arrays[name])

    def _named(self) -> list[tuple[str, Any]]:
        groups = {"weight": self.variables, "mean": self.means, "square": self.squares}
        return [(f"{g}_{i:02d}", v) for g, group in groups.items() for i, v in enumerate(group)]
