"""A Prefect server for the length of one run, in a process of its own.

Prefect's own temporary server starts only after the client has loaded the whole server package,
and a Ctrl-C in the terminal ends it before the run could report to it. This one is the same
application with the same database; it starts at once, hears no Ctrl-C, and ends with its parent
however that dies.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator

from cli import prefect_process
from cli.errors import ServerLost

_STOP_SECONDS = 10.0


@contextlib.contextmanager
def temporary_server() -> Iterator[str]:
    """A running server; yields its API address.

    Raises:
        ServerLost: it did not start; the error ends with what it said.
    """
    port = prefect_process.free_port()
    environment = {
        **os.environ,
        "PREFECT_UI_ENABLED": "0",
        "PREFECT__SERVER_EPHEMERAL": "1",
        "PREFECT__SERVER_FINAL": "1",
    }
    with tempfile.TemporaryFile("w+") as said:
        child = prefect_process.start(
            "server", "127.0.0.1", str(port), environment=environment, output=said
        )
        try:
            if not prefect_process.wait_until_healthy(child, f"http://127.0.0.1:{port}/api"):
                said.seek(0)
                tail = said.read()[-2000:].strip() or "it said nothing"
                raise ServerLost(
                    f"Prefect's temporary server did not start; `--local` runs without it:\n{tail}"
                )
            yield f"http://127.0.0.1:{port}/api"
        finally:
            prefect_process.end(child, _STOP_SECONDS)
