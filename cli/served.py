"""A run as a Prefect flow run: against the server that is set, else a temporary one."""

from __future__ import annotations

import contextlib
import functools
import logging
import os
import signal
import threading
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

from cli.errors import ServerLost
from cli.prefect_process import answers
from cli.prefect_settings import set_defaults
from cli.process import leave_at_once
from cli.temporary_server import temporary_server
from engine import Flow, LatentflowError, Run, Selection, Store
from engine.prefect_sweeps import Sweeps
from engine.session import Session

log = logging.getLogger(__name__)

_SHORT_SECONDS = 120.0
_SEND_SECONDS = 5.0


def run_served(
    flow: Flow[Any],
    parameters: Any,
    selection: Selection,
    *,
    preset: str,
    store: Store,
    observe: Callable[[Session], None],
    expected_seconds: float | None,
    verbose: bool,
    say: Callable[[str], None],
    last_acts: list[Callable[[], None]],
    sweeps: Sweeps,
) -> Run:
    """Run the flow as a Prefect flow run; waits for it.

    Arguments:
        expected_seconds: None where a stage never ran, so that nobody knows.
        say: is told what takes time before the first stage.
        last_acts: gets what to do before the process ends in the middle of the run.
        sweeps: where mapped stages are computed.

    Raises:
        ServerLost: no server, or it went away; finished stages are kept.
        LatentflowError: a stage failed.
    """
    _quieten(verbose)
    from prefect.settings import PREFECT_API_URL

    own = not PREFECT_API_URL.value()
    with _server(say) as where:
        from prefect import runtime
        from prefect.settings import PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings

        from engine.prefect_flow import as_prefect

        def begin(session: Session) -> None:
            last_acts.append(functools.partial(_mark_crashed, runtime.flow_run.id))
            observe(session)

        finished: list[Run] = []
        run = as_prefect(
            flow,
            preset=preset,
            store=store,
            observe=begin,
            finished=finished,
            deep=selection.deep,
            sweeps=sweeps,
        )
        # Its thread costs up to a second at the end; a server that stays needs it to notice a kill.
        short = expected_seconds is not None and expected_seconds < _SHORT_SECONDS
        updates = {PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None} if short and own else {}
        try:
            with _terminated_in_order(), temporary_settings(updates):
                run(
                    parameters,
                    refresh=list(selection.refresh),
                    since=list(selection.since),
                    until=list(selection.until),
                )
        except Exception as error:
            if not _is_of_the_server(error):
                raise
            leave_at_once()  # else Prefect tries for minutes to send what is queued
            for cause in _chain(error):
                if isinstance(cause, LatentflowError):
                    raise cause from cause.__cause__
            if not finished:
                text = f"Prefect's server at {where} went away ({_first_line(error)})"
                raise ServerLost(text) from None
            log.warning(
                "Prefect's server at %s went away: the run is complete, not recorded", where
            )
    return finished[-1]


@contextlib.contextmanager
def _terminated_in_order() -> Iterator[None]:
    """Let SIGTERM end the process by an exception: Prefect sends it once more when it has cleaned up."""

    def stop(number: int, frame: object) -> NoReturn:
        raise SystemExit(128 + number)

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _quieten(verbose: bool) -> None:
    """Set what Prefect reads once, before it is imported; the user's own settings win."""
    set_defaults(os.environ)
    if not verbose:
        logging.raiseExceptions = (
            False  # else lines that cannot be sent are complained of one by one
        )
        # Only the console: Prefect's server still gets every line.
        os.environ.setdefault("PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL", "CRITICAL")
        os.environ.setdefault("PREFECT_LOGGING_HANDLERS_DEBUG_LEVEL", "CRITICAL")


@contextlib.contextmanager
def _server(say: Callable[[str], None]) -> Iterator[str]:
    """The address of the server that is set, or of a temporary one."""
    from prefect.settings import PREFECT_API_URL

    address = PREFECT_API_URL.value()
    if address:
        fault = answers(address)
        if fault:
            raise ServerLost(
                f"no Prefect server answers at {address} ({fault}): start it with "
                "`latentflow serve`, unset PREFECT_API_URL to use a temporary one, or run "
                "with --local"
            )
        yield address
        return
    say("starting Prefect's temporary server (about 5 to 15 s; --local needs none)")
    with temporary_server() as address:
        from prefect.context import refresh_global_settings_context

        os.environ["PREFECT_API_URL"] = address
        refresh_global_settings_context()
        try:
            yield address
        finally:
            _send_what_is_queued()
            del os.environ["PREFECT_API_URL"]
            refresh_global_settings_context()


def _mark_crashed(flow_run_id: str) -> None:
    """Tell the server what the process will not live to tell it; a part that had ended did so."""
    from uuid import UUID

    from prefect import get_client
    from prefect.states import Crashed

    with get_client(sync_client=True) as client:
        state = client.read_flow_run(UUID(flow_run_id)).state
        if state is None or state.is_running() or state.is_cancelling():
            client.set_flow_run_state(UUID(flow_run_id), Crashed(message="interrupted"), force=True)


def _send_what_is_queued() -> None:
    """Prefect sends logs and task states from threads; the server must hear them before it ends."""
    from prefect.events.worker import EventsWorker
    from prefect.logging.handlers import APILogWorker

    for worker in (APILogWorker, EventsWorker):
        worker.drain_all(timeout=_SEND_SECONDS)


def _is_of_the_server(error: BaseException) -> bool:
    """Whether an error, or what it came from, is the server's."""
    import httpx

    return any(
        isinstance(each, httpx.TransportError | httpx.HTTPStatusError)
        or (isinstance(each, RuntimeError) and "reach API" in str(each))
        for each in _chain(error)
    )


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """The error and what it came from."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _first_line(error: BaseException) -> str:
    text = str(error).strip().splitlines()
    return text[0] if text else type(error).__name__
