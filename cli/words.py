"""Numbers in words: seconds, bytes, counts and dates as a person reads them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def seconds(value: float) -> str:
    """A duration: `0.34 s`, `12.3 s`, `3 min 05 s`, `2 h 10 min`."""
    if value < 1:
        return f"{value:.2f} s"
    if value < _MINUTE - 0.05:
        return f"{value:.1f} s"
    whole = round(value)
    if whole < _HOUR:
        return f"{whole // _MINUTE} min {whole % _MINUTE:02d} s"
    minutes = round(value / _MINUTE)
    return f"{minutes // 60} h {minutes % 60:02d} min"


def size(count: int) -> str:
    """Bytes in decimal units: `512 B`, `62.0 kB`, `1.3 GB`."""
    if count < 1000:
        return f"{count} B"
    value = float(count)
    for unit in ("kB", "MB", "GB", "TB"):
        value /= 1000
        if value < 999.95 or unit == "TB":
            break
    return f"{value:.1f} {unit}"


def number(value: Any) -> str:
    """A metric or a parameter: six significant digits, `yes` and `no`, `–` for nothing."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.6g}"
    return str(value)


def plural(count: int, noun: str) -> str:
    """`1 stage`, `2 stages`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def when(started: str, now: datetime | None = None) -> str:
    """How long ago an ISO 8601 date was: `just now`, `5 min ago`, `3 h ago`, `2 days ago`."""
    try:
        past = datetime.fromisoformat(started)
    except ValueError:
        return started or "–"
    age = ((now or datetime.now(UTC)) - past).total_seconds()
    if age < _MINUTE:
        return "just now"
    if age < _HOUR:
        return f"{age / _MINUTE:.0f} min ago"
    if age < _DAY:
        return f"{age / _HOUR:.0f} h ago"
    return f"{plural(round(age / _DAY), 'day')} ago"


def outcomes(counts: Mapping[str, int]) -> str:
    """`17 ran · 20 cached · 1 unchanged`, always in this order."""
    order = ("ran", "unchanged", "cached", "run", "unknown", "skipped", "failed")
    parts = [f"{counts[word]} {word}" for word in order if counts.get(word)]
    return " · ".join(parts) or "no stages"
