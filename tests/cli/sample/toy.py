"""A small flow for the command line's tests; each test project has a copy of it in its `flows/`."""

from __future__ import annotations

import base64
import logging
import time
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic import Field

from engine import Parameters, Picture, flow, stage

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

log = logging.getLogger(__name__)

PNG = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJg"
    "gg=="
)


class Made(NamedTuple):
    values: np.ndarray
    frame: pd.DataFrame
    about: dict[str, Any]


@stage(packages=("numpy",))
def make_values(*, n: int = 5) -> Made:
    """Whole numbers, as an array and as a table."""
    import numpy as np
    import pandas as pd

    print("made by a stage that prints")  # noqa: T201 - as other people's code may
    values = np.arange(n, dtype=np.float64)
    frame = pd.DataFrame({"value": values, "name": [f"row {i}" for i in range(n)]})
    return Made(values, frame, {"n": n, "unit": "dBm"})


@stage
def clip(values: np.ndarray, *, top: float = 3.0) -> Any:
    """The values, none above `top`."""
    return {"values": values.clip(0, top), "mask": values > top}


@stage(ignore=("pause",))
def scale(clipped: Any, *, k: int, pause: float = 0.0) -> Any:
    """The values, `k` times."""
    _doze(pause)
    if k == 13:
        log.warning("13 is said to be unlucky")
    return clipped["values"] * k


@stage(ignore=("pause",))
def rest(clipped: Any, *, pause: float = 0.0) -> Any:
    """Takes a while and finds nothing out."""
    _doze(pause)
    return {"rested": True}


@stage
def check_values(values: np.ndarray, *, bad: bool = False) -> Any:
    """Fails if it is asked to."""
    if bad:
        raise ValueError("bad was asked for")
    return {"checked": len(values)}


@stage
def draw_dot(values: np.ndarray) -> Picture:
    """One dot."""
    return Picture(base64.b64decode(PNG), "png", f"One dot stands for {len(values)} values.")


@stage
def tabulate_findings(parts: list[np.ndarray], checked: Any, rested: Any) -> Any:
    """Headline numbers."""
    total = float(sum(part.sum() for part in parts))
    sum_row = {"name": "sum", "value": total, "unit": "dBm", "low": 50.0, "high": 60.0}
    return {
        "findings": [
            {**sum_row, "expected": "54", "met": 50 <= total <= 60, "source": "scale"},
            {"name": "values", "value": checked["checked"], "met": None, "source": "check_values"},
        ],
        "sentence": "Two numbers were found.",
    }


class Sweep(Parameters):
    ks: list[int] = Field(default=[1, 2, 3], description="the factors")
    pause: float = 0.0


class ToyParameters(Parameters):
    n: int = Field(default=5, ge=1, le=1000, description="how many values")
    sweep: Sweep = Sweep()
    pause: float = 0.0
    bad: bool = False


@flow(name="toy", parameters=ToyParameters, presets={"quick": {"n": 4}})
def toy(p: ToyParameters) -> dict[str, Any]:
    """Numbers, clipped, multiplied, added up."""
    made: Any = make_values(n=p.n)
    clipped = clip(made.values)
    parts = scale.map(clipped, over={"k": p.sweep.ks}, pause=p.sweep.pause)
    findings: Any = tabulate_findings(
        parts, check_values(made.values, bad=p.bad), rest(clipped, pause=p.pause)
    )
    return {"findings": findings, "dot": draw_dot(made.values), "about": made.about}


def _doze(seconds: float) -> None:
    if seconds:
        print("dozing", flush=True)  # noqa: T201 - tells a test that it is at work
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        time.sleep(0.02)
