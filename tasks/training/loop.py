"""The training loop: many steps a call in one graph, stopped and resumed without changing a bit.

What a step computes depends on its number alone: the rows of its batch on (seed, epoch), its random
numbers on (seed, step), its rate on the schedule. So neither how many steps go into a call nor when
a checkpoint was written can be seen in the weights.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from engine import InputError, StageError, work
from tasks.training.adam import Adam, corrected_rates
from tasks.training.runtime import start_tensorflow
from tasks.training.schedule import Schedule
from tasks.training.steps import Network, compile_judge, compile_steps

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

log = logging.getLogger(__name__)

# Neither can change a result: how long a call computes, so that progress is shown and a
# cancelled run stops soon; and how much work a killed run loses at most.
CALL_SECONDS = 0.7
CHECKPOINT_SECONDS = 20.0
_JUDGED_ROWS = 1000
# A loss so many times the first one does not come down again.
_DIVERGED = 10


@dataclass(frozen=True)
class Training:
    """How long and how fast it is trained.

    Arguments:
        epochs: passes over the images.
        batch: images of a step; the last batch of an epoch holds what is left.
        schedule: the learning rate.
        seed: of the order of the images and of all that is random in a step.
        lanes: parts of a batch that are computed side by side, each on one thread.
        steps_per_epoch: at most so many steps make an epoch, on images drawn anew for each; None: all
            images are seen.
    """

    epochs: int = 40
    batch: int = 128
    schedule: Schedule = field(default_factory=Schedule)
    seed: int = 0
    lanes: int = 1
    steps_per_epoch: int | None = None

    def __post_init__(self) -> None:
        for name, value in (
            ("epochs", self.epochs),
            ("batch", self.batch),
            ("threads", self.lanes),
            ("steps_per_epoch", self.steps_per_epoch),
        ):
            if value is not None and value < 1:
                raise InputError(f"{name} = {value}: expected at least 1")
        if self.seed < 0:
            raise InputError(f"seed = {self.seed}: expected at least 0")

    def count_steps(self, rows: int) -> int:
        """Steps of an epoch where there are so many images."""
        return min(-(-rows // self.batch), self.steps_per_epoch or rows)


class Trained(NamedTuple):
    """history: one row an epoch: epoch, step (done so far), rate (of its last step), the mean of each
    figure and, beginning with test_, of each that was judged · state: what more epochs go on from."""

    history: pd.DataFrame
    state: dict[str, np.ndarray]


def train_network(
    network: Network,
    train: Mapping[str, np.ndarray],
    test: Mapping[str, np.ndarray],
    training: Training,
    earlier: Mapping[str, np.ndarray] | None = None,
) -> Trained:
    """Train the network's variables, from the last checkpoint where there is one.

    Arguments:
        train, test: x uint8 (n, h, w[, c]), y int64 (n,); test is judged after each epoch.
        earlier: the `state` of the same training with fewer epochs.

    Raises:
        StageError: the loss is no finite number, or diverged.
    """
    run = _Run(network, train, test, training)
    box = work.checkpoints()
    found = box.latest()
    if found is not None:
        run.restore(found)
        log.info(
            "goes on from the checkpoint after step %s of %s", f"{run.step:,}", f"{run.steps:,}"
        )
    elif earlier is not None:
        run.restore(earlier)
        log.info("goes on from the %d epochs that are trained already", run.epoch)
    saved = time.monotonic()
    while run.step < run.steps:
        run.advance()
        if time.monotonic() - saved >= CHECKPOINT_SECONDS and run.step < run.steps:
            box.save(run.step, run.arrays())
            saved = time.monotonic()
    return Trained(run.table(), run.arrays())


class _Run:
    """One training under way."""

    def __init__(
        self,
        network: Network,
        train: Mapping[str, np.ndarray],
        test: Mapping[str, np.ndarray],
        training: Training,
    ) -> None:
        import numpy as np

        tf = start_tensorflow()
        self.training = training
        self.images = len(train["x"])
        self.per_epoch = training.count_steps(self.images)
        self.rows = min(self.images, self.per_epoch * training.batch)  # of an epoch
        self.steps = self.per_epoch * training.epochs
        self.step = 0
        self.first_loss = np.nan
        self.history: dict[str, list[float]] = {}
        self.figures: dict[str, np.ndarray] = {}  # of each step of this epoch, float32
        self.optimiser = Adam(network.variables)
        data = [tf.constant(np.ascontiguousarray(train[name])) for name in ("x", "y")]
        self._unseen = test
        self._call = compile_steps(
            network,
            self.optimiser,
            data,
            batch=training.batch,
            seed=training.seed,
            lanes=training.lanes,
        )
        self._judge = compile_judge(network, training.lanes)
        self._order: tuple[int, Any] = (-1, None)
        self._at_once = 2  # steps of the next call
        self._reported = 0.0

    @property
    def epoch(self) -> int:
        """The number of finished epochs."""
        return self.step // self.per_epoch

    def advance(self) -> None:
        """Some steps of one epoch, and what follows its last one."""
        import numpy as np

        begun = self.step % self.per_epoch
        count = min(self._at_once, self.per_epoch - begun)
        numbers = np.arange(self.step, self.step + count)
        rates = self.training.schedule.rates(numbers, self.per_epoch, self.training.epochs)
        started = time.monotonic()
        found = self._call(
            self._permutation(),
            np.int32(begun),
            np.int64(self.step),
            corrected_rates(rates, numbers),
        )
        values = {name: value.numpy() for name, value in found.items()}
        seconds = time.monotonic() - started
        # From call to call at most four times as many: the first one includes the compilation.
        self._at_once = max(1, min(4 * count, int(count * CALL_SECONDS / max(seconds, 1e-6))))
        self._check(values["loss"], rates)
        for name, value in values.items():
            before = self.figures.get(name)
            self.figures[name] = value if before is None else np.concatenate([before, value])
        self.step += count
        if self.step % self.per_epoch == 0:
            self._end_epoch(float(rates[-1]))
        self._report(float(values["loss"].mean(dtype=np.float64)))

    def arrays(self) -> dict[str, np.ndarray]:
        """All that the rest of the training depends on."""
        import numpy as np

        return {
            **self.optimiser.arrays(),
            "step": np.array([self.step], dtype=np.int64),
            "first_loss": np.array([self.first_loss], dtype=np.float64),
            **{f"figure_{name}": value for name, value in self.figures.items()},
            **{f"history_{name}": np.array(v, np.float64) for name, v in self.history.items()},
        }

    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Go on from what `arrays` gave."""
        import numpy as np

        self.optimiser.restore(arrays)
        self.step = int(arrays["step"][0])
        self.first_loss = float(arrays["first_loss"][0])
        self.figures = _named(arrays, "figure_")
        self.history = {n: v.tolist() for n, v in _named(arrays, "history_").items()}
        if not 0 <= self.step <= self.steps or np.isnan(self.first_loss):
            raise StageError(f"a state after step {self.step:,} is none of these {self.steps:,}")

    def table(self) -> pd.DataFrame:
        """The history."""
        import pandas as pd

        first = ["epoch", "step", "rate", "loss", "test_loss"]
        order = first + sorted(set(self.history) - set(first))
        return pd.DataFrame(self.history)[order].astype({"epoch": "int64", "step": "int64"})

    def _permutation(self) -> Any:
        """The rows of this epoch, int32 (n,)."""
        import numpy as np

        if self._order[0] != self.epoch:
            tf = start_tensorflow()
            order = np.random.default_rng((self.training.seed, self.epoch)).permutation(self.images)
            self._order = self.epoch, tf.constant(order[: self.rows].astype(np.int32))
        return self._order[1]

    def _check(self, losses: np.ndarray, rates: np.ndarray) -> None:
        import numpy as np

        if np.isnan(self.first_loss):
            self.first_loss = float(losses[0])
        bad = ~np.isfinite(losses) | (losses > _DIVERGED * max(self.first_loss, 1e-3))
        if not bad.any():
            return
        index = int(bad.argmax())
        loss, rate = float(losses[index]), float(rates[index])
        found = "is no number" if not np.isfinite(loss) else f"rose to {loss:.3g}"
        raise StageError(
            f"training diverged: the loss {found} in epoch {self.epoch + 1}, step "
            f"{self.step + index + 1:,} of {self.steps:,}, at rate {rate:.2g} (it began at "
            f"{self.first_loss:.3g}); try a smaller rate, e.g. {self.training.schedule.rate / 4:.1g}, "
            "a longer warm-up, or precision float32"
        )

    def _end_epoch(self, rate: float) -> None:
        """Judge the test images and add a row to the history."""
        import numpy as np

        sizes = np.full(self.per_epoch, self.training.batch, dtype=np.float64)
        sizes[-1] = self.rows - self.training.batch * (self.per_epoch - 1)
        row: dict[str, float] = {"epoch": self.epoch, "step": self.step, "rate": rate}
        row |= {name: float(value @ sizes) / self.rows for name, value in self.figures.items()}
        x, y = self._unseen["x"], self._unseen["y"]
        sums: dict[str, float] = {}
        for start in range(0, len(x), _JUDGED_ROWS):
            part = slice(start, start + _JUDGED_ROWS)
            for name, value in self._judge(np.asarray(x[part]), np.asarray(y[part])).items():
                mean = float(value.numpy()) * len(x[part])
                sums[f"test_{name}"] = sums.get(f"test_{name}", 0.0) + mean
        row |= {name: value / len(x) for name, value in sums.items()}
        bad = [name for name, value in row.items() if not np.isfinite(value)]
        if bad:
            raise StageError(
                f"training diverged: {bad[0]} after epoch {self.epoch} is no number, at rate "
                f"{rate:.2g}; try a smaller rate, e.g. {self.training.schedule.rate / 4:.1g}, or "
                "precision float32"
            )
        for name, value in row.items():
            self.history.setdefault(name, []).append(value)
        self.figures = {}
        told = ", ".join(f"{name} {row[name]:.4f}" for name in ("loss", "test_loss") if name in row)
        log.info("epoch %d of %d: %s", self.epoch, self.training.epochs, told)

    def _report(self, loss: float) -> None:
        figures = {"epoch": self.step / self.per_epoch, "loss": loss}
        if "test_loss" in self.history:
            figures["test_loss"] = self.history["test_loss"][-1]
        work.progress(self.step, self.steps, "step", **figures)


def _named(arrays: Mapping[str, np.ndarray], prefix: str) -> dict[str, np.ndarray]:
    return {n.removeprefix(prefix): v for n, v in arrays.items() if n.startswith(prefix)}
