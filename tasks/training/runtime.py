"""TensorFlow, started the same way everywhere: quiet, deterministic, on a known number of threads."""

from __future__ import annotations

import contextlib
import os
import re
import sys
import tempfile
import threading
from collections.abc import Iterator
from typing import Any

from engine import StageError
from engine.environment import usable_cores

# What TensorFlow writes past every logging set-up while it is imported.
_NOISE = re.compile(
    r"WARNING: All log messages before absl|[IW]\d{4} |E\d{4} .*cuda|\d{4}-\d\d-\d\d .*: [IW] "
)
_MUTEX = threading.Lock()


def start_tensorflow(threads: int | None = None) -> Any:
    """Import TensorFlow and return it; of several calls in a process the first sets it up.

    Operations are deterministic: the same computation gives the same bits on the same machine.

    Arguments:
        threads: of each operation; None: whatever it runs on already, else all processors.

    Raises:
        StageError: it runs on another number of threads already.
    """
    with _MUTEX:
        tensorflow, running = _start(threads or usable_cores())
    if threads is not None and threads != running:
        raise StageError(
            f"threads = {threads}: TensorFlow runs on {running} in this process, which cannot be "
            "changed any more; start another process"
        )
    return tensorflow


_STARTED: list[tuple[Any, int]] = []


def _start(threads: int) -> tuple[Any, int]:
    """TensorFlow and the number of its threads."""
    if not _STARTED:
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
        with _without_noise():
            import tensorflow as tf

            tf.config.experimental.enable_op_determinism()
            with contextlib.suppress(RuntimeError):  # somebody else has started it
                tf.config.threading.set_intra_op_parallelism_threads(threads)
                tf.config.threading.set_inter_op_parallelism_threads(threads)
            tf.constant(0)  # starts it, and says what there is to say
        _STARTED.append((tf, tf.config.threading.get_intra_op_parallelism_threads() or threads))
    return _STARTED[0]


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
