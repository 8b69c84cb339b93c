"""Stages that take their time: they count steps, keep checkpoints and tell how far they are."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from engine import StageError, stage, work

if TYPE_CHECKING:
    import numpy as np


class Counted(NamedTuple):
    state: np.ndarray
    summary: dict[str, Any]


def step(state: Any, index: int) -> Any:
    """Not commutative, so that a step done twice or left out shows."""
    return (state * 31 + index + 1) % 1_000_003


def walk(start: Any, begun: int, epochs: int, per_epoch: int, nap: float, kill_at: str) -> Any:
    import numpy as np

    box = work.checkpoints()
    kept = box.latest()
    state, done = (start, begun * per_epoch) if kept is None else (kept["state"], int(kept["done"]))
    total = epochs * per_epoch
    for index in range(done, total):
        state = step(state, index)
        time.sleep(nap)
        marker = Path(kill_at) if kill_at else None
        if marker is not None and marker.exists() and index >= int(marker.read_text() or 0):
            marker.unlink()
            os.kill(os.getpid(), signal.SIGKILL)
        work.progress(index + 1, total, "step", epoch=1 + index // per_epoch, loss=1 / (index + 1))
        if (index + 1) % 5 == 0:
            box.save(index + 1, {"state": state, "done": np.array(index + 1)})
    return state


@stage(own_process=True, extends="epochs", ignore=("nap", "kill_at"))
def count_apart(
    *, epochs: int = 2, seed: int = 1, per_epoch: int = 10, nap: float = 0.0, kill_at: str = ""
) -> Counted:
    import numpy as np

    before = work.earlier()
    start = np.array([seed, seed + 1], np.int64) if before is None else before.state
    begun = 0 if before is None else int(before.summary["epochs"])
    state = walk(start, begun, epochs, per_epoch, nap, kill_at)
    return Counted(state, {"epochs": epochs})


@stage(ignore=("fail_at",))
def count_here(*, epochs: int = 2, per_epoch: int = 10, fail_at: int = -1) -> Counted:
    import numpy as np

    box = work.checkpoints()
    kept = box.latest()
    state = np.array([1]) if kept is None else kept["state"]
    for index in range(0 if kept is None else int(kept["done"]), epochs * per_epoch):
        if index == fail_at:
            raise StageError("no electricity")
        state = step(state, index)
        box.save(index + 1, {"state": state, "done": np.array(index + 1)})
        work.progress(index + 1, epochs * per_epoch)
    return Counted(state, {"epochs": epochs})
