"""What differs between two runs: parameters, code, versions, digests, metrics."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.artifact import Artifact
from engine.errors import DamagedObject
from engine.journal import RunRecord
from engine.recipe import Recipe
from engine.store import Store

_MOST_METRICS = 200  # of one artifact: more is a table, not a handful of metrics


@dataclass(frozen=True)
class Change:
    """One thing that differs; None stands for what one of the runs does not have."""

    name: str
    old: Any
    new: Any

    def to_json(self) -> dict[str, Any]:
        """The change as plain JSON data."""
        return {"name": self.name, "old": self.old, "new": self.new}


@dataclass
class Comparison:
    """Two runs, the first one on the left.

    Arguments:
        code: symbols by what became of them; old and new are their hashes.
        stages: symbol → the stages whose recipe names it.
        missing: slots whose recipe is gone from the store, so that their code and versions are
            unknown.
    """

    old: RunRecord
    new: RunRecord
    parameters: list[Change] = field(default_factory=list)
    code: list[Change] = field(default_factory=list)
    stages: dict[str, list[str]] = field(default_factory=dict)
    versions: list[Change] = field(default_factory=list)
    digests: list[Change] = field(default_factory=list)
    metrics: list[Change] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)

    @property
    def sections(self) -> dict[str, list[Change]]:
        """The changes by subject."""
        return {
            "parameters": self.parameters,
            "code": self.code,
            "versions": self.versions,
            "digests": self.digests,
            "metrics": self.metrics,
        }

    @property
    def equal(self) -> bool:
        """Whether nothing differs."""
        return not any(self.sections.values())

    def to_json(self) -> dict[str, Any]:
        """The comparison as plain JSON data."""
        runs = {"old": self.old.id, "new": self.new.id, "equal": self.equal}
        changes = {name: [c.to_json() for c in found] for name, found in self.sections.items()}
        return {**runs, **changes, "stages_of_symbols": self.stages, "recipes_gone": self.missing}


def compare(store: Store, old: RunRecord, new: RunRecord) -> Comparison:
    """Everything that differs between two runs."""
    result = Comparison(old, new)
    result.parameters = _changes(dict(flat(old.parameters)), dict(flat(new.parameters)))
    before, after = _recipes(store, old, result), _recipes(store, new, result)
    result.code = _changes(_merged(before, "code"), _merged(after, "code"))
    changed = {change.name for change in result.code}
    for recipe in (*before.values(), *after.values()):
        for symbol in changed & set(recipe.code):
            names = result.stages.setdefault(symbol, [])
            if recipe.stage not in names:
                names.append(recipe.stage)
    result.versions = _changes(_versions(old, before), _versions(new, after))
    result.digests = _changes(_digests(old), _digests(new))
    differing = {change.name for change in result.digests}
    result.metrics = _changes(_metrics(store, old, differing), _metrics(store, new, differing))
    return result


def _changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Change]:
    names = [*old, *(name for name in new if name not in old)]
    return [Change(n, old.get(n), new.get(n)) for n in names if old.get(n) != new.get(n)]


def flat(value: Any, place: str = "") -> Iterator[tuple[str, Any]]:
    """(dotted place, leaf) of nested dicts; a list is one leaf, and so is an empty dict."""
    if isinstance(value, Mapping) and value:
        for name, inner in value.items():
            yield from flat(inner, f"{place}.{name}" if place else str(name))
    else:
        yield place, value


def _recipes(store: Store, run: RunRecord, result: Comparison) -> dict[str, Recipe]:
    found: dict[str, Recipe] = {}
    for slot, stage in run.stages.items():
        try:
            record = store.read_record(stage.key) if stage.key else None
        except ValueError:
            record = None
        if record is not None:
            found[slot] = record.recipe
        elif stage.artifacts and slot not in result.missing:  # one that failed never had any
            result.missing.append(slot)
    return found


def _merged(recipes: Mapping[str, Recipe], part: str) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for recipe in recipes.values():
        merged.update(getattr(recipe, part))
    return merged


def _versions(run: RunRecord, recipes: Mapping[str, Recipe]) -> dict[str, Any]:
    where = {name: value for name, value in run.environment.items() if name != "command"}
    return {**_merged(recipes, "env"), **where}


def _digests(run: RunRecord) -> dict[str, str]:
    """Artifact → digest; the artifacts of repeated stages are named by their slot."""
    return {
        artifact_name(slot, stage.stage, artifact): artifact.digest
        for slot, stage in run.stages.items()
        for artifact in stage.artifacts
    }


def artifact_name(slot: str, stage: str, artifact: Artifact) -> str:
    """`fit_kmeans[k=5].centroids`: the artifact's name with its slot in the place of its stage."""
    return slot + artifact.name.removeprefix(stage)


def _metrics(store: Store, run: RunRecord, differing: set[str]) -> dict[str, Any]:
    """Numbers and short texts in the JSON artifacts that differ."""
    found: dict[str, Any] = {}
    for slot, stage in run.stages.items():
        for artifact in stage.artifacts:
            name = artifact_name(slot, stage.stage, artifact)
            if artifact.format != "json" or name not in differing:
                continue
            try:
                leaves = dict(_leaves(store.load(artifact), name))
            except DamagedObject:
                continue
            if len(leaves) <= _MOST_METRICS:
                found.update(leaves)
    return found


def _leaves(value: Any, place: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _leaves(inner, f"{place}.{name}")
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            if isinstance(inner, Mapping) and "name" in inner and "value" in inner:
                yield f"{place}: {inner['name']}", inner["value"]
            else:
                yield from _leaves(inner, f"{place}[{index}]")
    else:
        yield place, value
