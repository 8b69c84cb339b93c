"""Gradient ascent on images: a whole batch climbs at once, each image its own objective.

One step, for each image x with objective L (SPEC: the OIP algorithm):

    g = ∂L/∂x            of x rolled by a random shift, rolled back
    g ← g seen coarsely  (octaves: structures smaller than the octave's grid are left out)
    g ← g / RMS(g)       an image that the objective does not feel stays as it is
    x ← x + rate · (g − total_variation · ∂TV/∂x)
    x ← x with the mean and the deviation it began with      (where `hold` is set)

Everything but the size of an image is an argument of the one compiled graph: objectives, number of
images and steps, rates, shifts. It is traced once and serves every loop, tile, map and picture.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from engine import InputError
from tasks.dreams.measure import Measure, Tables
from tasks.dreams.memory import keep_memory
from tasks.dreams.objectives import Objective
from tasks.training.runtime import start_tensorflow

if TYPE_CHECKING:
    import numpy as np

# Images of a network of MNIST's size climb fastest in batches whose activations stay in the caches.
CHUNK_BYTES = 96 * 2**20
KEPT = 4  # copies of each activation that a gradient holds at once

Watch = Callable[[int, "np.ndarray", "np.ndarray"], None]


@dataclass(frozen=True)
class Climbing:
    """How images climb.

    Arguments:
        steps: how many; 30 in a dream, several hundred from noise.
        rate: length of a step, in units of the image's pixels (root mean square).
        octaves: passes from coarse to fine, which share the steps; 1: every step sees all details.
        octave_ratio: how much finer each octave's grid is than the one before.
        total_variation: weight of smoothness against the unit length of g.
        jitter: most pixels by which an image is rolled before each gradient.
        seed: of the shifts.
        hold: give each image its own mean and deviation back after each step.
        tolerance: an image stops once |ΔL| / |L| of a step is below; 0: it never does.
    """

    steps: int = 30
    rate: float = 0.01
    octaves: int = 1
    octave_ratio: float = 1.4
    total_variation: float = 0.0
    jitter: int = 0
    seed: int = 0
    hold: bool = False
    tolerance: float = 0.0


class Climb(NamedTuple):
    """images: float32 (n, h, w, c) · values: float32 (n, steps + 1), each image's objective before
    the first step and after each · stopped: int64 (n,), steps that changed the image."""

    images: np.ndarray
    values: np.ndarray
    stopped: np.ndarray


class Ascent:
    """A compiled climb for one network and all objectives that will be asked for.

        ascent = Ascent(network, [channel("Conv2D_3", m) for m in range(128)])
        climb = ascent.climb(images, objectives, Climbing(steps=30))

    Arguments:
        network: a Keras model of images.
        objectives: every objective that `climb` will get (their layers become part of the graph).
        shape: (h, w, c) of the images, for a network that takes images of any size.
        chunk_bytes: memory for the activations of the images that climb at once.

    `traces` counts how often the graph was traced: once, whatever is climbed.
    """

    def __init__(
        self,
        network: Any,
        objectives: Sequence[Objective],
        shape: tuple[int, int, int] | None = None,
        chunk_bytes: int = CHUNK_BYTES,
    ) -> None:
        keep_memory()
        self._measure = Measure(network, objectives, shape)
        self.shape = self._measure.shape
        self.chunk = max(1, chunk_bytes // (4 * KEPT * self._measure.largest))
        self.traces = 0
        self._climb, self._rate = self._compile()

    def climb(
        self,
        images: np.ndarray,
        objectives: Sequence[Objective] | Objective,
        climbing: Climbing = Climbing(),
        watch: Watch | None = None,
        reports: int = 6,
    ) -> Climb:
        """Change each image so that its own objective grows.

        Images do not know of each other: what one becomes does not depend on its neighbours in the
        batch (beyond the rounding of sums).

        Arguments:
            images: float32 (n, h, w, c).
            objectives: one for each image, or one for all.
            watch: called with the steps done, the images and their values after each of `reports`
                equal parts of the steps; of large batches for each chunk.

        Raises InputError: images of another shape, or values that are no numbers any more.
        """
        import numpy as np

        images, each = self._checked(images, objectives)
        if not len(images):
            nothing = np.zeros((0, climbing.steps + 1), np.float32)
            return Climb(images, nothing, np.zeros(0, np.int64))
        parts = []
        for first in range(0, len(images), self.chunk):
            rows = slice(first, first + self.chunk)
            tables = self._measure.tabulate(each[rows])
            parts.append(self._climb_chunk(images[rows], tables, climbing, watch, reports))
        found = Climb(*(np.concatenate(part) for part in zip(*parts, strict=True)))
        if not np.isfinite(found.values).all():
            worst = int(np.flatnonzero(~np.isfinite(found.values).all(axis=1))[0])
            raise InputError(
                f"{each[worst]} of image {worst} grew beyond all numbers: is the rate too large, or "
                "does the network expect pixels on another scale?"
            )
        return found

    def rate(self, images: np.ndarray, objectives: Sequence[Objective] | Objective) -> np.ndarray:
        """The value of each image's own objective, float32 (n,); nothing is changed."""
        import numpy as np

        images, each = self._checked(images, objectives)
        values = [np.zeros(0, np.float32)]
        for first in range(0, len(images), self.chunk):
            rows = slice(first, first + self.chunk)
            values.append(self._rate(images[rows], *self._measure.tabulate(each[rows])).numpy())
        return np.concatenate(values)

    def _checked(
        self, images: np.ndarray, objectives: Sequence[Objective] | Objective
    ) -> tuple[np.ndarray, Sequence[Objective]]:
        import numpy as np

        images = np.asarray(images, np.float32)
        if images.shape[1:] != self.shape:
            raise InputError(f"images {images.shape}: the ascent takes (n, *{self.shape})")
        if not np.isfinite(images).all():
            raise InputError("the images hold values that are no finite numbers")
        each = [objectives] * len(images) if isinstance(objectives, Objective) else objectives
        if len(each) != len(images):
            raise InputError(f"{len(each)} objectives for {len(images)} images")
        return images, each

    def _climb_chunk(
        self,
        images: np.ndarray,
        tables: Tables,
        climbing: Climbing,
        watch: Watch | None,
        reports: int,
    ) -> Climb:
        import numpy as np

        axes = (1, 2, 3)
        held = (images.mean(axis=axes), np.maximum(images.std(axis=axes), _least_deviation(images)))
        now, last = images, np.full(len(images), np.inf, np.float32)
        active = np.ones(len(images), bool)
        stopped = np.zeros(len(images), np.int64)
        values = []
        passes = _passes(climbing, self.shape, reports if watch else 1)
        for number, (first, steps, grid) in enumerate(passes):
            extra = int(number == len(passes) - 1)  # rated once more, without a step
            now, last, active, stopped_now, trace = (
                part.numpy()
                for part in self._climb(
                    now, *tables, *held, last, active, steps, extra, first, grid, climbing.rate,
                    climbing.total_variation, climbing.jitter, climbing.seed, climbing.hold,
                    climbing.tolerance,
                )
            )  # fmt: skip
            stopped += stopped_now
            values.append(trace)
            if watch is not None:
                watch(first + steps, now, last)
        return Climb(now, np.concatenate(values).T, stopped)

    def _compile(self) -> tuple[Any, Any]:
        """The compiled climb of some steps, and the compiled rating."""
        tf = start_tensorflow()

        height, width, _ = self.shape
        number, whole, logical = tf.float32, tf.int32, tf.bool
        images = tf.TensorSpec((None, *self.shape), number)
        tables = (
            tf.TensorSpec((None, None), number),
            tf.TensorSpec((None, None, None), whole),
            tuple(tf.TensorSpec((None,), whole) for _ in self._measure.layers),
        )
        each, one, count, switch = (
            tf.TensorSpec((None,), number),
            tf.TensorSpec((), number),
            tf.TensorSpec((), whole),
            tf.TensorSpec((), logical),
        )
        signature = [
            images, *tables, each, each, each, tf.TensorSpec((None,), logical), count, count, count,
            tf.TensorSpec((2,), whole), one, one, count, count, switch, one,
        ]  # fmt: skip

        # Nothing here is written in Python's own loops and conditions: no need to look for them.
        how: dict[str, Any] = {"jit_compile": False, "autograph": False}

        # A graph by itself: inside the loop's, which is a circle, oneDNN's gradients of pools are found
        # by luck, and TensorFlow's own take as long as all the rest.
        @tf.function(
            input_signature=[images, *tables], experimental_attributes={"_noinline": True}, **how
        )
        def slope(images: Any, weights: Any, factors: Any, spots: Any) -> tuple[Any, Any]:
            with tf.GradientTape() as tape:
                tape.watch(images)
                value = self._measure.rate(images, weights, factors, spots)
            return value, tape.gradient(value, images)

        def climb(
            images: Any, weights: Any, factors: Any, spots: Any, mean: Any, deviation: Any,
            last: Any, active: Any, steps: Any, extra: Any, first: Any, grid: Any, rate: Any,
            total_variation: Any, jitter: Any, seed: Any, hold: Any, tolerance: Any,
        ) -> Any:  # fmt: skip
            self.traces += 1  # runs when the graph is traced, never when it is run

            def step(done: Any, x: Any, last: Any, active: Any, moved: Any, trace: Any) -> Any:
                shift = tf.random.stateless_uniform(
                    (2,), (seed, first + done), -jitter, jitter + 1, whole
                )
                shift *= tf.cast(done < steps, whole)  # the last value is that of the image itself
                rolled = _rolled(x, shift)
                value, gradient = slope(rolled, weights, factors, spots)
                gradient = _rolled(gradient, -shift)
                gradient = _unit(_coarse(gradient, grid, (height, width)))
                # Compared as products, as L may be 0. The first value comes after infinity.
                still = tf.abs(value - last) < tolerance * tf.abs(value)
                active = active & ~still & (done < steps)
                # Taken only where it counts: it costs as much as a sixth of a small network.
                smoothing = tf.cond(
                    total_variation > 0,
                    lambda: total_variation * _variation(x),
                    lambda: tf.zeros_like(x),
                )
                change = rate * (gradient - smoothing)
                higher = _held(x + change, mean, deviation, hold)
                x = tf.where(active[:, None, None, None], higher, x)
                moved += tf.cast(active, whole)
                return done + 1, x, value, active, moved, trace.write(done, value)

            _, x, last, active, moved, trace = tf.while_loop(
                lambda done, *_: done < steps + extra,
                step,
                (
                    tf.constant(0),
                    images,
                    last,
                    active,
                    tf.zeros_like(active, whole),
                    tf.TensorArray(number, steps + extra, element_shape=(None,)),
                ),
                parallel_iterations=1,
            )
            return x, last, active, moved, trace.stack()

        return (
            tf.function(climb, input_signature=signature, **how),
            tf.function(self._measure.rate, input_signature=[images, *tables], **how),
        )


