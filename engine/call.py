"""Calls: one use of a stage in a flow, and which of them a user asks for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from engine.artifact import Artifact, Pending, walk
from engine.journal import StageRun
from engine.outcome import Outcome, Reason
from engine.recipe import Recipe
from engine.stage import Bound, Stage


@dataclass(frozen=True)
class Selection:
    """Which stages of a flow to run.

    Arguments:
        refresh: stages that are computed even if their result is there.
        since: stages that are computed again together with everything after them (`--from`).
        until: stages after which the flow stops; only what they need is run.
        deep: prove the content of every cached object before it counts as there.
    """

    refresh: tuple[str, ...] = ()
    since: tuple[str, ...] = ()
    until: tuple[str, ...] = ()
    deep: bool = False


@dataclass
class Call:
    """One call of a stage in a session."""

    slot: str
    stage: Stage[Any, Any]
    bound: Bound
    recipe: Recipe | None = None
    outcome: Outcome = Outcome.UNKNOWN
    reasons: list[Reason] = field(default_factory=list)
    seconds: float = 0.0
    expected: float | None = None
    artifacts: tuple[Artifact, ...] = ()
    force: bool = False

    @property
    def key(self) -> str:
        """The recipe's key, or empty while an input is unknown."""
        return self.recipe.key if self.recipe else ""

    def handles(self) -> Iterator[tuple[str, Artifact | Pending]]:
        """Place and handle of each input."""
        for name, value in self.bound.inputs.items():
            yield from walk(value, name)

    @property
    def inputs(self) -> dict[str, str]:
        """Place → digest of the inputs that are known."""
        return {place: h.digest for place, h in self.handles() if isinstance(h, Artifact)}

    def to_run(self, error: str = "") -> StageRun:
        """The call as a line of the journal."""
        return StageRun(
            slot=self.slot,
            stage=self.stage.name,
            key=self.key,
            outcome=self.outcome,
            reasons=self.reasons,
            seconds=self.seconds,
            artifacts=list(self.artifacts),
            inputs=self.inputs,
            error=error,
        )
