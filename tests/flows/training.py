"""A flow whose stages take as long as asked, as a Prefect flow: to watch it, to cancel it, to kill it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from engine import Parameters, flow, stage
from engine.prefect_flow import as_prefect
from tests.engine.training import count_apart, count_here
from tests.waiting import wait_for


class TrainingParameters(Parameters):
    epochs: int = 2
    per_epoch: int = 10
    nap: float = 0.0
    seeds: list[int] = []  # noqa: RUF012 - pydantic copies it
    short: int = 0
    occupying: list[int] = []  # noqa: RUF012
    meeting: str = ""


@stage(own_process=True, packages=("tensorflow",), ignore=("meeting",))
def occupy(*, seed: int, meeting: str = "") -> list[float]:
    """When it began and ended, as a training that would use a GPU.

    Arguments:
        meeting: a folder; it goes on until another one is there, too.
    """
    begun = time.time()
    time.sleep(1.0)
    if meeting:
        Path(meeting, f"{seed}").touch()
        wait_for("another one", lambda: len(list(Path(meeting).iterdir())) > 1)
    return [begun, time.time()]


@flow(name="training", parameters=TrainingParameters, presets={})
def training(p: TrainingParameters) -> dict[str, Any]:
    """Counts in a process of its own, once or for each seed at once, and here; or only occupies."""
    if p.occupying:
        return {"occupied": occupy.map(over={"seed": p.occupying}, meeting=p.meeting)}
    options: Any = {"epochs": p.epochs, "per_epoch": p.per_epoch, "nap": p.nap}
    if p.seeds:
        counted: Any = {"each": count_apart.map(over={"seed": p.seeds}, **options)}
    else:
        counted = {"one": count_apart(**options)}
    short = count_here.map(over={"epochs": list(range(1, p.short + 1))}) if p.short else []
    return {**counted, "short": short}


deployed = as_prefect(training, module="tests.flows.training")
