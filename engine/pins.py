"""Pins: runs that the garbage collector keeps whatever their age."""

from __future__ import annotations

import json

from engine.errors import InputError, StoreError
from engine.journal import list_runs
from engine.store import Store

_FILE = "pins.json"
_NONE = b"[]"


def list_pins(store: Store) -> list[str]:
    """Ids of the pinned runs; raises StoreError where they cannot be read."""
    try:
        data = store.storage.read(_FILE)
    except FileNotFoundError:
        return []
    except StoreError:
        raise
    except OSError as error:  # not to know the pins is no reason to collect what they keep
        raise StoreError(f"{_FILE} cannot be read ({error.strerror}): make it readable") from error
    return _parse(data)


def pin(store: Store, run_id: str) -> None:
    """Keep a run and all it needs; raises InputError if there is no such run."""
    if run_id not in {path.stem for path in list_runs(store)}:
        raise InputError(f"there is no run {run_id}: `latentflow runs` lists them")
    list_pins(store)  # a damaged list is not written over
    store.storage.update(_FILE, lambda old: _form({*_parse(old or _NONE), run_id}))


def unpin(store: Store, run_id: str) -> None:
    """Let the collector judge the run like any other; raises InputError if it is not pinned."""
    pins = list_pins(store)
    if run_id not in pins:
        raise InputError(f"run {run_id} is not pinned; pinned: {', '.join(pins) or 'none'}")
    store.storage.update(_FILE, lambda old: _form({*_parse(old or _NONE)} - {run_id}))


def _parse(data: bytes) -> list[str]:
    try:
        pins = json.loads(data)
    except (ValueError, RecursionError):
        pins = None
    if not isinstance(pins, list) or not all(isinstance(pin, str) for pin in pins):
        raise StoreError(f"{_FILE} of the store is damaged: mend or remove it")
    return sorted(pins)


def _form(pins: set[str]) -> bytes:
    return json.dumps(sorted(pins), indent=1).encode()
