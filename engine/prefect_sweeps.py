"""Where a run computes its mapped stages: on threads of this machine, or on a Dask cluster."""

from __future__ import annotations

import importlib.util
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from engine.environment import usable_cores
from engine.errors import InputError

if TYPE_CHECKING:
    from prefect.task_runners import TaskRunner

_CONNECT_SECONDS = 5.0

THREADS, DASK = "threads", "dask"

_RUNNER, _SCHEDULER = "LATENTFLOW_RUNNER", "LATENTFLOW_SCHEDULER"


@dataclass(frozen=True)
class Sweeps:
    """Where mapped stages are computed.

    Arguments:
        runner: `threads`, or `dask`.
        scheduler: of a Dask cluster, e.g. `tcp://host:8786`; empty: workers on this machine.
    """

    runner: str = THREADS
    scheduler: str = ""

    def __post_init__(self) -> None:
        if self.runner not in (THREADS, DASK):
            raise InputError(f"there is no runner {self.runner}: {THREADS} or {DASK}")
        if self.scheduler and self.runner != DASK:
            raise InputError(
                f"the scheduler {self.scheduler} is for the runner {DASK}, not {self.runner}"
            )

    @classmethod
    def chosen(
        cls, runner: str = "", scheduler: str = "", environment: Mapping[str, str] | None = None
    ) -> Sweeps:
        """What is asked for; what is empty comes from `LATENTFLOW_RUNNER` and `LATENTFLOW_SCHEDULER`."""
        found = os.environ if environment is None else environment
        runner = runner or found.get(_RUNNER) or THREADS
        return cls(runner, scheduler or (found.get(_SCHEDULER, "") if runner == DASK else ""))

    def check(self) -> None:
        """Raise InputError where they cannot be computed: something is not installed, nobody answers."""
        if self.runner != DASK:
            return
        self._check_installed()
        if self.scheduler:
            reach(self.scheduler)
            from engine.dask_runner import check_workers

            check_workers(self.scheduler)

    def task_runner(self) -> TaskRunner[Any]:
        """Prefect's task runner for a flow; raises InputError where it is not installed."""
        if self.runner == DASK:
            self._check_installed()
            from engine.dask_runner import DaskRunner

            return DaskRunner(self.scheduler or None)
        from prefect.task_runners import ThreadPoolTaskRunner

        return ThreadPoolTaskRunner(max_workers=usable_cores())

    def _check_installed(self) -> None:
        if importlib.util.find_spec("prefect_dask") is None:
            raise InputError(
                f"the runner {DASK} needs prefect-dask, which is not installed: "
                "python -m pip install -e '.[dask]', or leave --runner out"
            )


def reach(scheduler: str) -> None:
    """See that something listens at a scheduler's address; raises InputError within seconds."""
    try:
        place = urlsplit(scheduler)
        if not (place.hostname and place.port):
            raise ValueError("it has no host or no port")
        socket.create_connection((place.hostname, place.port), _CONNECT_SECONDS).close()
    except (OSError, ValueError) as error:
        found = getattr(error, "strerror", None) or str(error)
        raise no_scheduler(scheduler, found) from error


def no_scheduler(scheduler: str, found: str) -> InputError:
    """The error for an address at which there is none."""
    return InputError(
        f"no Dask scheduler answers at {scheduler} ({found}): start it with `dask scheduler`, give "
        "its address as tcp://host:8786, or leave --scheduler out for workers on this machine"
    )
