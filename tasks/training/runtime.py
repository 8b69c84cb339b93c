"""TensorFlow, started the same way everywhere: quiet, deterministic, on a known number of threads."""

from __future__ import annotations

import contextlib
import logging
import os
import re
import sys
import tempfile
import threading
from collections.abc import Iterator
from typing import Any

from engine.environment import usable_cores

log = logging.getLogger(__name__)

# Fewer do not fill a matrix product, and what an operation costs by itself shows.
_LANE_IMAGES = 32

# What TensorFlow writes past every logging set-up while it is imported.
_NOISE = re.compile(
    r"WARNING: All log messages before absl|[IW]\d{4} |E\d{4} .*cuda|\d{4}-\d\d-\d\d .*: [IW] "
)
_MUTEX = threading.Lock()


def start_tensorflow(lanes: int | None = None) -> Any:
    """Import TensorFlow and return it; of several calls in a process the first sets it up.

    Operations are deterministic: the same computation gives the same bits on the same machine.

    Arguments:
        lanes: for a training, how many parts of a batch are computed side by side, each on one
            thread (see `tasks.training.steps`); None: an operation runs on all processors.
    """
    with _MUTEX:
        if not _STARTED:
            _STARTED.append((_start(lanes), lanes))
        tensorflow, running = _STARTED[0]
    if lanes is not None and lanes != running:
        log.warning(
            "TensorFlow was started for something else in this process: slower, and other last digits "
            "than in a process of its own"
        )
    return tensorflow


def count_lanes(batch: int) -> int:
    """Lanes for batches of so many images here: one a processor, each of 32 images or more."""
    return max(1, min(usable_cores(), batch // _LANE_IMAGES))


_STARTED: list[tuple[Any, int | None]] = []


def _start(lanes: int | None) -> Any:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    with _without_noise():
        import tensorflow as tf

        tf.config.experimental.enable_op_determinism()
        with contextlib.suppress(RuntimeError):  # somebody else has started it
            tf.config.threading.set_intra_op_parallelism_threads(1 if lanes else usable_cores())
            tf.config.threading.set_inter_op_parallelism_threads(lanes or usable_cores())
        tf.constant(0)  # starts it, and says what there is to say
    return tf


@contextlib.contextmanager
def _without_noise() -> Iterator[None]:
    """Hold back what is written to the standard error's descriptor, and drop known noise from it."""
    sys.stderr.flush()
    with tempfile.TemporaryFile("w+", errors="replace") as held, os.fdopen(os.dup(2), "wb") as real:
        os.dup2(held.fileno(), 2)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(real.fileno(), 2)
            held.seek(0)
            for line in held:
                if line.strip() and not _NOISE.match(line):
                    real.write(line.encode())
