"""Runs of the toy flow in processes of their own, cheap enough to kill by the dozen.

One helper process imports everything once and forks itself for every run, before it has started
any thread. A run may be told to die at its n-th step towards the disk.

Started as `python -m tests.engine.zygote`, it takes one JSON line a request (see `Request`) and
answers with the pid of the run, or with the exit status of a run that it waited for.
"""

from __future__ import annotations

import importlib
import itertools
import json
import logging
import os
import resource
import signal
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any


@dataclass
class Request:
    """What a forked process shall do.

    Arguments:
        store: the store's folder or address.
        values: the flow's parameters.
        folder: where it leaves `digests.json`, `outcomes.json`, `log.txt` and, if it failed,
            `error.txt`.
        die_at: kill itself at this step towards the disk; 0: never, but count them in `steps.txt`.
        file_limit: bytes that a file may have.
        api: the address of a Prefect server: run as a Prefect flow.
        sweeps: its runner and scheduler, if mapped stages are computed elsewhere.
        refresh: stages to compute again.
        until: stages to stop after.
        flow: where it is importable from.
        environment: variables that it gets besides.
        lease_seconds: how long a lease of a bucket lasts.
    """

    store: str
    folder: str
    values: dict[str, Any] = field(default_factory=dict)
    die_at: int | None = None
    file_limit: int | None = None
    api: str = ""
    sweeps: list[str] = field(default_factory=list)
    refresh: list[str] = field(default_factory=list)
    until: list[str] = field(default_factory=list)
    flow: str = "tests.engine.toy:toy"
    environment: dict[str, str] = field(default_factory=dict)
    lease_seconds: float | None = None


class Zygote:
    """The helper process, seen from a test."""

    def __init__(self, child: subprocess.Popen[str]) -> None:
        self._child = child

    def start(self, request: Request) -> int:
        """Begin a run; returns its pid."""
        return self._ask({"start": asdict(request)})

    def wait(self, pid: int) -> int:
        """Exit status of a run, negative for the signal that ended it."""
        return self._ask({"wait": pid})

    def run(self, request: Request) -> int:
        """A run from beginning to end; returns its exit status."""
        return self.wait(self.start(request))

    def _ask(self, question: dict[str, Any]) -> int:
        assert self._child.stdin and self._child.stdout
        self._child.stdin.write(json.dumps(question) + "\n")
        self._child.stdin.flush()
        return int(self._child.stdout.readline())


@contextmanager
def open_zygote(prefect: bool = False) -> Iterator[Zygote]:
    """A helper process for the length of a `with` block."""
    command = [sys.executable, "-m", "tests.engine.zygote", *(["prefect"] if prefect else [])]
    root = Path(__file__).parent.parent.parent
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=root
    ) as child:
        try:
            yield Zygote(child)
        finally:
            child.kill()


def _serve(prefect: bool) -> None:
    import numpy  # noqa: F401 - imported before the forks, for their speed
    import pandas  # noqa: F401
    import pyarrow.parquet  # noqa: F401

    from tests.engine import toy  # noqa: F401

    if prefect:
        import engine.prefect_flow  # noqa: F401

    for line in sys.stdin:
        question = json.loads(line)
        if "wait" in question:
            _, status = os.waitpid(question["wait"], 0)
            answer = os.waitstatus_to_exitcode(status)
        else:
            answer = os.fork()
            if answer == 0:
                _become(Request(**question["start"]))
        sys.stdout.write(f"{answer}\n")
        sys.stdout.flush()


def _become(request: Request) -> None:
    folder = Path(request.folder)
    status = 1
    _, unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        os.close(0)
        os.setpgid(0, 0)
        os.environ.update(request.environment)
        if request.lease_seconds is not None:
            from engine.storage import lease

            lease.LEASE_SECONDS = request.lease_seconds
        log = logging.FileHandler(folder / "log.txt")
        logging.basicConfig(level=logging.INFO, handlers=[log], force=True)
        count = _die_at(request.die_at) if request.die_at is not None else None
        if request.file_limit is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (request.file_limit, unlimited))
        run = _run(request)
        if count is not None:
            (folder / "steps.txt").write_text(str(count()))
        from tests.engine import toy

        (folder / "digests.json").write_text(json.dumps(toy.digests(run)))
        (folder / "outcomes.json").write_text(json.dumps(toy.outcomes(run)))
        status = 0
    except BaseException as error:  # noqa: BLE001 - told to the test
        resource.setrlimit(resource.RLIMIT_FSIZE, (unlimited, unlimited))
        text = "".join(traceback.format_exception(error))
        (folder / "error.txt").write_text(f"{type(error).__name__}: {error}\n\n{text}")
    finally:
        logging.shutdown()
        os._exit(status)


def _run(request: Request) -> Any:
    from engine import Selection, Store

    store = Store(request.store)
    module, _, name = request.flow.partition(":")
    flow = getattr(importlib.import_module(module), name)
    parameters = flow.configure(overrides=request.values)
    if not request.api:
        selection = Selection(tuple(request.refresh), until=tuple(request.until))
        return flow.run(parameters, selection, store)
    from prefect.events.worker import EventsWorker
    from prefect.logging.handlers import APILogWorker
    from prefect.settings import (
        PREFECT_API_URL,
        PREFECT_CLIENT_MAX_RETRIES,
        temporary_settings,
    )

    from engine.prefect_flow import as_prefect
    from engine.prefect_sweeps import Sweeps

    finished: list[Any] = []
    sweeps = Sweeps(*request.sweeps)
    deployed = as_prefect(flow, store=store, finished=finished, sweeps=sweeps)
    # A server that has gone away is not waited for: that is what the tests are for.
    with temporary_settings({PREFECT_API_URL: request.api, PREFECT_CLIENT_MAX_RETRIES: 1}):
        try:
            deployed(parameters, refresh=request.refresh, until=request.until)
        finally:  # a forked process ends without what the interpreter does at its end
            for worker in (APILogWorker, EventsWorker):
                worker.drain_all(timeout=5)
    return finished[0]


def _die_at(step: int) -> Callable[[], int]:
    """Let the process be killed at its n-th step towards the disk; returns the counter.

    Steps are: half of a journal's line is written; half of a file is written; a file is written
    but not synced; synced but not moved in; moved in but its folder not synced.
    """
    from engine import store as stores

    numbers, last = itertools.count(1), [0]

    def passed(just_before: Callable[[], Any] = lambda: None) -> None:
        last.append(number := next(numbers))  # one step for threads, too
        if number == step:
            just_before()
            os.kill(os.getpid(), signal.SIGKILL)

    write, sync, replace, sync_and_hash = os.write, os.fsync, os.replace, stores._sync_and_hash

    def slow_write(fd: int, data: bytes) -> int:
        if data.startswith(b'{"event"'):
            passed(lambda: write(fd, data[: len(data) // 2]))
        return write(fd, data)

    def slow_sync(fd: int) -> None:
        passed()
        sync(fd)

    def slow_replace(*args: Any, **kwargs: Any) -> None:
        passed()
        replace(*args, **kwargs)
        passed()

    def slow_sync_and_hash(file: Any) -> Any:
        file.flush()
        passed(lambda: os.ftruncate(file.fileno(), os.fstat(file.fileno()).st_size // 2))
        return sync_and_hash(file)

    os.write, os.fsync, os.replace = slow_write, slow_sync, slow_replace  # type: ignore[assignment]
    stores._sync_and_hash = slow_sync_and_hash
    return lambda: max(last)


if __name__ == "__main__":
    _serve("prefect" in sys.argv)
