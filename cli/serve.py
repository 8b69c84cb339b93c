"""`latentflow serve`: Prefect's server, the schedules and the report's pages, in one process tree."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Annotated, NoReturn

import typer

from cli import options, prefect_process
from cli.children import adopt_orphans, end_all
from cli.errors import ServerLost
from cli.messages import print_json
from cli.pages import Pages, in_url, is_loopback
from cli.prefect_settings import set_defaults
from engine.errors import InputError
from engine.served import announce
from engine.store import Store

_WORKER_PATIENCE = 20.0  # it ends its flow runs first, and they their stages
_SERVER_PATIENCE = 10.0
_WORKER_LIVES = 60.0  # a worker that ended sooner is not started again

Child = subprocess.Popen[bytes]


class _End(Exception):
    """Ctrl-C or SIGTERM."""


def serve(
    host: Annotated[
        str, typer.Option(help="Address to bind to. Anybody who reaches it can run flows.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port of Prefect's UI and API; 0: a free one.")] = 4200,
    pages_port: Annotated[int, typer.Option(help="Port of the report; 0: a free one.")] = 4280,
    webhook: Annotated[
        str, typer.Option(help="Address that is told of failed and late runs.")
    ] = "",
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Show what the worker and its runs log.")
    ] = False,
    json: options.Json = False,
) -> None:
    """Serve Prefect's UI, the schedules and the report.

    The deployments of prefect.yaml run on their schedules, in this process tree, which ends with
    Ctrl-C; a training that is under way keeps its checkpoint. --json prints the addresses.
    """
    with contextlib.suppress(_End), _ending_on_signals():
        _serve(host, port, pages_port, webhook, verbose, json)
    _say("ended")


def _serve(host: str, port: int, pages_port: int, webhook: str, verbose: bool, json: bool) -> None:
    adopt_orphans()
    store = Store()
    store.report.mkdir(parents=True, exist_ok=True)
    _check_free(host, port)
    port = port or prefect_process.free_port(host)
    api = f"http://{in_url(host)}:{port}/api"
    if not is_loopback(host):
        _say(f"warning: whoever reaches {host} can read the report and run flows on this machine")
    environment = _environment(api, store, verbose)
    with contextlib.ExitStack() as stack:
        stack.callback(end_all, _SERVER_PATIENCE)
        pages = stack.enter_context(_pages(store.report, host, pages_port))
        _say("starting Prefect's server (about 10 s; longer the first time)")
        server = prefect_process.start("server", host, str(port), environment=environment)
        stack.callback(prefect_process.end, server, _SERVER_PATIENCE)
        if not prefect_process.wait_until_healthy(server, api):
            raise ServerLost("Prefect's server did not start: its last words stand above")
        environment["PREFECT_API_URL"] = api
        _register(environment, webhook)
        stack.enter_context(announce(store, pages.url))
        if json:
            about = {"api": api, "ui": api.removesuffix("/api"), "report": pages.url}
            print_json({**about, "store": store.address})
            sys.stdout.flush()
        _say(f"Prefect's UI  {api.removesuffix('/api')}")
        _say(f"the report    {pages.url}")
        _say(f"the store     {store.address}")
        _say("Ctrl-C ends all of it")
        _keep_working(server, environment)


@contextlib.contextmanager
def _ending_on_signals() -> Iterator[None]:
    """Raise `_End` once for Ctrl-C or SIGTERM; what comes later is not heard: it ends already."""

    def end(number: int, frame: FrameType | None) -> NoReturn:
        for each in (signal.SIGINT, signal.SIGTERM):
            signal.signal(each, signal.SIG_IGN)
        _say("ending: flow runs first, then the server")
        raise _End

    before = {each: signal.signal(each, end) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _environment(api: str, store: Store, verbose: bool) -> dict[str, str]:
    environment = dict(os.environ)
    environment.pop("PREFECT_API_URL", None)  # the server is no client of its own
    set_defaults(environment)
    level = "INFO" if verbose else "WARNING"
    return environment | {
        "LATENTFLOW_STORE": store.address,
        "PREFECT__SERVER_FINAL": "1",
        # Relative: right under whichever name the browser has reached the server.
        "PREFECT_SERVER_UI_API_URL": "/api",
        "PREFECT_UI_URL": api.removesuffix("/api"),
        "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": level,
        "PREFECT_LOGGING_LEVEL": "INFO",
    }


def _check_free(host: str, port: int) -> None:
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except (OSError, OverflowError) as error:
        raise InputError(
            f"{host}:{port} cannot be used ({getattr(error, 'strerror', None) or error}): stop what "
            "listens there, or choose another with --port"
        ) from None


@contextlib.contextmanager
def _pages(folder: Path, host: str, port: int) -> Iterator[Pages]:
    try:
        pages = Pages(folder, host, port)
    except (OSError, OverflowError) as error:
        raise InputError(
            f"{host}:{port} cannot be used for the report ({getattr(error, 'strerror', None) or error}): "
            "choose another with --pages-port"
        ) from None
    with pages.running():
        yield pages


def _register(environment: dict[str, str], webhook: str) -> None:
    """Register the deployments and automations, unless the server has them as they are."""
    _say("looking at the deployments of prefect.yaml")
    arguments = ["register", *([webhook] if webhook else [])]
    with tempfile.TemporaryFile("w+") as said:
        child = prefect_process.start(*arguments, environment=environment, output=said)
        try:
            if child.wait() != 0:
                said.seek(0)
                raise ServerLost(f"the deployments could not be registered:\n{said.read()[-3000:]}")
        finally:
            prefect_process.end(child, 5.0)


def _keep_working(server: Child, environment: dict[str, str]) -> None:
    """Keep a worker going; returns never, raises ServerLost when server or worker cannot live."""
    while True:
        started = time.monotonic()
        worker = prefect_process.start(
            *("worker", "start", "--pool", "local", "--type", "process"),
            environment=environment,
        )
        ended = threading.Event()
        try:
            while worker.poll() is None and server.poll() is None:
                ended.wait(0.5)
        finally:
            prefect_process.end(worker, _WORKER_PATIENCE)
        if server.poll() is not None:
            raise ServerLost(f"Prefect's server ended with status {server.returncode}")
        if time.monotonic() - started < _WORKER_LIVES:
            raise ServerLost(f"the worker ended with status {worker.returncode}: see above")
        _say(f"the worker ended with status {worker.returncode}: another one is started")


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
