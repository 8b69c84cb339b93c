"""Prefect's programs as children that end with this process, however it dies.

A child reads a pipe that its parent never writes to: when that closes, it ends. It hears no Ctrl-C
of the terminal, so that the parent says in which order things end.

Started as `python -m cli.prefect_process server HOST PORT` it is a server; `register` registers the
deployments; with other arguments, e.g. `worker start --pool local`, it is that command of Prefect's.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import IO, Any

from engine.store import project_root

START_SECONDS = 120.0  # a first start makes the database, on a busy machine for half a minute


def start(
    *arguments: str, environment: Mapping[str, str], output: IO[str] | None = None
) -> subprocess.Popen[bytes]:
    """A child in the project's folder, where Prefect's settings and deployments lie.

    Arguments:
        environment: all of it; the project is put on its path.
        output: takes what it says; None for this process's standard error.
    """
    path = filter(None, [str(project_root()), environment.get("PYTHONPATH")])
    stream = output or sys.stderr
    return subprocess.Popen(
        [sys.executable, "-m", "cli.prefect_process", *arguments],
        stdin=subprocess.PIPE,
        stdout=stream,
        stderr=stream,
        env={**environment, "PYTHONPATH": os.pathsep.join(path)},
        cwd=project_root(),
        start_new_session=True,
    )


def end(child: subprocess.Popen[bytes], patience: float) -> None:
    """Ask a child to end; kill its session when it has not after `patience` seconds."""
    child.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        child.wait(patience)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()
    if child.stdin:
        child.stdin.close()


def free_port(host: str = "127.0.0.1") -> int:
    """A port of this address that nothing listens at."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def answers(api: str, seconds: float = 5.0) -> str:
    """Empty if something speaks HTTP at this address, else what went wrong."""
    try:
        with urllib.request.urlopen(f"{api.rstrip('/')}/health", timeout=seconds):
            return ""
    except urllib.error.HTTPError:
        return ""
    except urllib.error.URLError as error:
        return str(getattr(error.reason, "strerror", None) or error.reason)
    except (OSError, ValueError) as error:
        return str(error)


def wait_until_healthy(child: subprocess.Popen[bytes], api: str) -> bool:
    """Whether the server came up before it died or two minutes were over."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and child.poll() is None:
        with (
            contextlib.suppress(OSError),
            urllib.request.urlopen(f"{api}/health", timeout=5.0) as answer,
        ):
            if answer.status == 200:
                return True
        time.sleep(0.1)
    return False


def _end_with_parent() -> None:
    os.read(0, 1)  # returns when the parent has died: nothing is ever written
    os.kill(os.getpid(), signal.SIGTERM)


def _take_turns() -> None:
    """Let the server's transactions on SQLite wait for one another from their beginning.

    Prefect begins them as readers. One that then writes while another has written fails at once,
    whatever the time it would wait, and with an automation registered such failures left the
    database locked for minutes: seen with Prefect 3.8.8, 100 events a second.
    """
    from prefect.server.database.configurations import AioSqliteConfiguration

    begin = AioSqliteConfiguration.begin_transaction

    def begin_at_once(self: Any, session: Any, with_for_update: bool = True) -> Any:
        return begin(self, session, with_for_update=True)

    AioSqliteConfiguration.begin_transaction = begin_at_once  # type: ignore[method-assign]


def _main(arguments: list[str]) -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    if arguments[0] == "server":
        import uvicorn

        _take_turns()
        uvicorn.run(
            "prefect.server.api.server:create_app",
            factory=True,
            host=arguments[1],
            port=int(arguments[2]),
            log_level="error",
            lifespan="on",
        )
        return
    if arguments[0] == "register":
        from cli.deploy import main

        main(arguments[1:])
        return
    from prefect.cli import app

    sys.argv = ["prefect", *arguments]
    app()


if __name__ == "__main__":
    _main(sys.argv[1:])
