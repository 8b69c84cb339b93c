"""The copies of a bucket's objects: where they lie, how many bytes they may take, which go first.

`LATENTFLOW_CACHE` names the folder (`~/.cache/latentflow` if not set; each store has one of its
own below it) and `LATENTFLOW_CACHE_GB` the limit (20). What was used longest ago goes first; what
a run of this machine works with, or anyone used within ten minutes, stays whatever the limit. The
whole folder may be removed while nothing runs: only checkpoints and report pages are lost with it.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import re
import threading
import time
from pathlib import Path

from engine.errors import InputError
from engine.locks import is_held
from engine.mentions import objects_in

log = logging.getLogger(__name__)

_IN_USE_SECONDS = 600.0
_LOW_MARK = 0.8  # so that not every new copy makes it look again


def cache_root(url: str) -> Path:
    """The folder with the copies of one store."""
    base = os.environ.get("LATENTFLOW_CACHE")
    home = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    folder = Path(base) if base else Path(home) / "latentflow"
    readable = re.sub(r"[^A-Za-z0-9]+", "-", url.removeprefix("s3://"))[:60].strip("-")
    # Two endpoints may each have a bucket of this name.
    server = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL") or ""
    mark = hashlib.sha256(f"{server}\0{url}".encode()).hexdigest()[:12]
    return folder / f"{readable}-{mark}"


def limit_bytes() -> int:
    """How many bytes copies may take; raises InputError if the variable is no such number."""
    text = os.environ.get("LATENTFLOW_CACHE_GB") or "20"
    try:
        limit = float(text)
    except ValueError:
        limit = -1.0
    if not 0 <= limit < 1e9:
        raise InputError(f"LATENTFLOW_CACHE_GB is {text!r}: expected gigabytes, e.g. 20 or 0.5")
    return int(limit * 1e9)


class Eviction:
    """Keeps the copies below a folder's `objects/` within the limit."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._limit = limit_bytes()
        self._known: int | None = None
        self._mutex = threading.Lock()

    def note(self, size: int) -> None:
        """A copy of that size was added; old ones go if they are too many now."""
        with self._mutex:
            if self._known is not None:
                self._known += size
            if self._known is None or self._known > self._limit:
                self._known = self._sweep()

    def _sweep(self) -> int:
        copies = []
        for path in (self._root / "objects").glob("*/*"):
            with contextlib.suppress(OSError):
                found = path.stat()
                copies.append((max(found.st_atime, found.st_mtime), found.st_size, path))
        total = sum(size for _, size, _ in copies)
        if total <= self._limit:
            return total
        kept = self._in_use()
        for used, size, path in sorted(copies):
            if total <= self._limit * _LOW_MARK or time.time() - used < _IN_USE_SECONDS:
                break
            if f"{path.parent.name}/{path.name}" in kept:
                continue
            with contextlib.suppress(OSError):
                path.unlink()
                total -= size
        if total > self._limit:
            log.debug("copies take %d bytes, all of them in use", total)
        return total

    def _in_use(self) -> set[str]:
        """Addresses that the journals of this machine's live runs name."""
        kept: set[str] = set()
        for path in (self._root / "runs").glob("*/*.jsonl"):
            if is_held(path):
                kept.update(objects_in(path.read_bytes()))
        return kept
