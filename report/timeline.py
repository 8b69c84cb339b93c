"""When each stage of a run was computed: one row a stage, one bar a call."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

from report.lineage import Group, Lineage
from report.values import show_seconds

_COMPUTED = {"ran", "unchanged", "failed"}
_NARROWEST = 0.15  # percent of the width: a bar that can be seen
_TICKS = 6
_STEPS = [
    *(factor * 10.0**power for power in range(-4, 1) for factor in (1, 2, 5)),
    *(10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400, 36000, 72000),
]


@dataclass(frozen=True)
class Bar:
    """One call: where it begins and how long it is, in percent of the run."""

    left: float
    width: float
    outcome: str
    title: str


@dataclass(frozen=True)
class Row:
    """The calls of a stage that were computed."""

    group: Group
    bars: list[Bar]
    seconds: float


@dataclass(frozen=True)
class Timeline:
    """All rows, the scale in percent and words, and what there is to see, in a sentence."""

    rows: list[Row] = field(default_factory=list)
    ticks: list[tuple[float, str]] = field(default_factory=list)
    finding: str = ""


def draw_timeline(lineage: Lineage) -> Timeline:
    """The timeline of a run; without rows where nothing was computed or no time was noted."""
    rows = [row for group in lineage.groups if (row := _row(lineage, group))]
    if not rows:
        return Timeline()
    rows.sort(key=lambda row: row.bars[0].left)
    return Timeline(rows, list(_ticks(_total(lineage))), _finding(lineage, rows))


def _total(lineage: Lineage) -> float:
    """Seconds from the run's start to the end of its last stage."""
    ended = [call.ended for call in lineage.record.stages.values() if call.ended is not None]
    return max([lineage.record.seconds, *ended, 1e-3])


def _row(lineage: Lineage, group: Group) -> Row | None:
    total = _total(lineage)
    bars = []
    calls = [c for c in group.calls if c.ended is not None and c.outcome.word in _COMPUTED]
    for call in calls:
        start = max(0.0, (call.ended or 0.0) - call.seconds)
        left = min(100 * start / total, 100 - _NARROWEST)
        width = min(max(100 * call.seconds / total, _NARROWEST), 100 - left)
        title = f"{call.slot}: {show_seconds(call.seconds)} from {show_seconds(start)} on"
        bars.append(Bar(left, width, call.outcome.word, title))
    bars.sort(key=lambda bar: bar.left)
    return Row(group, bars, sum(call.seconds for call in calls)) if bars else None


def _ticks(total: float) -> Iterator[tuple[float, str]]:
    """Round times, at most so many: 0.5 s, 20 s, 5 min, 2 h."""
    step = next((s for s in _STEPS if total / s <= _TICKS), total / _TICKS)
    unit, name = (3600, "h") if step >= 3600 else (60, "min") if step >= 60 else (1, "s")
    for number in range(math.floor(total / step) + 1):
        at = number * step
        if at < 0.97 * total:
            yield 100 * at / total, f"{at / unit:.4g} {name}"


def _finding(lineage: Lineage, rows: list[Row]) -> str:
    calls = sum(len(row.bars) for row in rows)
    seconds = sum(row.seconds for row in rows)
    longest = sorted(rows, key=lambda row: -row.seconds)[:3]
    shares = [(row, 100 * row.seconds / max(seconds, 1e-9)) for row in longest]
    most = ", ".join(
        f"{row.group.stage} {show_seconds(row.seconds)} ({share:.0f} %)"
        for row, share in shares
        if share >= 1 or row is longest[0]
    )
    return (
        f"{calls} of {len(lineage.record.stages)} calls were computed, in {show_seconds(seconds)} of "
        f"work within {show_seconds(lineage.record.seconds)}; most of it: {most}."
    )
