"""Runs of the toy flow on file systems that are too small or read-only.

Started in a mount namespace of its own (`unshare`), so that nothing stays mounted; prints what
happened as JSON.
"""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from engine import Selection, Store, StoreError
from engine.collect import collect
from engine.verify import verify
from tests.engine.toy import digests, outcomes, plan_toy, run_toy

VALUES: dict[str, Any] = {"n": 1000}


class _Warnings(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(record.getMessage())


def _mount(folder: Path, options: str) -> None:
    folder.mkdir(exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "none", folder], check=True)


def _remount(folder: Path, options: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{options}", folder], check=True)


def _attempt(work: Callable[[], Any]) -> dict[str, Any]:
    try:
        return {"result": work()}
    except Exception as error:  # noqa: BLE001 - the test judges it
        return {"error": type(error).__name__, "text": str(error)}


def fill(folder: Path, options: str, wider: str) -> dict[str, Any]:
    """Run on a disk that gets full, look at the store, run again after making room."""
    _mount(folder, options)
    store = Store(folder / "store")
    told: dict[str, Any] = _attempt(lambda: outcomes(run_toy(store, **VALUES)))
    told["sound"] = verify(store).sound
    told["temporary"] = [p.name for p in (store.root / "tmp").glob("*")]
    _remount(folder, wider)
    told["kept"] = len(list(store.records.glob("*")))
    run = run_toy(store, **VALUES)
    told["cached_then"] = list(outcomes(run).values()).count("cached")
    told["digests"] = digests(run)
    told["sound_then"] = verify(store).sound
    subprocess.run(["umount", folder], check=True)
    return told


def read_only(folder: Path) -> dict[str, Any]:
    """What can still be done on a store that cannot be written."""
    _mount(folder, "size=4m")
    store = Store(folder / "store")
    run_toy(store, **VALUES)
    _remount(folder, "ro")
    listener = _Warnings()
    logging.getLogger("engine").addHandler(listener)
    told: dict[str, Any] = {}
    told["cached"] = _attempt(lambda: outcomes(run_toy(store, **VALUES)))
    told["said"], listener.said = listener.said, []
    told["plan"] = _attempt(lambda: plan_toy(store, **VALUES))
    told["stale"] = _attempt(lambda: outcomes(run_toy(store, n=999)))
    told["refresh"] = _attempt(
        lambda: outcomes(run_toy(store, Selection(refresh=("draw",)), **VALUES))
    )
    told["verify"] = _attempt(lambda: verify(store).sound)
    told["gc"] = _attempt(lambda: len(collect(store, dry_run=True).removed))
    told["gc_now"] = _attempt(lambda: len(collect(store).removed))
    told["error_is_os_error"] = issubclass(StoreError, OSError)
    return told


if __name__ == "__main__":
    place = Path(sys.argv[1])
    if sys.argv[2] == "fill":
        report = {o: fill(place, o, w) for o, w in json.loads(sys.argv[3])}
        sys.stdout.write(json.dumps(report))
    else:
        sys.stdout.write(json.dumps(read_only(place)))
