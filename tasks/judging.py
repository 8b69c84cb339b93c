"""Numbers held against what is known of them: one form of a finding for every flow."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple


class Band(NamedTuple):
    """What a number is expected to be, in words and from `low` to `high`; None: no bound."""

    expected: str
    low: float | None
    high: float | None


def judge_value(
    name: str, value: float | None, source: str, band: Band | None = None, unit: str = ""
) -> dict[str, Any]:
    """Return one finding: name, value, unit, expected, low, high, met, source.

    Arguments:
        value: None where there is no such number; a band is then missed.
        source: the stage that computed it.
        band: met is None without one.
    """
    met = None
    if band is not None:
        met = value is not None and not (
            (band.low is not None and value < band.low)
            or (band.high is not None and value > band.high)
        )
    return {
        "name": name,
        "value": value,
        "unit": unit,
        "expected": band.expected if band else None,
        "low": band.low if band else None,
        "high": band.high if band else None,
        "met": met,
        "source": source,
    }


def conclude(findings: Sequence[dict[str, Any]], where: str) -> dict[str, Any]:
    """Count the bands that are kept.

    Arguments:
        where: what nothing is known of, if nothing is, e.g. "for this data".

    Returns:
        findings; met and checked, how many bands are kept of how many; sentence.
    """
    checked = [row for row in findings if row["met"] is not None]
    missed = [f"{row['name']} ({_show(row['value'])})" for row in checked if not row["met"]]
    kept = len(checked) - len(missed)
    sentence = f"{kept} of {len(checked)} numbers lie in their bands"
    if not checked:
        sentence = f"{len(findings)} numbers; there is nothing to compare them with {where}"
    tail = f"; outside: {', '.join(missed)}" if missed else ""
    return {
        "findings": list(findings),
        "met": kept,
        "checked": len(checked),
        "sentence": f"{sentence}{tail}.",
    }


def _show(value: float | None) -> str:
    return "none" if value is None else f"{value:,.4g}"
