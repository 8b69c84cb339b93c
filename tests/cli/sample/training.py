"""A flow that trains in processes of their own, for the tests of what interrupts a run."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, NamedTuple

from engine import Parameters, flow, stage, work

if TYPE_CHECKING:
    import numpy as np


class Trained(NamedTuple):
    state: np.ndarray
    begun: int


class TrainingParameters(Parameters):
    steps: int = 400
    seeds: list[int] = [1, 2]  # noqa: RUF012 - pydantic copies it
    nap: float = 0.2
    mapped: bool = False


@stage(own_process=True, ignore=("nap",))
def train(*, steps: int, seed: int, nap: float) -> Trained:
    import numpy as np

    box = work.checkpoints()
    kept = box.latest()
    begun = 0 if kept is None else int(kept["done"])
    state = np.array([seed]) if kept is None else kept["state"]
    for index in range(begun, steps):
        state = (state * 31 + index) % 1_000_003
        box.save(index + 1, {"state": state, "done": np.array(index + 1)})
        work.progress(index + 1, steps, loss=1 / (index + 1))
        time.sleep(nap)
    return Trained(state, begun)


@flow(name="training", parameters=TrainingParameters, presets={})
def training(p: TrainingParameters) -> dict[str, Any]:
    """Trains once for each seed, one after the other or side by side."""
    if p.mapped:
        over = {"seed": p.seeds}
        return {"each": train.map(over=over, steps=p.steps, nap=p.nap)}
    return {"each": [train.labelled(f"{s}")(steps=p.steps, seed=s, nap=p.nap) for s in p.seeds]}
