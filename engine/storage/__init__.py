"""Where a store's files lie: in a folder, or in a bucket with a folder that keeps copies.

Names are relative to the store, with slashes: `objects/ab/cdef….npz`, `records/<key>.json`.
"""

from __future__ import annotations

from pathlib import Path

from engine.storage.local import Entry, LocalStorage

__all__ = ["Entry", "LocalStorage", "open_storage"]


def open_storage(address: str | Path) -> LocalStorage:
    """The storage at a folder's path or an `s3://bucket/prefix`; nothing is read or made yet.

    Raises:
        InputError: the address names another protocol, or no bucket.
    """
    if isinstance(address, str) and "://" in address:
        from engine.storage.cached import CachedStorage

        return CachedStorage(address)
    return LocalStorage(Path(address))
