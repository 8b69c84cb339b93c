"""Computing one stage: load its inputs, call it, publish what it returns."""

from __future__ import annotations

import logging
import time
from datetime import UTC, datetime
from typing import Any

from engine.artifact import Artifact, replace_handles
from engine.environment import processor_flags, usable_cores
from engine.errors import DamagedObject, LatentflowError, StageError, StageTimeout, StoreError
from engine.outcome import Cause, Reason
from engine.recipe import Recipe
from engine.record import Record
from engine.stage import Bound, Stage
from engine.store import Store

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
    store: Store, stage: Stage[Any, Any], recipe: Recipe, bound: Bound, attempts: int, slot: str
) -> Record:
    """Run a stage's function on loaded inputs and publish its outputs and its record.

    Arguments:
        attempts: how often the function may be called until it succeeds.
        slot: the name of this call, for errors and log lines.

    Raises:
        DamagedObject: an input's object is not what its handle says.
        StageError: the function raised, or returned what cannot be stored.
        StageTimeout: it took longer than its timeout.
        StoreError: the store cannot be written.
    """
    options = stage.options
    for attempt in range(1, attempts + 1):
        started = time.perf_counter()
        try:
            if options.timeout is not None:
                from engine.isolate import run_isolated

                artifacts = run_isolated(store, stage, bound, options.timeout, slot)
            else:
                artifacts = call_and_store(store, stage, bound)
            break
        except (DamagedObject, StageTimeout, StoreError):
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
    return record


def call_and_store(store: Store, stage: Stage[Any, Any], bound: Bound) -> list[Artifact]:
    """Call the function on its loaded inputs and store every output."""
    inputs = {name: replace_handles(value, store.load) for name, value in bound.inputs.items()}
    values = stage.unpack(stage.fn(**inputs, **bound.params))
    with store.using():
        return [store.put(n, v) for n, v in zip(stage.output_names, values, strict=True)]
