"""Runs by the names that people type: an id, the start of one, `last`, `last~1`, `wifi:last`."""

from __future__ import annotations

import re
from pathlib import Path

from engine import InputError, Store
from engine.journal import RunRecord, list_runs, read_run

_LAST = re.compile(r"last(?:~(\d+))?")


def find_run(store: Store, name: str) -> RunRecord:
    """The run of that name.

    Raises:
        InputError: there is none, or several ids start like this.
    """
    flow, colon, rest = name.rpartition(":")
    paths = list_runs(store, flow) if colon else list_runs(store)
    if not paths:
        of = f" of flow {flow}" if colon else ""
        raise InputError(f"there is no run{of} in {store.address}: `latentflow run FLOW` makes one")
    back = _LAST.fullmatch(rest)
    path = _go_back(paths, int(back[1] or 0), name) if back else _by_prefix(paths, rest)
    return read_run(path)


def _go_back(paths: list[Path], steps: int, name: str) -> Path:
    if steps >= len(paths):
        raise InputError(
            f"{name}: there are only {len(paths)} runs, the oldest is last~{len(paths) - 1}"
        )
    return paths[steps]


def _by_prefix(paths: list[Path], prefix: str) -> Path:
    found = [path for path in paths if prefix and path.stem.startswith(prefix)]
    if len(found) == 1:
        return found[0]
    if not found:
        raise InputError(
            f"there is no run {prefix!r}; the newest is {paths[0].stem} "
            "(`latentflow runs` lists them, last and last~1 are names too)"
        )
    some = ", ".join(path.stem for path in found[:4])
    raise InputError(f"{len(found)} runs start with {prefix!r}: {some}{' …' * (len(found) > 4)}")
