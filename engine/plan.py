"""Plans: what would run, why, and how long it took last time. Nothing is computed."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.artifact import Artifact
from engine.call import Call
from engine.environment import usable_cores
from engine.outcome import Outcome


@dataclass
class Plan:
    """The calls of a flow in order, each with its outcome and reasons.

    Arguments:
        results: the flow's named results, as far as they are known.
        sources: sha256 → handle and path of the files from outside that it reads.
    """

    flow: str
    calls: list[Call] = field(default_factory=list)
    results: dict[str, Any] = field(default_factory=dict)
    sources: dict[str, tuple[Artifact, Path]] = field(default_factory=dict)

    @property
    def stale(self) -> list[Call]:
        """The calls that would, or may, run."""
        return [c for c in self.calls if c.outcome in (Outcome.RUN, Outcome.UNKNOWN)]

    @property
    def fresh(self) -> bool:
        """Whether nothing would run."""
        return not self.stale

    @property
    def expected_seconds(self) -> float:
        """Sum of the stale calls' last recorded durations; calls that never ran count as 0.

        Calls of a mapped stage that run side by side share the processors.
        """
        total = 0.0
        for _, calls in itertools.groupby(self.stale, lambda call: call.stage.name):
            group = list(calls)
            beside = min(len(group), usable_cores()) if group[0].stage.options.parallel else 1
            total += sum(call.expected or 0.0 for call in group) / beside
        return total

    @property
    def without_estimate(self) -> int:
        """How many stale calls never ran, so that nothing is known of their duration."""
        return sum(1 for call in self.stale if call.expected is None)

    def needed_for(self, stages: tuple[str, ...]) -> frozenset[str]:
        """The slots of these stages and of everything they are made from."""
        makers: dict[str, list[Call]] = {}  # several, where stages made the same bytes
        for call in self.calls:
            for artifact in call.artifacts:
                makers.setdefault(artifact.sha256, []).append(call)
        slots = {c.slot: c for c in self.calls}
        wanted = [c for c in self.calls if {c.stage.name, c.slot} & set(stages)]
        found: set[str] = set()
        while wanted:
            call = wanted.pop()
            if call.slot in found:
                continue
            found.add(call.slot)
            for _, handle in call.handles():
                if isinstance(handle, Artifact):
                    wanted += makers.get(handle.sha256, [])
                elif handle.slot in slots:
                    wanted.append(slots[handle.slot])
        return frozenset(found)

    def to_json(self) -> dict[str, Any]:
        """The plan as plain JSON data."""
        return {
            "flow": self.flow,
            "fresh": self.fresh,
            "expected_seconds": round(self.expected_seconds, 3),
            "stages": [
                {
                    "slot": c.slot,
                    "stage": c.stage.name,
                    "key": c.key,
                    "outcome": c.outcome.word,
                    "reasons": [r.to_json() for r in c.reasons],
                    "expected_seconds": c.expected,
                }
                for c in self.calls
            ],
        }
