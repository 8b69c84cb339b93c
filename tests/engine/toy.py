"""A small flow of every kind of stage, and what the tests need to look at it.

`tally` names a file to which each execution appends its stage's name; like `nap`, it stays out of
the keys, so that counting and slowing change nothing. A nap ends early when `wake` is called.
"""

from __future__ import annotations

import base64
import os
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic import Field

from engine import Artifact, File, Parameters, Picture, Run, Selection, Store, flow, stage

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

_UNKEYED = ("tally", "nap")
PNG = base64.b64decode(  # a grey square
    "iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAAAAADhZOFXAAAADklEQVR4nGNo"
    "gAIGyhgAgIQgAQ2AJGEAAAAASUVORK5CYII="
)


class Numbers(NamedTuple):
    values: np.ndarray
    about: dict[str, Any]


class ToyParameters(Parameters):
    n: int = Field(5, ge=1, le=1000, description="how many numbers")
    top: float = 3.0
    ks: list[int] = Field([1, 2, 3], description="the factors")
    tally: str = ""
    nap: float = 0.0


def note(name: str, tally: str, nap: float = 0.0) -> None:
    """Append one line in one write, as processes at once may do, and sleep."""
    if tally:
        fd = os.open(tally, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.write(fd, f"{name}\n".encode())
        os.close(fd)
    end = time.monotonic() + nap
    while time.monotonic() < end and not _alarm(tally).exists():
        time.sleep(min(0.01, nap))


def wake(tally: Path) -> None:
    """Let all that sleep or will sleep go on."""
    _alarm(tally).touch()


def _alarm(tally: str | Path) -> Path:
    return Path(f"{tally}.awake")


def count(tally: Path) -> Counter[str]:
    """How often each stage was executed."""
    return Counter(tally.read_text().split()) if tally.exists() else Counter()


@stage(packages=("numpy",), ignore=_UNKEYED)
def make(*, n: int, tally: str = "", nap: float = 0.0) -> Numbers:
    """Whole numbers."""
    import numpy as np

    note("make", tally, nap)
    return Numbers(np.arange(n, dtype=np.float64), {"n": n})


@stage(ignore=_UNKEYED)
def clip(values: np.ndarray, *, top: float, tally: str = "", nap: float = 0.0) -> Any:
    """The numbers, none above `top`."""
    note("clip", tally, nap)
    return {"clipped": values.clip(0, top)}


@stage(ignore=_UNKEYED)
def times(arrays: Any, *, k: int, tally: str = "", nap: float = 0.0) -> Any:
    """The numbers, `k` times."""
    note(f"times-{k}", tally, nap)
    if k < 0:
        raise ArithmeticError(f"k is {k}")
    return arrays["clipped"] * k


@stage(ignore=_UNKEYED)
def tabulate(
    parts: list[np.ndarray], about: dict[str, Any], *, tally: str = "", nap: float = 0.0
) -> pd.DataFrame:
    """One row a part."""
    import pandas as pd

    note("tabulate", tally, nap)
    sums = [float(part.sum()) for part in parts]
    return pd.DataFrame({"sum": sums, "n": [about["n"]] * len(sums), "text": "é"})


@stage(ignore=_UNKEYED)
def draw(table: pd.DataFrame, *, tally: str = "", nap: float = 0.0) -> Picture:
    """A picture of nothing with a true sentence."""
    note("draw", tally, nap)
    return Picture(PNG, "png", f"The sums add up to {table['sum'].sum():g}.")


@stage(ignore=_UNKEYED)
def export(table: pd.DataFrame, *, tally: str = "", nap: float = 0.0) -> File:
    """The table as text."""
    note("export", tally, nap)
    return File(table.to_csv(index=False).encode(), ".csv")


@flow(name="toy", parameters=ToyParameters, presets={"quick": {"n": 3}})
def toy(p: ToyParameters) -> dict[str, Any]:
    """Numbers, clipped, multiplied, added up."""
    side: dict[str, Any] = {"tally": p.tally, "nap": p.nap}
    numbers: Any = make(n=p.n, **side)
    parts = times.map(clip(numbers.values, top=p.top, **side), over={"k": p.ks}, **side)
    table: Any = tabulate(parts, numbers.about, **side)
    return {
        "table": table,
        "picture": draw(table, **side),
        "file": export(table, **side),
        "parts": parts,
    }


SLOTS = [
    "make",
    "clip",
    "times[k=1]",
    "times[k=2]",
    "times[k=3]",
    "tabulate",
    "draw",
    "export",
]


def run_toy(store: Store, selection: Selection | None = None, **values: Any) -> Run:
    """A run of the toy flow in this process."""
    return toy.run(toy.configure(overrides=values), selection, store)


def plan_toy(store: Store, selection: Selection | None = None, **values: Any) -> dict[str, str]:
    """Slot → outcome that a run would have."""
    plan = toy.plan(toy.configure(overrides=values), selection, store)
    return {call.slot: call.outcome.word for call in plan.calls}


def outcomes(run: Run) -> dict[str, str]:
    """Slot → outcome, in the flow's order."""
    stages = run.record.stages
    return {slot: stages[slot].outcome.word for slot in sorted(stages, key=_place)}


def digests(run: Run) -> dict[str, list[str]]:
    """Slot → digests of what it made."""
    return {
        slot: [a.digest for a in made.artifacts] for slot, made in sorted(run.record.stages.items())
    }


def artifact_of(run: Run, slot: str, index: int = 0) -> Artifact:
    """What a stage of a run made."""
    return run.record.stages[slot].artifacts[index]


def overwrite(path: Path, data: bytes) -> None:
    """Change a file of the store in place, as a failing disk would."""
    path.chmod(0o644)
    path.write_bytes(data)


def flip_bit(path: Path, position: int = -1) -> None:
    """Flip one bit of a file in place."""
    data = bytearray(path.read_bytes())
    data[position] ^= 1
    overwrite(path, bytes(data))


def _place(slot: str) -> int:
    return SLOTS.index(slot) if slot in SLOTS else len(SLOTS)
