"""Waiting for what other processes and threads do: for a condition, never for a time."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

PATIENCE = 240.0  # seconds; nothing takes nearly as long, not even where four others compute


def wait_for(what: str, holds: Callable[[], Any], seconds: float = PATIENCE) -> Any:
    """The first true value, asked for more and more seldom; fails when there is none in time.

    An OSError counts as no: a server that is not there yet, a file that is just replaced.
    """
    deadline, pause, error = time.monotonic() + seconds, 0.01, ""
    while True:
        try:
            if value := holds():
                return value
            error = ""
        except OSError as found:
            error = f" ({found})"
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {seconds:g} s{error}")
        time.sleep(pause)
        pause = min(1.3 * pause, 0.5)
