"""The CNN that dreams: three convolutions, trained to tell the classes apart.

image ▸ Conv 32 ▸ pool ▸ Conv 64 ▸ pool ▸ Conv 128 ▸ flat ▸ Dense 100 ▸ Dense classes ▸ softmax
        26×26           11×11           3×3               of images of 28 × 28 pixels

All kernels are 3×3, padding "valid", ReLU; pools are 2×2. Images go in standardised one by one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from engine import File, InputError, stage, work
from engine.environment import usable_cores
from tasks.figures.words import counted, percent
from tasks.training.forward import run_layers
from tasks.training.loop import Network, Training, train_network
from tasks.training.model_file import pack_model
from tasks.training.precision import resolve_precision
from tasks.training.runtime import start_tensorflow
from tasks.training.schedule import Kind, Schedule

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    import pandas as pd

FILTERS = (32, 64, 128)
HIDDEN = 100
SMALLEST = 18  # side of an image that leaves one neuron of each last map


class Cnn(NamedTuple):
    """model: a `.keras` file · history: epoch, step, rate, loss, accuracy, test_loss, test_accuracy
    (loss holds the L2 term, test_loss does not) · state: what more epochs go on from · summary: the
    recipe, parameters, accuracy, finding."""

    model: File
    history: pd.DataFrame
    state: dict[str, np.ndarray]
    summary: dict[str, Any]


@stage(own_process=True, extends="epochs", packages=("tensorflow", "keras", "numpy"))
def train_cnn(
    train: Mapping[str, np.ndarray],
    test: Mapping[str, np.ndarray],
    about: dict[str, Any],
    *,
    epochs: int = 4,
    batch: int = 128,
    schedule: Kind = "cosine",
    rate: float = 2e-3,
    warm_up: float = 0.5,
    l2: float = 1e-4,
    seed: int = 0,
    precision: Literal["auto", "float32", "bfloat16"] = "float32",
    threads: int | None = None,
) -> Cnn:
    """Train it on cross-entropy + l2 · (sum of all squared weights of its kernels).

    Arguments:
        train, test: x uint8 (n, h, w[, c]), y int64 (n,); test is judged after each epoch.
        about: classes, the names by code.
        schedule, rate, warm_up: see `tasks.training.schedule`.
        seed: of the weights and of the order of the images.
        threads: parts of a batch that are computed side by side; None: one a processor. Another
            number adds in another order: the last digits differ.

    Raises:
        InputError: images too small, or a parameter out of range.
        StageError: the training diverged.
    """
    if not 0 <= l2 < 1:
        raise InputError(f"l2 = {l2}: expected a number from 0 to below 1")
    lanes = usable_cores() if threads is None else threads
    plan = Training(epochs, batch, Schedule(schedule, rate, warm_up), seed, lanes)
    chosen = resolve_precision(precision)
    start_tensorflow(lanes)
    shape = (*train["x"].shape[1:], 1)[:3]
    model = build_cnn(shape, len(about["classes"]), seed=seed)
    earlier = work.earlier() if plan.schedule.extends else None
    network = _network(model, l2, chosen)
    trained = train_network(network, train, test, plan, earlier and earlier.state)
    last = {name: float(value) for name, value in trained.history.iloc[-1].items()}
    summary = {
        "epochs": epochs,
        "batch": batch,
        "schedule": schedule,
        "rate": rate,
        "warm_up": warm_up,
        "l2": l2,
        "seed": seed,
        "precision": chosen,
        "images": len(train["x"]),
        "shape": list(shape),
        "parameters": int(model.count_params()),
        "loss": last["loss"],
        "accuracy": last["accuracy"],
        "test_loss": last["test_loss"],
        "test_accuracy": last["test_accuracy"],
        "finding": f"After {counted(epochs, 'epoch')} over {len(train['x']):,} images "
        f"{percent(last['test_accuracy'], 2)} of the unseen ones are told right.",
    }
    return Cnn(pack_model(model), trained.history, trained.state, summary)


def build_cnn(shape: tuple[int, ...], classes: int, *, seed: int = 0) -> Any:
    """The untrained float32 network for images (h, w, c), weights Glorot's uniform ones.

    Raises:
        InputError: images of fewer than 18 pixels a side, or fewer than two classes.
    """
    if min(shape[:2]) < SMALLEST:
        raise InputError(
            f"images of {shape[0]} × {shape[1]} pixels: after three convolutions nothing is left; "
            f"expected at least {SMALLEST} × {SMALLEST}"
        )
    if classes < 2:
        raise InputError(f"{counted(classes, 'class')}: expected at least two to tell apart")
    start_tensorflow()
    import keras
    import numpy as np

    seeds = iter(np.random.SeedSequence(seed).generate_state(len(FILTERS) + 2).tolist())

    def start() -> Any:
        return keras.initializers.GlorotUniform(int(next(seeds)) % 2**31)

    x = images = keras.Input(shape, name="images")
    for number, filters in enumerate(FILTERS, 1):
        x = keras.layers.Conv2D(
            filters, 3, activation="relu", kernel_initializer=start(), name=f"Conv2D_{number}"
        )(x)
        if number < len(FILTERS):
            x = keras.layers.MaxPooling2D(2, name=f"Pool_{number}")(x)
    x = keras.layers.Flatten(name="flat")(x)
    x = keras.layers.Dense(HIDDEN, "relu", kernel_initializer=start(), name="dense")(x)
    x = keras.layers.Dense(classes, kernel_initializer=start(), name="scores")(x)
    x = keras.layers.Activation("softmax", name="classes")(x)
    return keras.Model(images, x, name="cnn")


def _network(model: Any, l2: float, precision: Literal["float32", "bfloat16"]) -> Network:
    """The model as the loop trains it; the softmax is part of the loss."""
    tf = start_tensorflow()
    layers = model.layers[:-1]
    kernels = [layer.kernel.value for layer in layers if hasattr(layer, "kernel")]

    def figures(images: Any, labels: Any) -> dict[str, Any]:
        wide = tf.cast(images, tf.float32)
        wide = wide[..., None] if len(images.shape) == 3 else wide
        wide = tf.image.per_image_standardization(wide)
        scores = tf.cast(run_layers(layers, wide, precision), tf.float32)
        entropy = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, scores)
        right = tf.equal(tf.argmax(scores, axis=1), labels)
        return {
            "loss": tf.reduce_mean(entropy),
            "accuracy": tf.reduce_mean(tf.cast(right, tf.float32)),
        }

    def loss(images: Any, labels: Any, seed: Any) -> dict[str, Any]:
        found = figures(images, labels)
        weight = tf.add_n([tf.reduce_sum(kernel**2) for kernel in kernels])
        return {**found, "loss": found["loss"] + l2 * weight}

    return Network([v.value for v in model.trainable_variables], loss, figures)
