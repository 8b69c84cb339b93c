"""The autoencoder of the post as a script with Keras alone: compile and fit, its own values throughout.

.venv/bin/python benchmarks/plain_autoencoder.py data/mnist.npz curve.csv --epochs 40
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np

BATCH, RATE = 128, 0.0005


def build(z: int) -> keras.Model:
    """Encoder and decoder, with a LeakyReLU after every convolution, the last one too."""
    layers = keras.layers
    images = keras.Input((28, 28, 1))
    x = images
    for filters, stride in ((32, 1), (64, 2), (128, 2)):
        x = layers.Conv2D(filters, 3, stride, padding="same")(x)
        x = layers.LeakyReLU(0.3)(x)
    code = layers.Dense(z)(layers.Flatten()(x))
    x = layers.Reshape((7, 7, 128))(layers.Dense(7 * 7 * 128)(code))
    for filters, stride in ((64, 2), (32, 2), (1, 1)):
        x = layers.Conv2DTranspose(filters, 3, stride, padding="same")(x)
        x = layers.LeakyReLU(0.3)(x)
    return keras.Model(images, layers.Activation("sigmoid")(x))


class Curve(keras.callbacks.Callback):
    """The loss on unseen images after each epoch, whose seconds do not count."""

    def __init__(self, unseen: np.ndarray, target: Path) -> None:
        super().__init__()
        self.unseen, self.target = unseen, target
        self.rows: list[dict[str, Any]] = []
        self.seconds = self.started = self.processor = self.first = 0.0

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Start the clock."""
        self.started = time.perf_counter()
        self.processor -= time.process_time()

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Stop it, judge, and write all epochs so far."""
        self.seconds += time.perf_counter() - self.started
        self.processor += time.process_time()
        if epoch == 0:  # the first one compiles
            self.first, self.processor = self.seconds, 0.0
        rebuilt = self.model.predict(self.unseen, batch_size=500, verbose=0).astype(np.float64)
        rebuilt = np.clip(rebuilt, 1e-7, 1 - 1e-7)
        error = self.unseen * np.log(rebuilt) + (1 - self.unseen) * np.log(1 - rebuilt)
        row = {"epoch": epoch + 1, "loss": (logs or {})["loss"], "test_loss": float(-error.mean())}
        self.rows.append({**row, "seconds": round(self.seconds, 2)})
        with self.target.open("w", newline="") as file:
            writer = csv.DictWriter(file, list(self.rows[0]))
            writer.writeheader()
            writer.writerows(self.rows)


def main() -> None:
    """Train and print what the last epoch gave, as JSON."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("images", type=Path)
    options.add_argument("curve", type=Path)
    options.add_argument("--epochs", type=int, default=40)
    options.add_argument("--rows", type=int, default=60_000)
    options.add_argument("--z", type=int, default=16)
    options.add_argument("--seed", type=int, default=0)
    chosen = options.parse_args()
    with np.load(chosen.images) as images:
        train, test = (
            images[name][..., None].astype("float32") / 255 for name in ("x_train", "x_test")
        )
    train = train[: chosen.rows]
    keras.utils.set_random_seed(chosen.seed)
    model = build(chosen.z)
    # Keras's own choice would be XLA, which is slower here.
    model.compile(keras.optimizers.Adam(RATE), "binary_crossentropy", jit_compile=False)
    curve = Curve(test, chosen.curve)
    model.fit(
        train,
        train,
        batch_size=BATCH,
        epochs=chosen.epochs,
        shuffle=True,
        verbose=0,
        callbacks=[curve],
    )
    last = curve.rows[-1]
    images = max(len(train) * (chosen.epochs - 1), 1)
    found = {
        "images_per_second": images / max(curve.seconds - curve.first, 1e-9),
        "processor_ms": 1000 * curve.processor / images,
        "losses": [row["test_loss"] for row in curve.rows],
    }
    print(json.dumps({**last, **found}))


if __name__ == "__main__":
    main()
