"""Pins: runs that the garbage collector keeps whatever their age."""

from __future__ import annotations

import json

from engine.errors import InputError
from engine.journal import list_runs
from engine.store import Store


def list_pins(store: Store) -> list[str]:
    """Ids of the pinned runs."""
    try:
        pins = json.loads((store.root / "pins.json").read_text("utf-8"))
    except (OSError, ValueError):
        return []
    return sorted(str(pin) for pin in pins) if isinstance(pins, list) else []


def pin(store: Store, run_id: str) -> None:
    """Keep a run and all it needs; raises InputError if there is no such run."""
    if run_id not in {path.stem for path in list_runs(store)}:
        raise InputError(f"there is no run {run_id}: `latentflow runs` lists them")
    _write(store, sorted({*list_pins(store), run_id}))


def unpin(store: Store, run_id: str) -> None:
    """Let the collector judge the run like any other; raises InputError if it is not pinned."""
    pins = list_pins(store)
    if run_id not in pins:
        raise InputError(f"run {run_id} is not pinned; pinned: {', '.join(pins) or 'none'}")
    _write(store, [pin for pin in pins if pin != run_id])


def _write(store: Store, pins: list[str]) -> None:
    with store.using():
        store.write_bytes(store.root / "pins.json", json.dumps(pins, indent=1).encode())
