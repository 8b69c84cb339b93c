"""Locks between machines: an object in the bucket that its holder renews, and that runs out.

    no lease ──create──▸ ours ──renew──▸ ours ──delete──▸ no lease
                          └─ 30 s without renewal ▸ anyone may replace it

Creation and replacement are conditional, so that one of many wins. Times are the server's own.
Correctness never depends on a lease: it saves two machines from computing one stage twice.
"""

from __future__ import annotations

import contextlib
import json
import logging
import secrets
import threading
from pathlib import Path

from engine.errors import StoreError
from engine.locks import FileLock, in_words, whoami
from engine.storage.bucket import Bucket

log = logging.getLogger(__name__)

LEASE_SECONDS = 30.0


class LeaseLock(FileLock):
    """An exclusive lock among machines; on this one it is a `FileLock` besides.

    Arguments:
        path: the file that processes of this machine lock.
        name: the lease in the bucket.
        run: the id of the run that asks, shown to whoever waits.
    """

    poll_seconds = 0.5

    def __init__(self, path: Path, bucket: Bucket, name: str, run: str = "") -> None:
        super().__init__(path, run)
        self._bucket = bucket
        self._name = name
        self._token = secrets.token_hex(8)
        self._body = b""
        self._tag: str | None = None
        self._ended = threading.Event()
        self._renewer: threading.Thread | None = None

    def try_acquire(self) -> bool:
        """Take the lock if it is free on this machine and all others."""
        if not super().try_acquire():
            return False
        try:
            self._tag = self._take()
        except BaseException:
            super().release()
            raise
        if self._tag is None:
            super().release()
            return False
        self._ended.clear()
        self._renewer = threading.Thread(target=self._renew, name="lease", daemon=True)
        self._renewer.start()
        return True

    def release(self) -> None:
        """Give the lease back; one that cannot be given back runs out."""
        if self._renewer is not None:
            self._ended.set()
            self._renewer.join()
            self._renewer = None
            if self._tag is not None:
                self._tag = None
                with contextlib.suppress(StoreError):
                    self._bucket.remove([self._name])
        super().release()

    def is_locked(self) -> bool:
        """Whether anyone on any machine holds the lock now."""
        if super().is_locked():
            return True
        found = self._bucket.stat(self._name)
        return found is not None and not self._over(found.written)

    def holder(self) -> str:
        """The holder in words, on whatever machine."""
        try:
            return in_words(json.loads(self._bucket.read(self._name)))
        except (OSError, ValueError, KeyError, TypeError):
            return super().holder()

    def _take(self) -> str | None:
        self._body = json.dumps({**whoami(self.run), "token": self._token}).encode()
        tag = self._bucket.create(self._name, self._body)
        if tag is not None:
            return tag
        found = self._bucket.stat(self._name)
        if found is None:
            return None  # given back this moment: the next try will get it
        with contextlib.suppress(FileNotFoundError):
            if self._token.encode() in self._bucket.read(self._name):
                return found.tag  # it became ours, and the answer was lost
        if not self._over(found.written):
            return None
        log.info("the lease %s has run out: taken over", self._name)
        return self._bucket.replace(self._name, self._body, found.tag)

    def _over(self, written: float) -> bool:
        return self._bucket.now() - written > LEASE_SECONDS

    def _renew(self) -> None:
        while not self._ended.wait(LEASE_SECONDS / 3):
            try:
                tag = self._bucket.replace(self._name, self._body, self._tag or "")
            except StoreError as error:
                log.debug("the lease %s could not be renewed: %s", self._name, error)
                continue
            if tag is None and not self._is_ours():
                log.warning("the lease %s was taken over by another machine", self._name)
                self._tag = None
                return
            self._tag = tag or self._tag

    def _is_ours(self) -> bool:
        """Whether a renewal succeeded whose answer was lost."""
        try:
            found = self._bucket.stat(self._name)
            if found is None or self._token.encode() not in self._bucket.read(self._name):
                return False
        except (StoreError, FileNotFoundError):
            return False
        self._tag = found.tag
        return True
