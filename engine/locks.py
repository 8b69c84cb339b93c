"""Locks on `flock`: the kernel frees them when their holder dies, whatever killed it.

Correctness never depends on them (objects and records are published atomically); they keep two
runs from computing one stage twice, and tell the one that waits whom it waits for.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import logging
import os
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from engine.errors import StoreError

log = logging.getLogger(__name__)

_REMIND_SECONDS = 30.0

Tell = Callable[[str], None]


def whoami(run: str = "") -> dict[str, Any]:
    """Who holds a lock: run, process, host and since when."""
    return {"run": run, "pid": os.getpid(), "host": socket.gethostname(), "since": time.time()}


class FileLock:
    """An exclusive lock on one file, for threads and processes of one machine.

    Arguments:
        path: the lock's file; it stays behind, empty, so that no two lock different inodes.
        run: the id of the run that asks, shown to whoever waits.
    """

    poll_seconds = 0.05

    def __init__(self, path: Path, run: str = "") -> None:
        self.path = path
        self.run = run
        self._fd: int | None = None

    def try_acquire(self) -> bool:
        """Take the lock if it is free; raises StoreError where none can be made."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise StoreError.because(self.path.parent.parent, error) from error
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(fd)
            return False
        except BaseException:
            os.close(fd)
            raise
        with contextlib.suppress(OSError):  # a full disk must not keep a run from locking
            os.ftruncate(fd, 0)
            os.pwrite(fd, json.dumps(whoami(self.run)).encode(), 0)
        self._fd = fd
        return True

    def acquire(
        self,
        timeout: float | None = None,
        on_wait: Tell = log.info,
    ) -> bool:
        """Take the lock, waiting for its holder; False when `timeout` seconds have passed.

        `on_wait` is told at once and every 30 s whom this run waits for.
        """
        start = time.monotonic()
        told = -_REMIND_SECONDS
        while not self.try_acquire():
            waited = time.monotonic() - start
            if timeout is not None and waited >= timeout:
                return False
            if waited - told >= _REMIND_SECONDS:
                told = waited
                on_wait(f"waiting for {self.holder()}: it holds {self.path.stem}")
            time.sleep(self.poll_seconds)
        return True

    def release(self) -> None:
        """Free the lock; releasing a free one does nothing."""
        fd, self._fd = self._fd, None
        if fd is not None:
            with contextlib.suppress(OSError):
                os.ftruncate(fd, 0)
            # Closing is not enough where a child was forked that has the file open too.
            fcntl.flock(fd, fcntl.LOCK_UN)
            os.close(fd)

    @property
    def held(self) -> bool:
        """Whether this object holds the lock."""
        return self._fd is not None

    def is_locked(self) -> bool:
        """Whether anyone holds the lock now."""
        return self.held or is_held(self.path)

    def holder(self) -> str:
        """The holder in words, e.g. `run 20260102-… (pid 4242 on box, 3 min)`."""
        try:
            return in_words(json.loads(self.path.read_text("utf-8")))
        except (OSError, ValueError, KeyError, TypeError):
            return "another process"

    @contextlib.contextmanager
    def hold(self, on_wait: Tell = log.info) -> Iterator[None]:
        """Hold the lock for the length of a `with` block."""
        self.acquire(on_wait=on_wait)
        try:
            yield
        finally:
            self.release()


def is_held(path: Path) -> bool:
    """Whether a process of this machine holds a lock on the file."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(fd)
    return False


def in_words(who: Any) -> str:
    """What `whoami` wrote, as `FileLock.holder` says it; raises on garbage."""
    age = max(0.0, time.time() - float(who["since"]))
    span = f"{age:.0f} s" if age < 90 else f"{age / 60:.0f} min"
    name = f"run {who['run']}" if who["run"] else "another process"
    return f"{name} (pid {who['pid']} on {who['host']}, {span})"


@contextlib.contextmanager
def shared(path: Path) -> Iterator[None]:
    """Keep the garbage collector, and only it, out for the length of a `with` block.

    A store that cannot be written has no collector either: then nothing is locked.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError:
        yield
        return
    try:
        fcntl.flock(fd, fcntl.LOCK_SH)
        yield
    finally:
        os.close(fd)
