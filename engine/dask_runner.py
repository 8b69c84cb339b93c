"""Mapped stages on a Dask cluster: Prefect's task runs stay here, what they compute goes to the workers.

    task run (thread here) ── order: names, handles, recipe ──▸ worker ── objects, record ──▸ store
          ▲   holds the stage's lock                              │
          └──────────────── log lines, progress, done ◂───────────┘

States, locks, retries and cancellation are therefore what they are without Dask. A worker that dies
holds nothing: Dask gives its orders to another one.
"""

from __future__ import annotations

import contextlib
import functools
import logging
import queue
import secrets
import threading
import time
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import dask
from distributed import Client, Future, LocalCluster
from distributed.scheduler import KilledWorker
from prefect.task_runners import ThreadPoolTaskRunner
from prefect_dask import DaskTaskRunner

from engine.artifact import Artifact
from engine.call import Call
from engine.dask_order import WorkerUnfit, make_order
from engine.dask_worker import TOPIC, compute_order
from engine.environment import usable_cores
from engine.errors import (
    DamagedObject,
    InputError,
    LatentflowError,
    StageError,
    StageStopped,
    StageTimeout,
    StoreError,
)
from engine.prefect_sweeps import no_scheduler, reach
from engine.session import Session
from engine.work import Progress

if TYPE_CHECKING:
    from prefect.client.schemas.objects import RunInput
    from prefect.futures import PrefectFuture
    from prefect.tasks import Task

log = logging.getLogger(__name__)

_CONNECT_SECONDS = 5.0
_REMIND_SECONDS = 30.0
# Dask would give each worker one thread for linear algebra; stages limit themselves where it matters.
_AS_HERE: dict[str, Any] = {"distributed.nanny.pre-spawn-environ": {}}
_STOP = "stop"
_DONE = "done"
_ERRORS = {
    kind.__name__: kind
    for kind in (InputError, StageError, StageStopped, StageTimeout, StoreError, WorkerUnfit)
}


