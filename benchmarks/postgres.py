"""A PostgreSQL of a benchmark's own: a new cluster in a folder, on the loopback address, gone with the block."""

from __future__ import annotations

import contextlib
import getpass
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cli.prefect_process import free_port


def find_programs() -> Path | None:
    """The folder of `initdb` and `postgres`; Debian keeps them off the path."""
    on_path = shutil.which("initdb")
    if on_path:
        return Path(on_path).resolve().parent
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return found[-1].parent if found else None


@contextlib.contextmanager
def start_postgres(folder: Path, connections: int = 200) -> Iterator[str]:
    """A running server; yields the address of an empty database for SQLAlchemy."""
    programs = find_programs()
    assert programs is not None
    folder.mkdir(parents=True)
    # It refuses to run as root.
    user = "postgres" if os.getuid() == 0 else getpass.getuser()
    if os.getuid() == 0:
        shutil.chown(folder, "postgres")
        for parent in folder.parents:
            if parent != Path("/") and not parent.stat().st_mode & 0o001:
                parent.chmod(parent.stat().st_mode | 0o011)
    as_user: dict[str, Any] = {"user": user} if os.getuid() == 0 else {}
    data, port = folder / "data", free_port()
    subprocess.run(
        [programs / "initdb", "-D", data, "-U", "test", "-A", "trust", "-E", "UTF8", "--no-sync"],
        check=True,
        capture_output=True,
        cwd="/",
        **as_user,
    )
    options = {
        "port": port,
        "listen_addresses": "127.0.0.1",
        "unix_socket_directories": "",
        "max_connections": connections,
        "fsync": "off",
    }
    log = (folder / "postgres.log").open("wb")
    server = subprocess.Popen(
        [programs / "postgres", "-D", data, *(f"--{n}={v}" for n, v in options.items())],
        stdout=log,
        stderr=log,
        cwd="/",
        **as_user,
    )
    try:
        deadline = time.monotonic() + 60
        ready = [str(programs / "pg_isready"), "-h", "127.0.0.1", "-p", str(port), "-d", "postgres"]
        while subprocess.run(ready, capture_output=True, check=False).returncode != 0:
            assert server.poll() is None and time.monotonic() < deadline
            time.sleep(0.2)
        yield f"postgresql+asyncpg://test@127.0.0.1:{port}/postgres"
    finally:
        server.terminate()
        server.wait(30)
        log.close()
