"""Trains a small autoencoder on real digits in a process that may kill itself; prints a digest.

python train_small.py <folder of checkpoints> <epochs> <moment> [<seed>]

Moments: "never" · "epoch 3" after the third report of progress · "write 2" in the middle of the second
checkpoint that is written.
"""

from __future__ import annotations

import hashlib
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO
from unittest import mock

import numpy as np

from engine import checkpoints, work
from engine.npz import write_npz
from tasks.autoencoder.training import Autoencoder, train_autoencoder
from tasks.training import loop

DATA = Path(__file__).resolve().parents[3] / "data" / "mnist.npz"
ROWS = 150  # of batches of 32: five steps an epoch, the last of 22 images


def small_images(rows: int = ROWS) -> dict[str, np.ndarray]:
    """The first digits of MNIST."""
    with np.load(DATA) as data:
        return {"x": data["x_train"][:rows], "y": data["y_train"][:rows].astype(np.int64)}


def digest(value: Autoencoder) -> str:
    """Of everything that the store would keep."""
    sha = hashlib.sha256()
    for file in (value.model, value.encoder, value.decoder):
        sha.update(file.read_bytes())
    for name in value.history:
        sha.update(f"{name} {value.history[name].to_list()}".encode())
    for name in sorted(value.state):
        sha.update(name.encode() + value.state[name].tobytes())
    sha.update(repr(sorted(value.summary.items())).encode())
    return sha.hexdigest()


def main(folder: Path, epochs: int, moment: str, seed: int) -> None:
    """Train, or die while doing so."""
    loop.CALL_SECONDS = loop.CHECKPOINT_SECONDS = 0.0  # a step a call, a checkpoint after each
    kind, _, number = moment.partition(" ")
    seen = {"epoch": 0, "write": 0}

    def die_at(event: str) -> bool:
        seen[event] += 1
        return kind == event and seen[event] == int(number)

    def progress(*args: Any, **figures: float) -> None:
        if die_at("epoch"):
            os.kill(os.getpid(), signal.SIGKILL)

    def write(file: BinaryIO, arrays: Mapping[str, np.ndarray]) -> None:
        if die_at("write"):
            file.write(b"PK\x03\x04 half a checkpoint")
            file.flush()
            os.kill(os.getpid(), signal.SIGKILL)
        written(file, arrays)

    written = write_npz
    images = small_images()
    with (
        mock.patch.object(checkpoints, "write_npz", write),
        mock.patch.object(work, "progress", progress),
        work.checkpoints_in(folder),
    ):
        found = train_autoencoder.fn(
            images,
            images,
            z=3,
            epochs=epochs,
            batch=32,
            rate=0.002,
            kl_weight=0.5,
            seed=seed,
            threads=2,
        )
    sys.stdout.write(digest(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3], int((*sys.argv, "0")[4]))
