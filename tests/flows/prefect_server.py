"""A real Prefect server with a home of its own, for tests that go the whole way."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.waiting import PATIENCE, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
PREFECT = str(Path(sys.executable).with_name("prefect"))
_PORTS = 5  # to be tried: between its choice and its use another process may take one


@dataclass
class Server:
    """A running server and the environment in which commands meet it."""

    api: str
    home: Path
    environment: dict[str, str] = field(default_factory=dict)

    def ask(self, path: str, body: dict[str, Any] | None = None) -> Any:
        """POST a body, or GET without one; asks again, as Prefect's client does, while a lock is held."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            self.api + path, data, {"Content-Type": "application/json"}
        )
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                with urllib.request.urlopen(request, timeout=60) as answer:
                    return json.load(answer)
            except urllib.error.HTTPError as error:
                if error.code != HTTPStatus.SERVICE_UNAVAILABLE or time.monotonic() > deadline:
                    raise
            time.sleep(0.5)  # SQLite's lock stood in the way: the server took nothing

    def run(self, *arguments: str, timeout: float = 2 * PATIENCE) -> str:
        """A Prefect command in the project's folder; returns what it printed."""
        done = subprocess.run(
            [PREFECT, "--no-prompt", *arguments],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        assert done.returncode == 0, f"prefect {' '.join(arguments)}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    @contextlib.contextmanager
    def background(self, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
        """A command that runs as long as the block, in a process group that ends with it."""
        log = (self.home / f"{arguments[0]}.log").open("ab")
        process = subprocess.Popen(
            [PREFECT, *arguments],
            cwd=ROOT,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        try:
            yield process
        finally:
            for number, patience in ((signal.SIGINT, 30), (signal.SIGKILL, 30)):
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, number)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(patience)
                    break
            log.close()


@contextlib.contextmanager
def start_server(home: Path, store: Path) -> Iterator[Server]:
    """A server on a free port of the loopback address, gone when the block ends."""
    home.mkdir(parents=True, exist_ok=True)
    for _ in range(_PORTS):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        api = f"http://127.0.0.1:{port}/api"
        environment = {
            **os.environ,
            "PREFECT_HOME": str(home),
            "PREFECT_API_URL": api,
            "PREFECT_SERVER_UI_API_URL": api,
            "LATENTFLOW_STORE": str(store),
        }
        server = Server(api, home, environment)
        arguments = ("server", "start", "--host", "127.0.0.1", "--port", str(port))
        with server.background(*arguments) as process:
            wait_for("a server, or its end", functools.partial(_is_decided, server, process))
            if process.poll() is None:
                yield server
                return
    raise AssertionError((home / "server.log").read_text()[-3000:])


def _is_decided(server: Server, process: subprocess.Popen[bytes]) -> bool:
    return process.poll() is not None or bool(server.ask("/health"))
