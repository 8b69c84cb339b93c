"""Numbers and other values as a reader wants to see them."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

_DIGITS = 4
_MINUS, _NOTHING = "−", "–"


def is_number(value: Any) -> bool:
    """Whether a value is a number and no yes or no."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def show(value: Any) -> str:
    """A single value: numbers to four significant digits, nothing as a dash."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return _NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if is_number(value):
        text = show_column([value])[0]
        return text.rstrip("0").rstrip(".") if "." in text and "e" not in text else text
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)


def show_exact(value: Any) -> str:
    """A parameter: every digit of a number, so that two which differ look different."""
    return repr(value) if is_number(value) else show(value)


def show_column(values: Sequence[Any]) -> list[str]:
    """The values of one column with decimals that suit all of them.

    Whole numbers stay whole; else the largest gets four significant digits, and what would round
    to zero beside it gets an exponent.
    """
    numbers = [v for v in values if is_number(v) and math.isfinite(v)]
    if all(float(v).is_integer() for v in numbers):
        decimals = 0
    else:
        top = max(abs(v) for v in numbers)
        decimals = min(6, max(0, _DIGITS - 1 - math.floor(math.log10(top))))
    return [_show_number(v, decimals) if is_number(v) else show(v) for v in values]


def _show_number(value: float, decimals: int) -> str:
    if not math.isfinite(value):
        return _NOTHING if math.isnan(value) else ("∞" if value > 0 else f"{_MINUS}∞")
    text = f"{value:.{decimals}f}"
    if value and not float(text):
        text = f"{value:.1e}"
    elif abs(value) >= 1000:
        text = f"{value:,.{decimals}f}"
    return text.replace("-", _MINUS)


def show_seconds(seconds: float) -> str:
    """A duration: `0.42 s`, `12 s`, `3 min 20 s`, `2 h 10 min`."""
    if seconds < 10:
        return f"{seconds:.2f} s"
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
