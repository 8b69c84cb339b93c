"""Provenance: what an artifact was made from, back to the raw data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from engine import Artifact, Recipe, Store
from engine.compare import artifact_name
from engine.graph import find_makers
from engine.journal import RunRecord, StageRun, read_run

_SHOWN_PARAMETERS = 4


@dataclass
class Node:
    """One artifact of the tree.

    Arguments:
        place: the input of the stage above that it went into; empty for the root.
        note: the parameters of the stage that made it, in words.
        inputs: what it was made from; empty where the same artifact stands in the tree already.
    """

    name: str
    digest: str
    place: str = ""
    note: str = ""
    inputs: list[Node] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """The tree as plain JSON data."""
        return {
            "name": self.name,
            "digest": self.digest,
            "place": self.place,
            "inputs": [node.to_json() for node in self.inputs],
        }


def trace(store: Store, run: RunRecord, artifact: Artifact, stage: StageRun | None) -> Node:
    """The tree of what an artifact of a run was made from; edges follow the digests.

    Where a group's stage took what one of its flows made, the tree goes on in that flow's run.
    """
    paths = [store.runs / name / f"{about.get('run')}.jsonl" for name, about in run.parts.items()]
    parts = [_Tree(store, read_run(path), f"{path.parent.name}/") for path in paths]
    return _Tree(store, run, parts=parts).grow(artifact.digest, "", stage)


class _Tree:
    """Grows the nodes of one run.

    Arguments:
        prefix: stands before the name of each node.
        parts: the trees of runs in which to look for what no stage of this one made.
    """

    def __init__(
        self, store: Store, run: RunRecord, prefix: str = "", parts: Sequence[_Tree] = ()
    ) -> None:
        self._store = store
        self._prefix = prefix
        self._parts = parts
        self._makers = find_makers(run)
        self._sources = {source.digest: source for source in run.sources}
        self._made = {a.digest: call for call in run.stages.values() for a in call.artifacts}
        self._seen: set[str] = set()

    def grow(self, digest: str, place: str, maker: StageRun | None) -> Node:
        """The node of an artifact that this call made; None: nobody in this run."""
        if maker is None:
            return self._from_elsewhere(digest, place)
        made = next(each for each in maker.artifacts if each.digest == digest)
        name = f"{self._prefix}{artifact_name(maker.slot, maker.stage, made)}"
        if maker.slot in self._seen:
            return Node(name, digest, place, "  (see above)" if maker.inputs else "")
        self._seen.add(maker.slot)
        node = Node(name, digest, place, _parameters(_recipe(self._store, maker)))
        for inner, by in self._makers[maker.slot].items():
            node.inputs += [self.grow(maker.inputs[inner], inner, each) for each in by]
        return node

    def _from_elsewhere(self, digest: str, place: str) -> Node:
        for part in self._parts:
            if digest in part._made:
                return part.grow(digest, place, part._made[digest])
        source = self._sources.get(digest)
        note = "  file from outside" if source else "  made by another run"
        return Node(source.name if source else "unknown", digest, place, note)


def _recipe(store: Store, stage: StageRun) -> Recipe | None:
    try:
        record = store.read_record(stage.key)
    except ValueError:
        return None
    return record.recipe if record else None


def _parameters(recipe: Recipe | None) -> str:
    if recipe is None or not recipe.params:
        return ""
    texts = [f"{name}={_short(value)}" for name, value in recipe.params.items()]
    more = " …" if len(texts) > _SHOWN_PARAMETERS else ""
    return f"  {', '.join(texts[:_SHOWN_PARAMETERS])}{more}"


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 24 else text[:21] + "…"
