"""A flow that stumbles, fails or takes too long, as its parameters say."""

from __future__ import annotations

import logging
import time
from pathlib import Path
from typing import Any

from engine import Parameters, flow, stage
from tests.engine.toy import count, note

log = logging.getLogger("tasks.rough")  # what stages log goes by their module's name


class RoughParameters(Parameters):
    failures: int = 0
    broken: list[int] = []  # noqa: RUF012 - pydantic copies it
    seconds: float = 0.0
    tally: str = ""


@stage(retries=2, retry_delay=0.1, ignore=["tally"])
def stumble(*, failures: int, tally: str = "") -> int:
    note("stumble", tally)
    log.info("trying to stand")
    if count(Path(tally))["stumble"] <= failures:
        raise ConnectionError("the line is dead")
    return failures


@stage(ignore=["tally"])
def divide(number: int, *, by: int, broken: bool, tally: str = "") -> float:
    note(f"divide-{by}", tally)
    if broken:
        raise ArithmeticError(f"{by} is broken")
    return number / by


@stage(timeout=10.0, retries=2, ignore=["tally"])  # in which it must begin, at the least
def wait(parts: list[float], *, seconds: float, tally: str = "") -> float:
    note("wait", tally)
    log.info("waiting apart from the others")
    time.sleep(seconds)
    return sum(parts)


@flow(name="rough", parameters=RoughParameters, presets={})
def rough(p: RoughParameters) -> dict[str, Any]:
    """Stumbles, divides, waits."""
    number = stumble(failures=p.failures, tally=p.tally)
    cells: list[Any] = [
        divide.labelled(f"by={by}")(number, by=by, broken=by in p.broken, tally=p.tally)
        for by in (1, 2)
    ]
    more = divide.map(number, over={"by": [3, 4, 5]}, broken=bool(p.broken), tally=p.tally)
    return {"wait": wait([*cells, *more], seconds=p.seconds, tally=p.tally)}
