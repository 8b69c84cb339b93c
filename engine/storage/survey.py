"""Looking many things up in a bucket at once: what a plan asks for one by one is listed instead.

A listing holds for the length of one plan. What is looked up under a lock, or for a run, is asked
for itself.
"""

from __future__ import annotations

import hashlib
import threading
from collections import Counter

from engine.storage.bucket import Bucket, Found
from engine.storage.local import LocalStorage

_ASKED = 8  # so many single questions before the rest is listed
_HEX = 20  # digits at the end of a record's name, and .json


class Survey:
    """What stands in the bucket now, as far as it is asked for.

    Arguments:
        copies: where copies of records are kept, each by the tag that it had.
    """

    def __init__(self, bucket: Bucket, copies: LocalStorage) -> None:
        self._bucket = bucket
        self._copies = copies
        self._asked: Counter[str] = Counter()
        self._listed: dict[str, dict[str, Found]] = {}
        self._mutex = threading.Lock()

    def stat(self, name: str) -> Found | None:
        """What is known of an object, None if there is none."""
        listed = self._list("objects/")
        return self._bucket.stat(name) if listed is None else listed.get(name)

    def read(self, name: str) -> bytes:
        """A record; raises FileNotFoundError."""
        listed = self._list(name[: -len(".json") - _HEX])
        if listed is None:
            return self._bucket.read(name)
        found = listed.get(name)
        if found is None:
            raise FileNotFoundError(name)
        mark = hashlib.sha256(found.tag.encode()).hexdigest()[:16]
        copy = f"{name.removesuffix('.json')}.{mark}.json"
        try:
            data = LocalStorage.read(self._copies, copy)
            if len(data) == found.size:
                return data
        except OSError:
            pass
        data = self._bucket.read(name)
        if len(data) == found.size:  # else it was written over this moment
            LocalStorage.write(self._copies, copy, data)
        return data

    def _list(self, prefix: str) -> dict[str, Found] | None:
        with self._mutex:
            self._asked[prefix] += 1
            if self._asked[prefix] > _ASKED and prefix not in self._listed:
                self._listed[prefix] = self._bucket.list(prefix)
            return self._listed.get(prefix)