class DaskRunner(DaskTaskRunner):
    """Prefect's task runner for sweeps on a Dask cluster.

    Arguments:
        address: of a scheduler, `tcp://host:8786`; without one, as many workers as this machine has
            cores are started when the first sweep begins, and end with the flow run.
    """

    def __init__(self, address: str | None = None) -> None:
        started: dict[str, Any] = {
            "cluster_class": LocalCluster,
            "cluster_kwargs": {
                "n_workers": usable_cores(),
                "threads_per_worker": 1,
                "dashboard_address": "127.0.0.1:0",
                "silence_logs": logging.ERROR,
                "memory_limit": 0,  # as without Dask: a large stage is not killed for its size
            },
        }
        super().__init__(
            **({"address": address} if address else started),
            client_kwargs={"timeout": _CONNECT_SECONDS},
        )
        self._threads: ThreadPoolTaskRunner[Any] | None = None
        self._told: dict[str, queue.SimpleQueue[Any]] = {}
        self._reminded = 0.0
        self._mutex = threading.Lock()

    def duplicate(self) -> DaskRunner:
        """The same settings; Prefect makes one for every flow run."""
        return type(self)(self.address)

    @property
    def client(self) -> Any:
        """The connection, made when it is first needed.

        Raises:
            InputError: no scheduler answers.
            StageError: no workers could be started.
        """
        if self._client is None:
            if self.address:
                reach(self.address)
            with _connection_errors(self.address), dask.config.set(_AS_HERE):
                client: Any = super().client
            client.subscribe_topic(TOPIC, self._hear)
        return self._client

    def submit(
        self,
        task: Task[Any, Any],
        parameters: dict[str, Any],
        wait_for: Iterable[PrefectFuture[Any]] | None = None,
        dependencies: dict[str, set[RunInput]] | None = None,
    ) -> Any:
        """Run the task on a thread here; `compute` sends what it computes to a worker."""
        if self._threads is None:
            # Twice the workers' threads, so that none waits for the next order.
            size = 2 * max(1, sum(self.client.nthreads().values()))
            self._threads = self._exit_stack.enter_context(ThreadPoolTaskRunner(max_workers=size))
        return self._threads.submit(task, parameters, wait_for, dependencies)

    def compute(self, session: Session, call: Call) -> list[Artifact]:
        """Compute a call on a worker and wait for it; this process holds its lock.

        Raises:
            WorkerUnfit: the worker has other code, or does not see the store.
            StageStopped: the run was stopped.
            StageError: the stage failed, its workers died, or the cluster went away.
        """
        reply = self._send(session, call)
        if "artifacts" in reply:
            return [Artifact.from_json(a) for a in reply["artifacts"]]
        kind, text = reply["kind"], reply["error"]
        if kind == DamagedObject.__name__:
            log.warning("%s: %s on %s; it is computed here", call.slot, text, reply["worker"])
            return list(session.compute(call, attempts=1).artifacts)
        if kind == WorkerUnfit.__name__:
            raise WorkerUnfit(f"the Dask worker {reply['worker']} is of no use: {text}")
        if kind not in _ERRORS:
            raise StageError(f"stage {call.slot} failed: {kind}: {text}")
        raise _ERRORS[kind](text)

    def _send(self, session: Session, call: Call) -> dict[str, Any]:
        task = f"{call.slot}-{secrets.token_hex(8)}"
        told = self._told[task] = queue.SimpleQueue()
        order = {**make_order(session.store, call), "task": task}
        future = self.client.submit(compute_order, order, key=task, pure=False)
        try:
            future.add_done_callback(lambda done: told.put(_DONE))
            with session.stop.calling(functools.partial(told.put, _STOP)):
                while (entry := self._next(told)) is not _DONE:
                    if entry is _STOP:
                        raise StageStopped(f"stage {call.slot}: the run was stopped")
                    _pass_on(session, call, entry)
            return self._answer(future, call)
        except BaseException:
            with contextlib.suppress(Exception):
                future.cancel(force=True)
            raise
        finally:
            del self._told[task]

    def _next(self, told: queue.SimpleQueue[Any]) -> Any:
        """What comes next of a computation; says now and then why nothing does."""
        while True:
            try:
                return told.get(timeout=_REMIND_SECONDS)
            except queue.Empty:
                with self._mutex:
                    if time.monotonic() - self._reminded < _REMIND_SECONDS:
                        continue
                    self._reminded = time.monotonic()
                if not self.client.nthreads():
                    log.warning("no worker is left at %s: waiting for one", self.address)

    def _answer(self, future: Future[Any], call: Call) -> dict[str, Any]:
        try:
            return dict(future.result(timeout=_CONNECT_SECONDS))
        except KilledWorker as died:
            raise StageError(
                f"stage {call.slot}: each Dask worker that computed it died, perhaps for want of "
                f"memory; the last was {died.last_worker.address}"
            ) from died
        except ImportError as error:
            raise WorkerUnfit(
                f"a Dask worker has not installed this project ({error}): start it in the project's "
                "folder, with the project's `dask`"
            ) from error
        except Exception as error:
            raise StageError(
                f"stage {call.slot}: the Dask cluster at {self.address or 'this machine'} gave no "
                f"answer ({type(error).__name__}: {error}); what is finished is kept, the same "
                "command goes on"
            ) from error

    def _hear(self, event: tuple[float, dict[str, Any]]) -> None:
        told = self._told.get(event[1]["task"])
        if told is not None:
            told.put(event[1])


def _pass_on(session: Session, call: Call, entry: dict[str, Any]) -> None:
    """Report or log here what a worker told."""
    if "line" in entry:
        line = entry["line"]
        logging.getLogger(line["name"]).log(line["level"], "%s", line["text"])
    elif session.on_progress is not None:
        session.on_progress(call, Progress(**entry["progress"]))


def check_workers(address: str) -> None:
    """See that a scheduler has workers; raises InputError within seconds."""
    connect: Any = Client
    with (
        _connection_errors(address),
        connect(address, timeout=_CONNECT_SECONDS, set_as_default=False) as client,
    ):
        if not client.nthreads():
            raise InputError(
                f"the Dask scheduler at {address} has no workers: start one on each machine, in "
                f"the project's folder, with `dask worker {address} --nthreads 1`"
            )


@contextlib.contextmanager
def _connection_errors(address: str | None) -> Iterator[None]:
    """Turn what a connection may raise into an error for the user."""
    try:
        yield
    except LatentflowError:
        raise
    except (OSError, ValueError) as error:  # a TimeoutError is an OSError
        if address is None:
            text = f"no Dask workers could be started on this machine: {error}"
            raise StageError(text) from error
        raise no_scheduler(address, str(error)) from error
