"""A store in a bucket that several machines share, with a folder here that keeps what was read.

    this machine                           bucket
    tmp/ ── object ── upload ───────────▸ objects/      then the record, so that no record
      └──────────────▸ objects/ ◂─fetch── objects/      names an object that is not there
                     record ── write ───▸ records/      always asked for there
    runs/ journal ─── every 10 s ───────▸ runs/         and brought here to be read
    checkpoints/, report/, locks/         locks/        leases

Objects are named by their content, so a copy is never stale; whatever is read is proved first, so
a copy cut short or altered is fetched again and never handed on. The copies may be removed at any
time (`engine.storage.eviction`). Checkpoints stay here: they are large, written often, and of use
to the machine that goes on; another one starts the stage anew.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from engine.locks import Tell
from engine.storage.bucket import Bucket
from engine.storage.eviction import Eviction, cache_root
from engine.storage.journals import BucketFollower, gather
from engine.storage.lease import LeaseLock
from engine.storage.local import Entry, Follower, LocalStorage
from engine.storage.survey import Survey

log = logging.getLogger(__name__)

_SHARED = ("objects/", "records/", "runs/", "locks/", "pins.json")
_FETCHES = 3
_USED_AGAIN_SECONDS = 60.0
# An object that is there already may be about to be collected: younger, it is left alone.
_GRACE_SECONDS = 3600.0


class CachedStorage(LocalStorage):
    """The files of a store in a bucket.

    Arguments:
        url: `s3://bucket/prefix`.

    Raises:
        InputError: it is no such address.
    """

    grace = _GRACE_SECONDS
    kinds: Mapping[str, str] = {**LocalStorage.kinds, "lease": "locks"}

    def __init__(self, url: str) -> None:
        self.bucket = Bucket(url)
        super().__init__(cache_root(self.bucket.url))
        self._eviction = Eviction(self.root)
        self._survey: Survey | None = None
        self._fetching: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)

    @property
    def address(self) -> str:
        """The bucket's URL."""
        return self.bucket.url

    def exists(self) -> bool:
        """Always: whether a bucket is empty is seen when it is listed."""
        return True

    def now(self) -> float:
        """The time on the server's clock."""
        return self.bucket.now()

    # Reading

    def examine(self, name: str, size: int) -> str | None:
        """What is wrong with an object; one that was read before is not asked for again."""
        here = super().examine(name, size)
        return here and self._examine_there(name, size)

    def prove(self, name: str, size: int, sha256: str) -> str | None:
        """The same after its content was read; a copy then lies here."""
        with self._fetching[name]:
            if self._prove_here(name, size, sha256) is None:
                self._use(name)
                return None
            return self._fetch(name, size, sha256)

    def _fetch(self, name: str, size: int, sha256: str) -> str | None:
        fault = self._examine_there(name, size)
        for _ in range(_FETCHES):
            if fault is not None and fault != "content altered":
                return fault
            with self.temporary(Path(name).suffix) as (temporary, file):
                sha = hashlib.sha256()
                try:
                    for piece in self.bucket.pieces(name, size):
                        sha.update(piece)
                        file.write(piece)
                except FileNotFoundError:  # removed or written over meanwhile
                    fault = self._examine_there(name, size) or "content altered"
                    continue
                if sha.hexdigest() != sha256:
                    fault = "content altered"
                    log.debug("%s arrived altered", name)
                    continue
                file.flush()
                super().publish(temporary, name)
            self._eviction.note(size)
            return self._prove_here(name, size, sha256)
        return fault

    def _examine_there(self, name: str, size: int) -> str | None:
        survey = self._survey
        found = survey.stat(name) if survey else self.bucket.stat(name)
        if found is None:
            return "missing"
        return None if found.size == size else f"{found.size} of {size} bytes"

    def _use(self, name: str) -> None:
        """Note that a copy was used just now; a file system may not keep that by itself."""
        path = self.root / name
        with contextlib.suppress(OSError):
            found = path.stat()
            if time.time() - found.st_atime > _USED_AGAIN_SECONDS:
                os.utime(path, ns=(time.time_ns(), found.st_mtime_ns))
                self._remember(name, path.stat())

    def read(self, name: str) -> bytes:
        """The content of a small file; raises FileNotFoundError."""
        if not name.startswith(_SHARED):
            return super().read(name)
        survey = self._survey if name.startswith("records/") else None
        return survey.read(name) if survey else self.bucket.read(name)

    def digest(self, name: str) -> tuple[str, int]:
        """sha256 and size of an object in the bucket, whatever lies here."""
        found = self.bucket.stat(name)
        if found is None:
            raise FileNotFoundError(name)
        sha = hashlib.sha256()
        for piece in self.bucket.pieces(name, found.size):
            sha.update(piece)
        return sha.hexdigest(), found.size

    def entries(self, folder: str, prefix: str = "") -> Iterator[Entry]:
        """What lies in a folder of the store, by name."""
        if not f"{folder}/".startswith(_SHARED):
            yield from super().entries(folder, prefix)
            return
        for name, found in self.bucket.list(f"{folder}/{prefix}").items():
            yield Entry(name, found.size, found.written)

    def names(self, folder: str) -> Iterator[str]:
        """The names of the same."""
        yield from (entry.name for entry in self.entries(folder))

    @contextlib.contextmanager
    def surveyed(self) -> Iterator[None]:
        """Many questions follow: where they are many, one listing answers them."""
        self._survey = Survey(self.bucket, self)
        try:
            yield
        finally:
            self._survey = None

    # Writing

    def publish(self, temporary: Path, name: str) -> None:
        """Upload an object, then keep it here too."""
        if not self.bucket.upload(temporary, name):
            size = temporary.stat().st_size
            found = self.bucket.stat(name)
            young = found is not None and self.now() - found.written < _GRACE_SECONDS / 2
            if found is None or found.size != size or not young:
                self.bucket.upload(temporary, name, over=True)
        size = temporary.stat().st_size
        super().publish(temporary, name)
        self._eviction.note(size)

    def write(self, name: str, data: bytes) -> None:
        """Write a small file, whole or not at all."""
        if name.startswith(_SHARED):
            self.bucket.write(name, data)
        else:
            super().write(name, data)

    def update(self, name: str, change: Callable[[bytes], bytes]) -> None:
        """Write what `change` makes of a small file's content; of two at once none is lost."""
        while True:
            found = self.bucket.stat(name)
            try:
                old = self.bucket.read(name) if found else b""
            except FileNotFoundError:
                continue
            new = change(old)
            if new == old:
                return
            tag = found and self.bucket.replace(name, new, found.tag)
            if tag or (found is None and self.bucket.create(name, new)):
                return

    def set_aside(self, name: str) -> None:
        """Take a damaged object away; it is not kept under another name as in a folder."""
        with contextlib.suppress(OSError):
            (self.root / name).unlink(missing_ok=True)
        self.bucket.remove([name])

    def remove(self, names: Iterable[str]) -> None:
        """Remove files there and their copies here."""
        names = list(names)
        super().remove(names)
        self.bucket.remove([name for name in names if name.startswith(_SHARED)])

    # Locks

    def lock(self, key: str, run: str = "") -> LeaseLock:
        """The lock that is held, among all machines, while the stage with this key is computed."""
        path = self.root / "locks" / f"{key}.lock"
        return LeaseLock(path, self.bucket, f"locks/{key}.json", run)

    @contextlib.contextmanager
    def alone(self, on_wait: Tell) -> Iterator[None]:
        """Keep other collectors out, and writers of this machine; those of others have their grace."""
        with super().alone(on_wait):
            lease = LeaseLock(
                self.root / "locks" / "collectors.lock", self.bucket, "locks/collector.json"
            )
            with lease.hold(on_wait):
                yield

    # Journals

    def follow(self, path: Path) -> Follower:
        """Shows the journal in the bucket as it grows."""
        return BucketFollower(self.bucket, path)

    def gather(self, flow: str | None, newest: int | None) -> None:
        """Bring journals of runs elsewhere here."""
        gather(self.bucket, self.root / "runs", flow, newest)
