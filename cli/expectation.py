"""How long a run will take: what is shared counts once, what never ran here is measured elsewhere."""

from __future__ import annotations

import json
import statistics
import time
from pathlib import Path
from typing import Any

from engine import Plan
from engine.artifact import Pending
from engine.call import Call

MEASURED = Path(__file__).with_name("durations.json")
_ROUNDS = 5


def share_work(plan: Plan) -> dict[str, str]:
    """Expect no seconds of a call that does what one before it does, as flows of a group have them.

    Returns:
        Such a call's slot → the slot of the one that computes it.
    """
    numbers: dict[Any, int] = {}  # what is computed, from what → its number
    of_slot: dict[str, int] = {}
    first: dict[int, str] = {}
    shared = {}
    for call in plan.calls:
        part = _part_of(call.slot)
        inputs = [
            (place, of_slot.get(f"{part}{handle.slot}", call.slot), handle.name)
            if isinstance(handle, Pending)
            else (place, handle.digest, "")
            for place, handle in call.handles()
        ]
        params = json.dumps(call.bound.params, sort_keys=True, default=repr)
        number = numbers.setdefault((call.stage.name, params, tuple(inputs)), len(numbers))
        of_slot[call.slot] = number
        if call in plan.stale and first.setdefault(number, call.slot) != call.slot:
            shared[call.slot] = first[number]
            call.expected = 0.0
    return shared


def _part_of(slot: str) -> str:
    """The part of a group to which a slot belongs, `wifi/`; empty in a flow of its own."""
    part, slash, _ = slot.partition("[")[0].rpartition("/")
    return part + slash


def probe_machine() -> float:
    """Seconds that this machine takes for a little of what stages do: matrices, sorting, copying."""
    import numpy as np

    rng = np.random.default_rng(0)
    matrix = rng.random((600, 600), np.float32)
    numbers = rng.random(300_000, np.float32)
    taken = []
    for _ in range(_ROUNDS):
        started = time.perf_counter()
        for _ in range(4):
            _ = matrix @ matrix
        _ = np.sort(numbers)
        _ = numbers.copy() * 2.0
        taken.append(time.perf_counter() - started)
    return statistics.median(taken)


def estimate_missing(plan: Plan, preset: str) -> int:
    """Give each stale call that never ran here the seconds it took elsewhere.

    Arguments:
        preset: the one whose durations come nearest.

    Returns:
        How many calls are judged this way; the others ran here before, or are not known at all.
    """
    unknown = [call for call in plan.stale if call.expected is None]
    if not unknown:
        return 0
    try:
        measured = json.loads(MEASURED.read_text())
        found = [(call, _seconds(measured["seconds"], plan.flow, preset, call)) for call in unknown]
        judged = [(call, seconds) for call, seconds in found if seconds is not None]
        scale = probe_machine() / float(measured["probe_seconds"]) if judged else 1.0
    except (OSError, ValueError, KeyError, TypeError, AttributeError, ZeroDivisionError):
        return 0  # an estimate is no reason to fail
    for call, seconds in judged:
        call.expected = seconds * scale
    return len(judged)


def _seconds(measured: dict[str, Any], flow: str, preset: str, call: Call) -> float | None:
    """Mean seconds of the call's stage in its flow, in this preset or else in any."""
    presets = measured.get(_part_of(call.slot).removesuffix("/") or flow, {})
    for known in (presets.get(preset, {}), *presets.values()):
        if call.stage.name in known:
            return float(known[call.stage.name])
    return None
