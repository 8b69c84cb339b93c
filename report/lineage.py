"""Where results come from: the stages of a run, grouped, linked by digests, with their recipes."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.artifact import Artifact
from engine.graph import Node, find_makers
from engine.journal import RunRecord, StageRun
from engine.outcome import Outcome
from engine.record import Record
from engine.store import Store

log = logging.getLogger(__name__)


@dataclass
class Group(Node):
    """All calls of one stage at one depth: one box in the graph, one entry on the page.

    Arguments:
        id: the entry's address on the page.
        depth: the longest way from the raw data, in stages.
    """

    id: str = ""
    depth: int = 0
    parents: list[Group] = field(default_factory=list)

    @property
    def outcomes(self) -> list[tuple[Outcome, int]]:
        """Each outcome of its calls and how many have it, the loudest first."""
        counts = {o: sum(c.outcome is o for c in self.calls) for o in Outcome}
        return sorted(
            ((o, n) for o, n in counts.items() if n), key=lambda pair: pair[0] is not self.outcome
        )


@dataclass(frozen=True)
class Input:
    """One input of a call: its place among the arguments, its digest, and who made it."""

    place: str
    digest: str
    maker: StageRun | None


@dataclass(frozen=True)
class Elsewhere:
    """A stage of another run, whose result this one took: its flow, its slot, the page that tells of it."""

    flow: str
    slot: str
    page: str


class Lineage:
    """The calls of a run and how they follow from each other.

    Edges come from the journal alone: a call's input has the digest of another call's artifact.

    Arguments:
        page: the page that holds the groups' entries, as the page that is being made links to it;
            nothing where it is the same one.
        elsewhere: digest → who made what no stage of this run did; its pages are named from the
            site's root, to which `root` leads from the page that is being made.
    """

    def __init__(self, record: RunRecord, store: Store, page: str = "") -> None:
        self.record = record
        self.page = page
        self.root = ""
        self.elsewhere: Mapping[str, Elsewhere] = {}
        self._store = store
        self._inputs: dict[str, list[Input]] = {}
        self._depths: dict[str, int] = {}
        self._records: dict[str, Record | None] = {}
        made_by = find_makers(record)
        for call in record.stages.values():
            self._inputs[call.slot] = [
                Input(place, call.inputs[place], maker)
                for place, makers in made_by[call.slot].items()
                for maker in makers
            ]
            depths = [self._depths[i.maker.slot] for i in self._inputs[call.slot] if i.maker]
            self._depths[call.slot] = 1 + max(depths, default=-1)
        self.groups = self._group()
        self._group_of = {call.slot: group for group in self.groups for call in group.calls}
        for group in self.groups:
            makers = [i.maker for call in group.calls for i in self._inputs[call.slot] if i.maker]
            group.parents = list({(g := self._group_of[m.slot]).id: g for m in makers}.values())

    def _group(self) -> list[Group]:
        groups: dict[tuple[str, int], Group] = {}
        for call in self.record.stages.values():
            key = call.stage, self._depths[call.slot]
            if key not in groups:
                again = sum(stage == call.stage for stage, _ in groups)
                name = f"stage-{call.stage}" + (f"-{again + 1}" if again else "")
                groups[key] = Group(call.stage, id=name, depth=key[1])
            groups[key].calls.append(call)
        return sorted(groups.values(), key=lambda group: group.depth)

    def href(self, group: Group) -> str:
        """The address of a group's entry."""
        return f"{self.page}#{group.id}"

    def href_elsewhere(self, maker: Elsewhere) -> str | None:
        """The address of what tells of a stage of another run."""
        return f"{self.root}{maker.page}" if maker.page else None

    def inputs(self, call: StageRun) -> list[Input]:
        """The call's inputs, those from outside with no maker."""
        return self._inputs[call.slot]

    def group_of(self, call: StageRun) -> Group:
        """The group that the call belongs to."""
        return self._group_of[call.slot]

    def maker_of(self, artifact: Artifact) -> StageRun | None:
        """The call that made this artifact."""
        for call in self.record.stages.values():
            if any(a.sha256 == artifact.sha256 and a.name == artifact.name for a in call.artifacts):
                return call
        return None

    def ancestors(self, call: StageRun) -> list[Group]:
        """Everything that the call's result was made from, the raw data first."""
        found: dict[str, Group] = {}
        todo = [call]
        seen = {call.slot}
        while todo:
            for given in self._inputs[todo.pop().slot]:
                if given.maker and given.maker.slot not in seen:
                    seen.add(given.maker.slot)
                    todo.append(given.maker)
                    group = self._group_of[given.maker.slot]
                    found[group.id] = group
        return sorted(found.values(), key=lambda group: (group.depth, group.stage))

    def read(self, call: StageRun) -> Record | None:
        """The call's record; None where it is damaged or gone."""
        if call.key not in self._records:
            try:
                self._records[call.key] = self._store.read_record(call.key) if call.key else None
            except ValueError as error:
                log.warning("record %s: %s", call.key, error)
                self._records[call.key] = None
        return self._records[call.key]

    def versions(self) -> Mapping[str, str]:
        """Distribution → version that any stage's recipe names."""
        found: dict[str, Any] = {}
        for call in self.record.stages.values():
            record = self.read(call)
            found |= dict(record.recipe.env) if record else {}
        return {name: found[name] or "not installed" for name in sorted(found)}
