"""Ending a run that may have threads in the middle of a stage: soon, and with everything kept whole."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable
from typing import Any, NoReturn

_GRACE_SECONDS = 3.0


class Interrupts(contextlib.AbstractContextManager["Interrupts"]):
    """Turns Ctrl-C into a KeyboardInterrupt, and into the end of the process if that takes long.

    Arguments:
        told: is called at once.
        end: is called, on a thread of its own, when the grace is over; it does not return.

    `last_acts` are called before `end`.
    """

    def __init__(self, told: Callable[[], None], end: Callable[[], NoReturn]) -> None:
        self.told = told
        self.end = end
        self.last_acts: list[Callable[[], None]] = []
        self._before: Any = None

    def __enter__(self) -> Interrupts:
        if threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGINT, self._interrupt)
        return self

    def __exit__(self, *error: object) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)

    def _interrupt(self, number: int, frame: Any) -> NoReturn:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # a second Ctrl-C ends the process at once
        self.told()
        limit = threading.Timer(_GRACE_SECONDS, self._force)
        limit.daemon = True
        limit.start()
        raise KeyboardInterrupt

    def _force(self) -> None:
        for act in self.last_acts:
            with contextlib.suppress(Exception):
                act()
        self.end()


_leaving = threading.Event()


def leave_at_once() -> None:
    """Let the process, once it ends, wait for no thread and send nothing more."""
    _leaving.set()


def leave(code: int) -> NoReturn:
    """End the process, at once if `leave_at_once` was called."""
    if _leaving.is_set():
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    raise SystemExit(code)


def end_now(code: int) -> NoReturn:
    """Exit; stages still busy in threads are not waited for: what they publish is whole or absent."""
    busy = [t for t in threading.enumerate() if t is not threading.main_thread() and not t.daemon]
    if busy or threading.current_thread() is not threading.main_thread():
        if sys.stdout.isatty():
            print("\x1b[?25h", end="")  # a live display may have hidden the cursor
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    raise SystemExit(code)
