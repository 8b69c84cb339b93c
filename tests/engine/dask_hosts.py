"""A Dask cluster of several hosts: a scheduler here, workers each in a network namespace of its own.

Where the machine forbids namespaces the workers are processes on the loopback address.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.waiting import wait_for

ROOT = Path(__file__).resolve().parents[2]
DASK = str(Path(sys.executable).with_name("dask"))

_NUMBERS = itertools.count()


@dataclass
class Cluster:
    """A running scheduler and its workers."""

    folder: Path
    port: int
    workers: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def address(self) -> str:
        """The scheduler's, for those on this host."""
        return f"tcp://127.0.0.1:{self.port}"

    def log(self, name: str) -> str:
        """What the scheduler or a worker has said."""
        path = self.folder / f"{name}.log"
        return path.read_text() if path.exists() else ""

    def work(self, name: str, host: Host, root: Path = ROOT) -> None:
        """Start a worker with one thread on a host and wait until the scheduler has it.

        Arguments:
            root: the project's folder there.
        """
        self.workers[name] = _start(
            [
                *host.prefix,
                *(DASK, "worker", f"tcp://{host.gateway}:{self.port}", "--name", name),
                *("--nthreads", "1", "--no-nanny", "--no-dashboard"),
                *("--local-directory", str(self.folder / f"of {name}")),
            ],
            self.folder / f"{name}.log",
            root,
        )
        wait_for(f"worker {name}", functools.partial(self._has, name))

    def kill(self, name: str) -> None:
        """SIGKILL for a worker; returns when the scheduler has noticed."""
        before = self._losses()
        worker = self.workers.pop(name)
        os.killpg(worker.pid, signal.SIGKILL)
        worker.wait()
        wait_for("the scheduler to notice", lambda: self._losses() > before)

    def clear(self) -> None:
        """SIGKILL for all workers."""
        for name in list(self.workers):
            self.kill(name)

    def _losses(self) -> int:
        return self.log("scheduler").count("Remove worker")

    def _has(self, name: str) -> bool:
        assert self.workers[name].poll() is None, self.log(name)
        return "Registered to" in self.log(name)


@dataclass(frozen=True)
class Host:
    """Where a worker runs.

    Arguments:
        prefix: of a command that shall run there.
        gateway: the scheduler's address, seen from there.
    """

    prefix: tuple[str, ...] = ()
    gateway: str = "127.0.0.1"


@contextlib.contextmanager
def start_cluster(folder: Path) -> Iterator[Cluster]:
    """A scheduler on a free port, gone with its workers when the block ends."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        cluster = Cluster(folder, probe.getsockname()[1])
    folder.mkdir(parents=True, exist_ok=True)
    arguments = ["--host", "0.0.0.0", "--port", str(cluster.port), "--no-dashboard"]
    scheduler = _start([DASK, "scheduler", *arguments], folder / "scheduler.log", ROOT)
    try:
        wait_for("the scheduler", lambda: "Scheduler at" in cluster.log("scheduler"))
        yield cluster
    finally:
        for process in [*cluster.workers.values(), scheduler]:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@contextlib.contextmanager
def open_hosts(number: int) -> Iterator[list[Host]]:
    """So many hosts with a link to this one each; on this one if it forbids such."""
    with contextlib.ExitStack() as opened:
        try:
            hosts = [opened.enter_context(_namespace()) for _ in range(number)]
        except (subprocess.CalledProcessError, FileNotFoundError):
            hosts = [Host() for _ in range(number)]
        yield hosts


@contextlib.contextmanager
def _namespace() -> Iterator[Host]:
    count = next(_NUMBERS)
    name = f"lf{os.getpid()}x{count}"
    here, there = f"{name}h", f"{name}t"
    # A link of its own for each, from a range that is for tests of devices and networks.
    net = f"198.18.{os.getpid() % 256}.{4 * (count % 64)}".rpartition(".")
    gateway, address = (f"{net[0]}.{int(net[2]) + i}" for i in (1, 2))
    _ip("netns", "add", name)
    try:
        _ip("link", "add", here, "type", "veth", "peer", "name", there)
        _ip("link", "set", there, "netns", name)
        _ip("addr", "add", f"{gateway}/30", "dev", here)
        _ip("link", "set", here, "up")
        _ip("-n", name, "addr", "add", f"{address}/30", "dev", there)
        _ip("-n", name, "link", "set", there, "up")
        _ip("-n", name, "link", "set", "lo", "up")
        named = f'hostname {name} 2>/dev/null; exec "$@"'
        prefix = ("ip", "netns", "exec", name, "unshare", "--uts", "sh", "-c", named, "sh")
        subprocess.run([*prefix, "true"], check=True, capture_output=True)
        yield Host(prefix, gateway)
    finally:
        _ip("netns", "del", name)  # and its link


def _ip(*arguments: str) -> None:
    program = shutil.which("ip")
    if program is None:
        raise FileNotFoundError("ip")
    subprocess.run([program, *arguments], check=True, capture_output=True)


def _start(command: list[str], log: Path, root: Path) -> subprocess.Popen[bytes]:
    with log.open("wb") as output:
        return subprocess.Popen(
            command,
            cwd=root,
            env={**os.environ, "PYTHONPATH": str(root)},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
