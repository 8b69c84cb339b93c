"""A Prefect server for the length of one run, in a process of its own.

Prefect's own temporary server starts only after the client has loaded the whole server package,
and a Ctrl-C in the terminal ends it before the run could report to it. This one is the same
application with the same database; it starts at once, hears no Ctrl-C, and ends with its parent
however that dies: it reads a pipe that the parent never writes to.
"""

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
import urllib.error
import urllib.request
from collections.abc import Iterator

from cli.errors import ServerLost
from engine.store import project_root

_START_SECONDS = 120.0  # a first start makes the database, on a busy machine for half a minute
_STOP_SECONDS = 10.0


@contextlib.contextmanager
def temporary_server() -> Iterator[str]:
    """A running server; yields its API address.

    Raises:
        ServerLost: it did not start; the error ends with what it said.
    """
    port = _free_port()
    environment = {
        **os.environ,
        "PREFECT_UI_ENABLED": "0",
        "PREFECT__SERVER_EPHEMERAL": "1",
        "PREFECT__SERVER_FINAL": "1",
        "PYTHONPATH": os.pathsep.join(
            filter(None, [str(project_root()), os.environ.get("PYTHONPATH")])
        ),
    }
    with tempfile.TemporaryFile("w+") as said:
        child = subprocess.Popen(
            [sys.executable, "-m", "cli.temporary_server", str(port)],
            stdin=subprocess.PIPE,
            stdout=said,
            stderr=said,
            env=environment,
            start_new_session=True,
        )
        try:
            if not _wait_until_healthy(child, f"http://127.0.0.1:{port}/api"):
                said.seek(0)
                tail = said.read()[-2000:].strip() or "it said nothing"
                raise ServerLost(
                    f"Prefect's temporary server did not start; `--local` runs without it:\n{tail}"
                )
            yield f"http://127.0.0.1:{port}/api"
        finally:
            child.terminate()
            try:
                child.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
            if child.stdin:
                child.stdin.close()


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


def _wait_until_healthy(child: subprocess.Popen[bytes], api: str) -> bool:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and child.poll() is None:
        with (
            contextlib.suppress(OSError),
            urllib.request.urlopen(f"{api}/health", timeout=5.0) as answer,
        ):
            if answer.status == 200:
                return True
        time.sleep(0.1)
    return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _end_with_parent() -> None:
    sys.stdin.buffer.read()
    os.kill(os.getpid(), signal.SIGTERM)


def _serve(port: int) -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    import uvicorn

    uvicorn.run(
        "prefect.server.api.server:create_app",
        factory=True,
        host="127.0.0.1",
        port=port,
        log_level="error",
        lifespan="on",
    )


if __name__ == "__main__":
    _serve(int(sys.argv[1]))
