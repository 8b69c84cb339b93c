"""Journals of runs on several machines: shown in the bucket as they grow, brought here to be read.

A journal here that is read-only is a copy of the bucket's. Journals only grow, so of two the longer
one knows more. That a run elsewhere is alive is seen by its journal's time: it is written anew every
ten seconds, changed or not.
"""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import time
from pathlib import Path

from engine.locks import is_held
from engine.storage.bucket import Bucket, Found
from engine.storage.local import Follower

log = logging.getLogger(__name__)

BEAT_SECONDS = 10.0
_SELDOM_SECONDS = 40.0  # `engine.journal` says when a run without a sign counts as dead
_FIRST_SECONDS = 1.0  # a run with nothing to do has ended by then
_FOREIGN = 0o444
_OWN = 0o644


class BucketFollower(Follower):
    """Uploads a journal when it begins, every ten seconds and when it is complete."""

    def __init__(self, bucket: Bucket, path: Path) -> None:
        self._bucket = bucket
        self._path = path
        self._name = f"runs/{path.parent.name}/{path.name}"
        self._ended = threading.Event()
        self._beats = threading.Thread(target=self._beat, name="journal", daemon=True)
        self._beats.start()

    def end(self) -> None:
        """Upload the whole journal; if that fails, it stays here until it succeeds."""
        self._ended.set()
        self._beats.join()
        try:
            self._upload()
            self._path.chmod(_FOREIGN)
        except OSError as error:
            log.warning("other machines do not see this run yet: %s", error)

    def _beat(self) -> None:
        pause = _FIRST_SECONDS
        while not self._ended.wait(pause):
            started = time.monotonic()
            try:
                self._upload()
            except OSError as error:
                log.debug("the journal could not be shown: %s", error)
            # That of a sweep with many thousand cells is large: it must not fill the line.
            taken = time.monotonic() - started
            pause = min(max(BEAT_SECONDS, 20 * taken), _SELDOM_SECONDS)

    def _upload(self) -> None:
        self._bucket.write(self._name, self._path.read_bytes())


def gather(bucket: Bucket, runs: Path, flow: str | None, newest: int | None) -> None:
    """Bring the bucket's journals here, or the newest few of each flow; forget collected ones.

    A journal of this machine that ended while the bucket was out of reach is uploaded now.
    """
    there = bucket.list(f"runs/{flow}/" if flow else "runs/")
    here = {
        f"runs/{path.parent.name}/{path.name}": path
        for path in (runs / flow if flow else runs).glob("*.jsonl" if flow else "*/*.jsonl")
    }
    for name in here.keys() - there.keys():
        _settle(bucket, name, here[name])
    flows: dict[str, list[str]] = {}
    for name in there:
        flows.setdefault(name.split("/")[1], []).append(name)
    for names in flows.values():
        for name in sorted(names, reverse=True)[:newest]:
            _bring(bucket, name, runs.parent / name, there[name])


def _settle(bucket: Bucket, name: str, path: Path) -> None:
    """A journal that is only here: a copy of one that was collected, or never uploaded."""
    with contextlib.suppress(OSError):
        if not path.stat().st_mode & 0o222:
            path.unlink()
        elif not is_held(path):
            bucket.write(name, path.read_bytes())
            path.chmod(_FOREIGN)


def _bring(bucket: Bucket, name: str, path: Path, found: Found) -> None:
    if name.count("/") != 2 or not name.endswith(".jsonl"):
        return
    written = found.written - bucket.now() + time.time()
    try:
        about = path.stat()
        if about.st_mode & 0o222:
            return  # of a run here
        if about.st_size >= found.size:
            os.utime(path, (written, written))
            return
    except OSError:
        pass
    temporary = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}")
    try:
        data = bucket.read(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(data)
        temporary.chmod(_FOREIGN)
        os.utime(temporary, (written, written))
        temporary.replace(path)
    except FileNotFoundError:
        return  # collected this moment
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