def _passes(
    climbing: Climbing, shape: tuple[int, int, int], reports: int
) -> list[tuple[int, int, tuple[int, int]]]:
    """(first step, steps, grid of the octave), in order: octaves from coarse to fine, in parts."""
    found, first = [], 0
    for octave in range(climbing.octaves):
        # The coarser octaves get their whole share first; what does not divide falls to the finest.
        share = climbing.steps // climbing.octaves
        if octave == climbing.octaves - 1:
            share = climbing.steps - first
        shrink = climbing.octave_ratio ** (climbing.octaves - 1 - octave)
        grid = (max(2, round(shape[0] / shrink)), max(2, round(shape[1] / shrink)))
        parts = max(1, min(reports // climbing.octaves, share))
        for part in range(parts):
            steps = share * (part + 1) // parts - share * part // parts
            found.append((first, steps, grid))
            first += steps
    return found


def _least_deviation(images: np.ndarray) -> float:
    """What `tf.image.per_image_standardization` divides by where an image is flat."""
    return float(images[0].size) ** -0.5


def _rolled(images: Any, shift: Any) -> Any:
    """Images rolled by rows and columns; not touched where there is nothing to roll."""
    tf = start_tensorflow()

    return tf.cond(
        tf.reduce_any(shift != 0), lambda: tf.roll(images, shift, (1, 2)), lambda: images
    )


def _unit(gradient: Any) -> Any:
    """Each image's gradient divided by its root mean square; one of zeros stays."""
    tf = start_tensorflow()

    # By the largest first: squares of small gradients would vanish in float32.
    gradient = tf.math.divide_no_nan(
        gradient, tf.reduce_max(tf.abs(gradient), axis=(1, 2, 3), keepdims=True)
    )
    square = tf.reduce_mean(gradient**2, axis=(1, 2, 3), keepdims=True)
    return tf.math.divide_no_nan(gradient, tf.sqrt(square))


def _coarse(gradient: Any, grid: Any, size: tuple[int, int]) -> Any:
    """The gradient as seen on a grid of fewer pixels; on the full grid itself."""
    tf = start_tensorflow()

    def shrink() -> Any:
        small = tf.image.resize(gradient, grid, "bicubic", antialias=True)
        return tf.ensure_shape(tf.image.resize(small, size, "bicubic"), gradient.shape)

    return tf.cond(tf.reduce_all(grid == tf.constant(size)), lambda: gradient, shrink)


def _variation(x: Any) -> Any:
    """∂TV/∂x of the isotropic total variation (Rudin, Osher & Fatemi 1992), smooth where flat."""
    tf = start_tensorflow()

    down = tf.pad(x[:, 1:] - x[:, :-1], ((0, 0), (0, 1), (0, 0), (0, 0)))
    right = tf.pad(x[:, :, 1:] - x[:, :, :-1], ((0, 0), (0, 0), (0, 1), (0, 0)))
    length = tf.sqrt(down**2 + right**2 + 1e-4)
    down, right = down / length, right / length
    return (
        tf.pad(down, ((0, 0), (1, 0), (0, 0), (0, 0)))[:, :-1]
        - down
        + tf.pad(right, ((0, 0), (0, 0), (1, 0), (0, 0)))[:, :, :-1]
        - right
    )


def _held(x: Any, mean: Any, deviation: Any, hold: Any) -> Any:
    """The images with these means and deviations, (n,), where `hold` is true."""
    tf = start_tensorflow()

    def again() -> Any:
        now, square = tf.nn.moments(x, axes=(1, 2, 3), keepdims=True)
        unit = tf.math.divide_no_nan(x - now, tf.sqrt(square))
        return unit * deviation[:, None, None, None] + mean[:, None, None, None]

    return tf.cond(hold, again, lambda: x)
