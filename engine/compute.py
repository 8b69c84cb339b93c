"""Computing one stage: load its inputs, call it, publish what it returns."""

from __future__ import annotations

import logging
import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from engine.artifact import Artifact, replace_handles
from engine.environment import processor_flags, usable_cores
from engine.errors import NOT_WORTH_RETRYING, DamagedObject, LatentflowError, StageError
from engine.outcome import Cause, Reason
from engine.recipe import Recipe
from engine.record import Record
from engine.stage import Bound, Stage
from engine.store import Store
from engine.work import Work

log = logging.getLogger(__name__)


def look_up(
    store: Store, key: str, names: tuple[str, ...], deep: bool = False
) -> tuple[Record | None, list[Reason]]:
    """The sound record with this key, or None and what is wrong with it.

    Arguments:
        names: the artifacts that the stage makes.
        deep: prove the content of every object, not only presence and size.
    """
    try:
        record = store.read_record(key)
    except ValueError as error:
        return None, [Reason(Cause.RECORD, f"damaged ({error})")]
    if record is None:
        return None, []
    if tuple(a.name for a in record.artifacts) != names:
        return None, [Reason(Cause.RECORD, "of other outputs")]
    faults = [(a, store.fault(a, deep)) for a in record.artifacts]
    reasons = [Reason(Cause.OBJECT, a.name, new=fault) for a, fault in faults if fault]
    return (None, reasons) if reasons else (record, [])


def compute(
    store: Store,
    stage: Stage[Any, Any],
    recipe: Recipe,
    bound: Bound,
    attempts: int,
    slot: str,
    work: Work | None = None,
) -> Record:
    """Run a stage's function on loaded inputs and publish its outputs and its record.

    Arguments:
        attempts: how often the function may be called until it succeeds.
        slot: the name of this call, for errors and log lines.
        work: what the function sees of its computation; its checkpoints go once the record is
            there.

    Raises:
        DamagedObject: an input's object is not what its handle says.
        InputError: the function refused what it was given; it is not called again.
        StageError: the function raised, or returned what cannot be stored.
        StageTimeout: it took longer than its timeout.
        StoreError: the store cannot be written.
    """
    options = stage.options
    work = work or Work(key=recipe.key)
    for attempt in range(1, attempts + 1):
        started = time.perf_counter()
        try:
            with work.active():
                if options.timeout is not None or options.own_process:
                    from engine.isolate import run_isolated

                    artifacts = run_isolated(store, stage, bound, options.timeout, slot)
                else:
                    artifacts = call_and_store(store, stage, bound)
            break
        except NOT_WORTH_RETRYING:
            raise
        except Exception as error:
            if attempt == attempts:
                if isinstance(error, LatentflowError):
                    raise
                text = f"stage {slot} failed: {type(error).__name__}: {error}"
                raise StageError(text) from error
            pause = options.retry_delay * 2 ** (attempt - 1)
            log.warning(
                "%s failed (%s), try %d of %d in %.1f s",
                slot,
                error,
                attempt + 1,
                attempts,
                pause,
            )
            time.sleep(pause)
    seconds = time.perf_counter() - started
    where = {"cores": usable_cores(), "processor_flags": list(processor_flags())}
    created = datetime.now(UTC).isoformat(timespec="seconds")
    record = Record(recipe, tuple(artifacts), seconds, created, where)
    store.write_record(record)
    work.checkpoints.clear()
    return record


def find_earlier(store: Store, stage: Stage[Any, Any], recipe: Recipe) -> Record | None:
    """The sound record that differs from the recipe only in a smaller value of what it extends."""
    name = stage.options.extends
    wanted = recipe.params.get(name)
    if not isinstance(wanted, int | float):
        return None
    found = []
    for record in store.records_of(stage.name):
        value = record.recipe.params.get(name)
        if not isinstance(value, int | float) or value >= wanted:
            continue
        longer = replace(record.recipe, params={**record.recipe.params, name: wanted})
        if longer.key == recipe.key:
            found.append((value, record.recipe.key))
    for _, key in sorted(found, reverse=True):
        sound, _ = look_up(store, key, stage.output_names)
        if sound is not None:
            log.info(
                "%s goes on from the run with %s = %s", stage.name, name, sound.recipe.params[name]
            )
            return sound
    return None


def load_earlier(store: Store, stage: Stage[Any, Any], record: Record | None) -> Any:
    """The outputs of an earlier run as its function returned them; None if they are damaged."""
    if record is None:
        return None
    try:
        return stage.pack([store.load(artifact) for artifact in record.artifacts])
    except DamagedObject as damage:
        log.warning("%s: %s; it starts anew", stage.name, damage)
        return None


def call_and_store(store: Store, stage: Stage[Any, Any], bound: Bound) -> list[Artifact]:
    """Call the function on its loaded inputs and store every output."""
    inputs = {name: replace_handles(value, store.load) for name, value in bound.inputs.items()}
    values = stage.unpack(stage.fn(**inputs, **bound.params))
    with store.using():
        return [store.put(n, v) for n, v in zip(stage.output_names, values, strict=True)]
