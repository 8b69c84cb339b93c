"""A sweep whose cells tell on which host they are computed, how far they are, and that they were stopped."""

from __future__ import annotations

import logging
import socket
import time
from typing import Any

from engine import Parameters, flow, stage, work
from engine.errors import StageStopped
from tests.engine.toy import note

log = logging.getLogger("tasks.spread")


class SpreadParameters(Parameters):
    cells: list[int] = [1, 2]  # noqa: RUF012 - pydantic copies it
    nap: float = 0.0
    tally: str = ""
    occupying: bool = False


@stage(packages=("numpy",))
def count_up(*, to: int) -> Any:
    """Whole numbers."""
    import numpy as np

    return np.arange(to)


@stage(ignore=("nap", "tally"))
def power(values: Any, *, exponent: int, nap: float, tally: str) -> Any:
    """The numbers to some power, in steps."""
    note(f"{exponent}@{socket.gethostname()}", tally)
    log.info("power %d", exponent)
    for step in range(20):
        try:
            work.progress(step, 20)
        except StageStopped:
            note(f"{exponent}-stopped", tally)
            raise
        time.sleep(nap / 20)
    return values**exponent


@stage
def add(parts: list[Any]) -> Any:
    """The sum of all."""
    return sum(parts)


@stage(own_process=True, packages=("tensorflow",))
def occupy(*, seed: int) -> list[float]:
    """When it began and ended, as a training that would use a GPU."""
    begun = time.time()
    time.sleep(1.0)
    return [begun, time.time()]


@flow(name="spread", parameters=SpreadParameters, presets={})
def spread(p: SpreadParameters) -> dict[str, Any]:
    """Powers of whole numbers, added up; or what only occupies."""
    if p.occupying:
        return {"spans": occupy.map(over={"seed": p.cells})}
    powers = power.map(count_up(to=5), over={"exponent": p.cells}, nap=p.nap, tally=p.tally)
    return {"sum": add(powers)}
