"""What a stage may do while it is computed: tell how far it is, keep checkpoints, go on from
an earlier result. Outside a run, when its function is called as it is, all of this does nothing.
"""

from __future__ import annotations

import contextlib
import contextvars
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from engine.checkpoints import Checkpoints
from engine.errors import StageStopped

__all__ = [
    "Checkpoints",
    "Progress",
    "Stop",
    "checkpoints",
    "checkpoints_in",
    "earlier",
    "earlier_is",
    "key",
    "progress",
]


@dataclass(frozen=True)
class Progress:
    """How far a computation is.

    Arguments:
        done, total: of how many units it has done how many; `total` 0 if that is unknown.
        unit: what is counted, e.g. "step".
        figures: what the stage has measured so far, e.g. {"epoch": 3.0, "loss": 0.094}.
    """

    done: float
    total: float
    unit: str = "step"
    figures: dict[str, float] = field(default_factory=dict)

    @property
    def fraction(self) -> float:
        """The share that is done, 0 to 1."""
        return min(max(self.done / self.total, 0.0), 1.0) if self.total > 0 else 0.0


class Stop:
    """Tells the computations of a run to end: those that report progress, and child processes."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self._acts: set[Callable[[], None]] = set()
        self._mutex = threading.Lock()

    def set(self) -> None:
        """Stop now."""
        with self._mutex:
            self._event.set()
            acts, self._acts = self._acts, set()
        for act in acts:
            act()

    def is_set(self) -> bool:
        """Whether they are to end."""
        return self._event.is_set()

    @contextlib.contextmanager
    def calling(self, act: Callable[[], None]) -> Iterator[None]:
        """Call `act` if the stop comes while the block runs, or has come already."""
        with self._mutex:
            late = self._event.is_set()
            if not late:
                self._acts.add(act)
        if late:
            act()
        try:
            yield
        finally:
            with self._mutex:
                self._acts.discard(act)


@dataclass(frozen=True)
class Work:
    """One computation, as its stage sees it.

    Arguments:
        key: the recipe's key.
        report: takes each progress.
        stop: tells when to end.
        earlier: the outputs of the finished run that this one goes on from, loaded, or None.
    """

    key: str = ""
    checkpoints: Checkpoints = field(default_factory=lambda: Checkpoints(None))
    report: Callable[[Progress], None] = lambda progress: None
    stop: Stop = field(default_factory=Stop)
    earlier: Callable[[], Any] = lambda: None

    @contextlib.contextmanager
    def active(self) -> Iterator[Work]:
        """Make this the work of what is called in the block."""
        token = _CURRENT.set(self)
        try:
            yield self
        finally:
            _CURRENT.reset(token)


_CURRENT: contextvars.ContextVar[Work | None] = contextvars.ContextVar("work", default=None)


def current() -> Work:
    """The active work, or an idle one."""
    return _CURRENT.get() or Work()


def key() -> str:
    """The key of the recipe that is computed; empty outside a run."""
    return current().key


def progress(done: float, total: float, unit: str = "step", **figures: float) -> None:
    """Tell how far the stage is: `done` of `total` units, with what was measured so far.

    Raises:
        StageStopped: the run is being cancelled; nothing that was checkpointed is lost.
    """
    work = current()
    if work.stop.is_set():
        raise StageStopped("the run was stopped")
    values = {name: float(value) for name, value in figures.items()}
    work.report(Progress(float(done), float(total), unit, values))


def checkpoints() -> Checkpoints:
    """The checkpoints of this computation; in memory and empty outside a run."""
    return current().checkpoints


def earlier() -> Any:
    """What the finished run returned that differs from this one only in a smaller value of the
    parameter that the stage `extends`; the largest such value, None if there is none.
    """
    return current().earlier()


@contextlib.contextmanager
def checkpoints_in(folder: Path) -> Iterator[Checkpoints]:
    """Let a plain function keep its checkpoints in a folder while the block runs."""
    with replace(current(), checkpoints=Checkpoints(folder)).active() as work:
        yield work.checkpoints


@contextlib.contextmanager
def earlier_is(value: Any) -> Iterator[None]:
    """Let a plain function go on from this value while the block runs."""
    with replace(current(), earlier=lambda: value).active():
        yield
