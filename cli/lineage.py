"""Provenance: what an artifact was made from, back to the raw data."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from engine import Artifact, Recipe, Store
from engine.compare import artifact_name
from engine.graph import find_makers
from engine.journal import RunRecord, StageRun

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
    """The tree of what an artifact of a run was made from; edges follow the digests."""
    makers = find_makers(run)
    sources = {source.digest: source for source in run.sources}
    seen: set[str] = set()

    def grow(digest: str, place: str, maker: StageRun | None) -> Node:
        if maker is None:
            source = sources.get(digest)
            name = source.name if source else "unknown"
            note = "  file from outside" if source else "  made by another run"
            return Node(name, digest, place, note)
        made = next(each for each in maker.artifacts if each.digest == digest)
        name = artifact_name(maker.slot, maker.stage, made)
        if maker.slot in seen:
            more = "  (see above)" if maker.inputs else ""
            return Node(name, digest, place, more)
        seen.add(maker.slot)
        node = Node(name, digest, place, _parameters(_recipe(store, maker)))
        for inner, by in makers[maker.slot].items():
            node.inputs += [grow(maker.inputs[inner], inner, each) for each in by]
        return node

    return grow(artifact.digest, "", stage)


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
