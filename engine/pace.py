"""How fast a computation goes, and how long it will still take."""

from __future__ import annotations

import time

from engine.work import Progress


class Pace:
    """The latest progress of one computation, and its rate since the first.

    The first report may be of a computation that went on from a checkpoint: only what was done
    since then counts for the rate.
    """

    def __init__(self, first: Progress, now: float | None = None) -> None:
        self.latest = first
        self._first = first
        self._since = self._now = time.monotonic() if now is None else now

    def note(self, progress: Progress, now: float | None = None) -> None:
        """A later report."""
        self.latest = progress
        self._now = time.monotonic() if now is None else now

    @property
    def remaining_seconds(self) -> float | None:
        """Seconds to the end at the present rate; None while that is not known."""
        done = self.latest.done - self._first.done
        elapsed = self._now - self._since
        if done <= 0 or elapsed <= 0 or self.latest.total <= 0:
            return None
        return max(self.latest.total - self.latest.done, 0.0) * elapsed / done

    @property
    def text(self) -> str:
        """What to show beside a bar: figures, units done, time left."""
        latest = self.latest
        parts = [f"{name} {_number(value)}" for name, value in latest.figures.items()]
        if latest.total > 0:
            parts.append(f"{latest.done:,.0f} of {latest.total:,.0f} {latest.unit}s")
        left = self.remaining_seconds
        if left is not None:
            parts.append(f"{_duration(left)} left")
        return " · ".join(parts)


def _number(value: float) -> str:
    return f"{value:,.0f}" if value == round(value) and abs(value) < 1e9 else f"{value:.4g}"


def _duration(seconds: float) -> str:
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    return f"{whole // 60} min" if whole < 3600 else f"{whole // 3600} h {whole % 3600 // 60} min"
