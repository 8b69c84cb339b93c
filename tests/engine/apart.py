"""Stages with a timeout: each runs in a process of its own, which imports this module."""

from __future__ import annotations

import enum
import hashlib
import logging
import os
import resource
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import pydantic

from engine import Parameters, Picture, flow, stage
from engine.work import progress
from tests.engine.toy import PNG, note

log = logging.getLogger(__name__)


class Made(NamedTuple):
    total: float
    picture: Picture


class Way(enum.Enum):
    UP = "up"
    DOWN = "down"


@dataclass(frozen=True)
class Step:
    way: Way
    sizes: tuple[int, ...] = (1, 2)


class Section(pydantic.BaseModel):
    step: Step
    names: dict[str, list[int]] = {}


@stage(timeout=600, ignore=["tally"])
def add_up(parts: dict[str, Any], *, scale: float = 1.0, tally: str = "") -> Made:
    note("add_up", tally)
    print("this must not mix with the answer")  # noqa: T201
    sys.stderr.write("nor this\n")
    log.info("adding %d parts", len(parts))
    log.warning("on\ntwo lines")
    total = scale * float(sum(part.sum() for part in parts.values()))
    return Made(total, Picture(PNG, "png", f"The sum is {total:g}."))


@stage(timeout=600)
def describe(*, step: Step, section: Any = None, pair: Any = (1, (2, [3]))) -> Any:
    return {"step": repr(step), "section": repr(section), "pair": repr(pair)}


@stage(timeout=600, retries=3, ignore=["tally"])
def sleep_in_c(*, seconds: float, tally: str = "") -> int:
    note(f"pid-{os.getpid()}", tally)
    time.sleep(seconds)
    return 1


@stage(timeout=600, ignore=["tally"])
def hash_in_c(*, rounds: int, tally: str = "") -> str:
    note(f"pid-{os.getpid()}", tally)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    return hashlib.pbkdf2_hmac("sha256", b"a", b"b", rounds).hex()


@stage(timeout=600, ignore=["tally"])
def decompose_in_blas(*, size: int, tally: str = "") -> float:
    """One call into native code that takes minutes, on threads of its own."""
    import numpy as np

    note(f"pid-{os.getpid()}", tally)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    matrix = np.random.default_rng(0).normal(size=(size, size))
    return float(np.linalg.svd(matrix, compute_uv=False)[0])


@stage(timeout=600, ignore=["tally"])
def start_children(*, seconds: int, tally: str = "") -> int:
    for _ in range(2):
        child = subprocess.Popen([sys.executable, "-c", f"import time; time.sleep({seconds})"])
        note(f"pid-{child.pid}", tally)
    note(f"pid-{os.getpid()}", tally)
    return child.wait()


@stage(timeout=600)
def divide(*, by: int) -> float:
    if by < 0:
        from engine import InputError

        raise InputError("by is negative: give 0 or more")
    return 1 / by


@stage(timeout=600)
def die(*, how: str) -> int:
    sys.stderr.write("last words\n")
    sys.stderr.flush()
    if how == "exit":
        os._exit(3)
    os.kill(os.getpid(), signal.SIGSEGV)
    return 1


@stage(own_process=True)
def chatter(*, lines: int) -> Any:
    """Says what no reader of UTF-8 expects, and more than a pipe holds."""
    os.write(2, b"caf\xe9\n")
    os.write(2, b"\x1elatentflow {\n")
    progress(1, 2)
    for _ in range(lines):
        os.write(2, b"x" * 1000 + b"\n")
    progress(2, 2)
    return lines


@stage(timeout=600)
def fill_the_disk(*, limit: int) -> Any:
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    return {"text": "x" * 10 * limit}


@flow(name="apart", parameters=Parameters, presets={})
def apart(p: Parameters) -> dict[str, Any]:
    from engine import Store

    store = Store(Path(os.environ["LATENTFLOW_STORE"]))
    return {"n": sleep_in_c(seconds=3600, tally=str(store.root / "tally"))}
