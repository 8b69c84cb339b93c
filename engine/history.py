"""What earlier runs made of a flow's stages: why a call is stale, and how long it took last time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from engine.artifact import Artifact, Pending, walk
from engine.call import Call
from engine.journal import StageRun
from engine.outcome import Cause, Reason
from engine.recipe import Recipe, explain
from engine.stage import Bound
from engine.store import Store


class History:
    """Slot → what the newest run that finished this stage made of it.

    Arguments:
        previous: as `engine.journal.previous_stages` gives it.
    """

    def __init__(self, store: Store, previous: Mapping[str, StageRun]) -> None:
        self._store = store
        self._previous = previous

    def seconds(self, call: Call) -> float | None:
        """How long the call took last time, None if it never ran."""
        before = self._previous.get(call.slot)
        return before.seconds if before else None

    def same_bytes(self, call: Call, artifacts: Sequence[Artifact]) -> bool:
        """Whether the call made these very contents last time."""
        before = self._previous.get(call.slot)
        return before is not None and [a.digest for a in before.artifacts] == [
            a.digest for a in artifacts
        ]

    def why(self, call: Call) -> list[Reason]:
        """Why a call whose recipe is known has no record."""
        assert call.recipe is not None
        before = self._previous.get(call.slot)
        if before is None:
            return [Reason(Cause.FIRST)]
        old = None if before.key == call.key else self._recipe(before)
        return explain(old, call.recipe) if old else [Reason(Cause.FORGOTTEN)]

    def why_for_sure(self, call: Call) -> list[Reason]:
        """Why a call runs whatever its unknown inputs turn out to be; empty if that is not sure."""
        before = self._previous.get(call.slot)
        if before is None:
            return [Reason(Cause.FIRST)]
        old = self._recipe(before)
        if old is None:
            return [Reason(Cause.FORGOTTEN)]
        known = {
            name: value
            for name, value in call.bound.inputs.items()
            if not any(isinstance(handle, Pending) for _, handle in walk(value))
        }
        part = call.stage.recipe(Bound(known, call.bound.params))
        return [reason for reason in explain(old, part) if reason.cause is not Cause.INPUT]

    def _recipe(self, before: StageRun) -> Recipe | None:
        try:
            record = self._store.read_record(before.key)
        except ValueError:
            return None
        return record.recipe if record else None
