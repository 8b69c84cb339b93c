"""Garbage collection by reachability: from the newest runs of each flow, pins and live runs.

    run ── used ──▸ record ── made ──▸ object        what no kept run reaches is removed

The collector locks out look-ups and publications for the moment that it takes; what a running
flow uses stands in its journal, what it has just written is newer than its start. Writers of a
bucket cannot be locked out: there, what was written within the hour stays too.
"""

from __future__ import annotations

import contextlib
import gc
import logging
import os
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from engine.errors import InputError, StoreError
from engine.journal import is_live, list_runs, read_run
from engine.mentions import keys_in, objects_in
from engine.pins import list_pins
from engine.storage import Entry
from engine.store import Store

log = logging.getLogger(__name__)

_ABANDONED_SECONDS = 86400.0  # a temporary file of another machine is left alone that long

_LEASE_SECONDS = 3600.0  # many times as long as one lasts


@dataclass(frozen=True, slots=True)
class Item:
    """One thing in the store, with the reason for which it stays or goes."""

    kind: str
    name: str
    size: int
    reason: str

    def to_json(self) -> dict[str, Any]:
        """The item as plain JSON data."""
        return {
            "kind": self.kind,
            "name": self.name,
            "size": self.size,
            "reason": self.reason,
        }


@dataclass
class Collection:
    """What a collection kept and removed, or would remove."""

    dry_run: bool
    kept: list[Item] = field(default_factory=list)
    removed: list[Item] = field(default_factory=list)

    @property
    def freed_bytes(self) -> int:
        """Bytes of what was, or would be, removed."""
        return sum(item.size for item in self.removed)

    @property
    def kept_bytes(self) -> int:
        """Bytes of what stays."""
        return sum(item.size for item in self.kept)

    def to_json(self) -> dict[str, Any]:
        """The collection as plain JSON data."""
        return {
            "dry_run": self.dry_run,
            "freed_bytes": self.freed_bytes,
            "kept_bytes": self.kept_bytes,
            "kept": [item.to_json() for item in self.kept],
            "removed": [item.to_json() for item in self.removed],
        }


@dataclass
class _Roots:
    runs: dict[str, str] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    objects: dict[str, str] = field(default_factory=dict)
    since: float | None = None


def collect(store: Store, keep: int = 5, dry_run: bool = False) -> Collection:
    """Remove what the newest `keep` runs of each flow, pinned and live runs do not reach.

    Arguments:
        keep: runs of each flow that stay, at least 1.
        dry_run: only tell.

    Raises:
        InputError: `keep` is less than 1.
    """
    if keep < 1:
        raise InputError(f"--keep {keep}: at least the newest run of each flow stays (1 or more)")
    result = Collection(dry_run)
    storage = store.storage
    if not storage.exists():
        return result
    # Only to tell what would go, nobody needs to wait, and the store may be read-only.
    with storage.using() if dry_run else storage.alone(log.info), _many_objects():
        roots = _find_roots(store, keep)
        now = storage.now()
        for kind, folder in storage.kinds.items():
            for entry in storage.entries(folder):
                if kind == "run" and not entry.name.endswith(".jsonl"):
                    continue
                reason = _why_kept(roots, kind, entry, now)
                if reason is None and now - entry.written < storage.grace:
                    reason = "written within the hour"
                kept = reason is not None
                item = Item(kind, entry.name, entry.size, reason or _why_removed(kind))
                (result.kept if kept else result.removed).append(item)
        if not dry_run:
            storage.remove(item.name for item in result.removed)
    return result


@contextlib.contextmanager
def _many_objects() -> Iterator[None]:
    """Keep Python from searching all that is made here for cycles, again and again."""
    searches = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if searches:
            gc.enable()


def _find_roots(store: Store, keep: int) -> _Roots:
    roots = _Roots()
    pins = set(list_pins(store))
    seen: dict[str, int] = {}
    for path in list_runs(store):
        flow = path.parent.name
        seen[flow] = seen.get(flow, 0) + 1
        live = is_live(path)
        reason = (
            f"run {path.stem} is running"
            if live
            else f"run {path.stem} is pinned"
            if path.stem in pins
            else f"one of the newest {keep} runs of {flow}"
            if seen[flow] <= keep
            else None
        )
        if reason is None:
            continue
        roots.runs[f"runs/{flow}/{path.name}"] = reason
        try:
            data = path.read_bytes()
        except OSError:
            continue
        used = f"used by {path.stem}"
        for key in keys_in(data):
            roots.keys.setdefault(key, used)
        for address in objects_in(data):
            roots.objects.setdefault(address, used)
        if live:
            start = _start(path)
            roots.since = start if roots.since is None else min(roots.since, start)
    for key, reason in roots.keys.items():
        try:
            data = store.storage.read(f"records/{key}.json")
        except StoreError:
            raise
        except OSError:
            continue
        for address in objects_in(data):
            roots.objects.setdefault(address, reason)
    return roots


def _start(path: Path) -> float:
    try:
        return datetime.fromisoformat(read_run(path).started).timestamp() - 2.0
    except ValueError:
        return path.stat().st_ctime - 60.0


def _why_kept(roots: _Roots, kind: str, entry: Entry, now: float) -> str | None:
    if kind == "run":
        return roots.runs.get(entry.name)
    if kind == "temporary":
        return _owner(entry, now)
    if kind == "lease":
        return "a machine may hold it" if now - entry.written < _LEASE_SECONDS else None
    if roots.since is not None and entry.written >= roots.since:
        return "newer than the start of a running flow"
    name = entry.name.partition("/")[2]
    if kind == "record":
        return roots.keys.get(name.removesuffix(".json"))
    if kind == "checkpoint":
        return roots.keys.get(name)
    return roots.objects.get(name) if kind == "object" else None


def _owner(entry: Entry, now: float) -> str | None:
    """The living process that may still write a temporary file."""
    host, _, rest = entry.name.removeprefix("tmp/").rpartition("-")[0].rpartition("-")
    if host == socket.gethostname() and rest.isdigit():
        try:
            os.kill(int(rest), 0)
        except (ProcessLookupError, OverflowError):
            return None
        except PermissionError:
            pass
        return f"process {rest} is writing it"
    if now - entry.written < _ABANDONED_SECONDS:
        return "another machine may be writing it"
    return None


def _why_removed(kind: str) -> str:
    return {
        "run": "older than the runs that are kept",
        "temporary": "its process is gone",
        "lease": "it has run out",
    }.get(kind, "no kept run uses it")
