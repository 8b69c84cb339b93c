"""Seconds beside a table's rows: an artifact must not hold them, the run's records do."""

from __future__ import annotations

import re
import statistics
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from engine.journal import RunRecord

if TYPE_CHECKING:
    import pandas as pd

_PART = re.compile(r"\{(\w+)\}|\*")


def add_seconds(table: pd.DataFrame, slots: str, record: RunRecord) -> pd.DataFrame:
    """The table with one more column: the median wall time of the calls that a row stands for.

    Arguments:
        slots: the rows' calls; `{name}` is the row's value of that column, `*` is anything:
            `fit_kmeans[k={clusters},seed=*]`.

    Returns:
        A copy with a column `seconds` behind those named in `slots`, float64; NaN where no call
        fits a row.
    """
    stage = slots.partition("[")[0]
    calls = {call.slot: call.seconds for call in record.stages.values() if call.stage == stage}
    seconds = []
    for row in table.to_dict("records"):
        fits = re.compile("".join(_regex(slots, row))).fullmatch
        found = [took for slot, took in calls.items() if fits(slot)]
        seconds.append(statistics.median(found) if found else float("nan"))
    timed = table.copy()
    columns = list(table.columns)
    named = [columns.index(part[1]) for part in _PART.finditer(slots) if part[1]]
    timed.insert(max(named, default=-1) + 1, "seconds", seconds)
    return timed


def _regex(slots: str, row: Mapping[Any, Any]) -> Iterator[str]:
    end = 0
    for part in _PART.finditer(slots):
        yield re.escape(slots[end : part.start()])
        yield re.escape(str(row[part[1]])) if part[1] else ".*"
        end = part.end()
    yield re.escape(slots[end:])
