"""What a worker of a Dask cluster does with an order: computes the stage, tells how far it is, stops.

Nothing of Prefect is needed here. Started from the project's folder, in its environment:

    dask worker tcp://scheduler:8786 --nthreads 1
"""

from __future__ import annotations

import contextlib
import contextvars
import dataclasses
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from engine.dask_order import LoadedCode, Order, read_order
from engine.errors import StageStopped
from engine.gpus import count_gpus
from engine.session import Session
from engine.work import Progress, Stop

if TYPE_CHECKING:
    from distributed.worker import Worker

    from engine.call import Call
    from engine.stage import Stage

log = logging.getLogger(__name__)

TOPIC = "latentflow"  # of Dask's events: what computations tell their runs

_LOGGERS = ("engine", "tasks", "flows", "report")
_POLL_SECONDS = 0.5
_TELL_SECONDS = 0.5
_WANTED = ("executing", "long-running")  # else nobody waits for the task any more

Tell = Callable[[dict[str, Any]], None]

_TELL: contextvars.ContextVar[Tell | None] = contextvars.ContextVar("tell", default=None)
_LOADED = LoadedCode()


def compute_order(order: Order) -> dict[str, Any]:
    """Compute a stage and publish its record.

    Returns:
        The `worker`, and the handles as `artifacts`, or the `kind` of what went wrong and the
        `error` in words.
    """
    from distributed import get_worker

    worker, task = get_worker(), order["task"]

    def tell(entry: dict[str, Any]) -> None:
        worker.log_event(TOPIC, {"task": task, **entry})

    try:
        with _telling(tell):
            store, call = read_order(order, _LOADED)
            session = Session(store)
            session.on_progress = _seldom(tell)
            with _wanted(worker, task, session), _gpu_alone(call.stage, session.stop):
                record = session.compute(call, attempts=1)
        reply: dict[str, Any] = {"artifacts": [a.to_json() for a in record.artifacts]}
    except Exception as error:  # noqa: BLE001 - told to the run, which raises
        reply = {"kind": type(error).__name__, "error": str(error)}
    finally:
        _LOADED.note()
    return {**reply, "worker": worker.address}


class _Forward(logging.Handler):
    """Sends what is logged in the course of a computation to its run."""

    def emit(self, record: logging.LogRecord) -> None:
        tell = _TELL.get()
        if tell is not None:
            line = {"name": record.name, "level": record.levelno, "text": record.getMessage()}
            tell({"line": line})


_FORWARD = _Forward()


@contextlib.contextmanager
def _telling(tell: Tell) -> Iterator[None]:
    for name in _LOGGERS:
        logger = logging.getLogger(name)
        logger.addHandler(_FORWARD)  # once, however often
        logger.setLevel(logging.INFO)
    token = _TELL.set(tell)
    try:
        yield
    finally:
        _TELL.reset(token)


def _seldom(tell: Tell) -> Callable[[Call, Progress], None]:
    """Tell of progress at most twice a second, and of the end."""
    told = [0.0]

    def report(call: Call, progress: Progress) -> None:
        now = time.monotonic()
        if now - told[0] >= _TELL_SECONDS or progress.fraction >= 1.0:
            told[0] = now
            tell({"progress": dataclasses.asdict(progress)})

    return report


@contextlib.contextmanager
def _wanted(worker: Worker, task: str, session: Session) -> Iterator[None]:
    """Stop the computation when nobody waits for it any more: its run was cancelled, or has died."""
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(_POLL_SECONDS):
            state = worker.state.tasks.get(task)
            if state is None or state.state not in _WANTED:
                session.stop.set()
                return

    threading.Thread(target=watch, name="wanted", daemon=True).start()
    try:
        yield
    finally:
        ended.set()


@contextlib.contextmanager
def _gpu_alone(stage: Stage[Any, Any], stop: Stop) -> Iterator[None]:
    """As `engine.prefect_gpu`, among this machine's workers: the place of one that dies is given on."""
    wants = stage.options.own_process and "tensorflow" in stage.options.packages
    if not wants or not count_gpus():
        yield
        return
    import distributed

    semaphore: Any = distributed.Semaphore
    place = semaphore(1, name=f"latentflow-gpu-{socket.gethostname()}")
    log.info("%s waits for its turn on the GPU", stage.name)
    while not place.acquire(timeout=_POLL_SECONDS):
        if stop.is_set():
            raise StageStopped("the run was stopped")
    try:
        yield
    finally:
        place.release()
