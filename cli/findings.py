"""The headline results of a run: its artifact `findings`, a list of rows."""

from __future__ import annotations

from collections import Counter
from typing import Any

from cli.screen import Screen, Styled, Table
from cli.words import number
from engine import DamagedObject, Store
from engine.journal import RunRecord

_NAME = "findings"
_SHORT = 20  # rows that still are a short table
_OF_EACH_SOURCE = 2


def read_findings(record: RunRecord, store: Store) -> tuple[list[dict[str, Any]], str]:
    """The rows {name, value, unit, expected, low, high, met, source} and the sentence about them.

    The artifact is the list itself or a dict that holds it under its own name. Where a flow has
    none, or its object is damaged, there are no rows.
    """
    found = record.results.get(_NAME)
    if found is None or found.format != "json":
        return [], ""
    try:
        value = store.load(found)
    except DamagedObject:
        return [], ""
    sentence = str(value.get("sentence", "")) if isinstance(value, dict) else ""
    rows = value.get(_NAME) if isinstance(value, dict) else value
    return [row for row in rows or () if isinstance(row, dict)], sentence


def print_findings(screen: Screen, rows: list[dict[str, Any]], flow: str) -> None:
    """The rows with a sign that says whether each value lies where it was expected.

    Of a long list the first rows of each stage are shown, and all that were not met.
    """
    shown = _headlines(rows)
    expects = any(_expected(row) for row in shown)
    columns = ["", "result", "value", *(["expected"] if expects else [])]
    made = Table(columns, right=("value",), wide=("result", "expected"))
    for row in shown:
        name, value = str(row.get("name", "")), _with_unit(row.get("value"), row.get("unit"))
        made.add(_sign(row.get("met")), name, value, *([_expected(row)] if expects else []))
    screen.print_table(made)
    if len(shown) < len(rows):
        hidden = len(rows) - len(shown)
        screen.print(
            f"{hidden} more: latentflow show {flow}/{_NAME} --rows {len(rows)}", style="dim"
        )


def _headlines(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    if len(rows) <= _SHORT:
        return rows
    seen: Counter[str] = Counter()
    chosen = []
    for row in rows:
        judged = row.get("met") is not None
        seen[str(row.get("source"))] += judged
        if row.get("met") is False or (judged and seen[str(row.get("source"))] <= _OF_EACH_SOURCE):
            chosen.append(row)
    return chosen or rows[:_SHORT]


def _sign(met: Any) -> Styled:
    if met is None:
        return Styled("·", "dim")
    return Styled("✓", "green") if met else Styled("✗", "red")


def _with_unit(value: Any, unit: Any) -> str:
    text = f"{value:.4g}" if isinstance(value, float) and abs(value) < 1e4 else number(value)
    return f"{text} {unit}" if unit else text


def _expected(row: dict[str, Any]) -> str:
    expected, low, high = (row.get(key) for key in ("expected", "low", "high"))
    text = number(expected) if expected is not None else ""
    if low is None and high is None:
        return text
    if low is None:
        band = f"≤ {number(high)}"
    elif high is None:
        band = f"≥ {number(low)}"
    elif low == high:
        band = number(low)
        if band in text:
            return text
    else:
        band = f"{number(low)} … {number(high)}"
    return f"{text} ({band})" if text else band
