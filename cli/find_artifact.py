"""Artifacts by the names that people type: a name, a slot, a result's name or a digest's start."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from engine import Artifact, InputError, Store
from engine.compare import artifact_name
from engine.journal import RunRecord, StageRun, list_runs, read_run
from engine.parameters import nearest

_DIGEST = re.compile(r"[0-9a-f]{6,64}")


@dataclass(frozen=True)
class Found:
    """An artifact, the run it was found in and the stage that made it (None: a file from outside)."""

    name: str
    artifact: Artifact
    run: RunRecord
    stage: StageRun | None


def find_artifacts(store: Store, name: str) -> list[Found]:
    """The artifact of that name in the newest run that has it; all outputs where a stage is named.

    Arguments:
        name: `fit_pca.loadings`, `fit_pca`, `fit_kmeans[k=5].centroids`, `findings` (a result), each
            also with `wifi/` before it; or at least 6 hex digits of a digest.

    Raises:
        InputError: nothing has that name (the nearest one is suggested), or several things have.
    """
    flow, slash, rest = name.rpartition("/")
    paths = list_runs(store, flow) if slash else list_runs(store)
    if not paths:
        of = f" of flow {flow}" if slash else ""
        raise InputError(f"there is no run{of} in {store.address}: `latentflow run FLOW` makes one")
    if _DIGEST.fullmatch(rest):
        found = _by_digest(paths, rest)
        if found:
            return found
    known: dict[str, None] = {}
    for path in paths:
        run = read_run(path)
        found = _by_name(run, rest)
        if found:
            return found
        known.update(dict.fromkeys([*run.results, *(f.name for f in _all(run))]))
    raise InputError(f"there is no artifact {name}{nearest(rest, list(known))}")


def _all(run: RunRecord) -> Iterator[Found]:
    for slot, stage in run.stages.items():
        for artifact in stage.artifacts:
            yield Found(artifact_name(slot, stage.stage, artifact), artifact, run, stage)
    for artifact in run.sources:
        yield Found(artifact.name, artifact, run, None)


def _by_name(run: RunRecord, name: str) -> list[Found]:
    everything = list(_all(run))
    exact = [f for f in everything if f.name == name]
    of_slot = [f for f in everything if f.stage is not None and f.stage.slot == name]
    if exact or of_slot:
        return exact or of_slot
    if name in run.results:
        digest = run.results[name].digest
        return [f for f in everything if f.artifact.digest == digest][:1]
    repeated = [f for f in everything if name in (f.artifact.name, f.stage and f.stage.stage)]
    if len(repeated) > 1:
        slots = sorted({f.name for f in repeated})
        some = ", ".join(slots[:6]) + (" …" if len(slots) > 6 else "")
        raise InputError(f"{name} stands for {len(slots)} artifacts of this flow: {some}")
    return repeated


def _by_digest(paths: list[Path], prefix: str) -> list[Found]:
    found: dict[str, Found] = {}
    for path in paths:
        for each in _all(read_run(path)):
            digests = (each.artifact.digest, each.artifact.sha256)
            if any(digest.startswith(prefix) for digest in digests):
                found.setdefault(each.artifact.digest, each)
    if len(found) > 1:
        some = ", ".join(f"{digest[:16]} ({f.name})" for digest, f in list(found.items())[:4])
        raise InputError(f"{len(found)} digests start with {prefix}: {some}")
    return list(found.values())
