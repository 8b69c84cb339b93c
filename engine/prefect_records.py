"""Prefect's view of the store: our records as its results, our locks as its locks, our keys.

Prefect reads and writes results through `RecordStorage`, which shows it our records in its own
form: there is one record, ours, and a run with Prefect and one without find the same.
"""

from __future__ import annotations

import functools
import json
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio.to_thread
from prefect.cache_policies import CachePolicy
from prefect.filesystems import WritableFileSystem
from prefect.locking.protocol import LockManager
from prefect.results import ResultRecord, ResultRecordMetadata
from prefect.serializers import Serializer
from pydantic import Field

from engine import session as sessions
from engine.artifact import Artifact
from engine.locks import FileLock
from engine.store import Store

if TYPE_CHECKING:
    from prefect.context import TaskRunContext

log = logging.getLogger(__name__)


class HandleSerializer(Serializer):
    """Handles as JSON, the only thing that Prefect stores of a result."""

    type: str = Field(default="latentflow-handles", frozen=True)

    def dumps(self, obj: list[Artifact]) -> bytes:
        """The handles as bytes."""
        return json.dumps([a.to_json() for a in obj]).encode()

    def loads(self, blob: bytes) -> list[Artifact]:
        """The handles that `dumps` wrote."""
        return [Artifact.from_json(a) for a in json.loads(blob)]


class RecordStorage(WritableFileSystem):
    """Shows Prefect the store's records; raises for one whose objects are gone: a cache miss."""

    _block_type_name = "Latentflow records"

    root: str

    def _resolve_path(self, path: str) -> Path:
        return Path(self.root) / "records" / path

    def read_path(self, path: str, _sync: bool = True) -> bytes:  # type: ignore[override]
        """The record with this key, in Prefect's form; raises ValueError if there is none."""
        key = Path(path).name
        store = Store(self.root)
        record = store.read_record(key)
        if record is None:
            raise ValueError(f"no record {key}")
        for artifact in record.artifacts:
            fault = store.fault(artifact)
            if fault:
                raise ValueError(f"{artifact.name} of {key}: {fault}")
        metadata = ResultRecordMetadata(storage_key=key, serializer=HandleSerializer())
        return ResultRecord(result=list(record.artifacts), metadata=metadata).serialize()

    def write_path(self, path: str, content: bytes, _sync: bool = True) -> None:  # type: ignore[override]
        """Nothing to write: the stage has published its record itself, atomically."""
        if Store(self.root).read_record(Path(path).name) is None:
            raise ValueError(f"the stage left no record {Path(path).name}")

    async def aread_path(self, path: str) -> bytes:
        """`read_path` for asynchronous callers."""
        return await anyio.to_thread.run_sync(self.read_path, path)

    async def awrite_path(self, path: str, content: bytes) -> None:
        """`write_path` for asynchronous callers."""
        await anyio.to_thread.run_sync(self.write_path, path, content)


class KeyLocks(LockManager):
    """Prefect's lock manager on the store's own locks; survives pickling without what it holds."""

    def __init__(self, root: str | Path) -> None:
        self.root = root
        self._held: dict[str, tuple[str, FileLock]] = {}

    def acquire_lock(
        self,
        key: str,
        holder: str,
        acquire_timeout: float | None = None,
        hold_timeout: float | None = None,
    ) -> bool:
        """Take the key's lock, telling the log whom this run waits for."""
        if self.is_lock_holder(key, holder):
            return True
        active = sessions.active()
        lock = Store(self.root).lock(key, active.run_id if active else "")
        if not lock.acquire(acquire_timeout, on_wait=functools.partial(_tell, key)):
            return False
        self._held[key] = (holder, lock)
        return True

    def release_lock(self, key: str, holder: str) -> None:
        """Free the key's lock; raises ValueError if this holder does not hold it."""
        if not self.is_lock_holder(key, holder):
            raise ValueError(f"{holder} holds no lock on {key}")
        self._held.pop(key)[1].release()

    def is_locked(self, key: str) -> bool:
        """Whether anyone holds the key's lock."""
        return key in self._held or Store(self.root).lock(key).is_locked()

    def is_lock_holder(self, key: str, holder: str) -> bool:
        """Whether this holder holds the key's lock."""
        return key in self._held and self._held[key][0] == holder

    def wait_for_lock(self, key: str, timeout: float | None = None) -> bool:
        """Wait until the key's lock is free; False when `timeout` seconds have passed."""
        lock = Store(self.root).lock(key)
        if not lock.acquire(timeout, on_wait=functools.partial(_tell, key)):
            return False
        lock.release()
        return True

    async def aacquire_lock(
        self,
        key: str,
        holder: str,
        acquire_timeout: float | None = None,
        hold_timeout: float | None = None,
    ) -> bool:
        """`acquire_lock` for asynchronous callers."""
        return await anyio.to_thread.run_sync(self.acquire_lock, key, holder, acquire_timeout)

    async def await_for_lock(self, key: str, timeout: float | None = None) -> bool:
        """`wait_for_lock` for asynchronous callers."""
        return await anyio.to_thread.run_sync(self.wait_for_lock, key, timeout)

    def __deepcopy__(self, memo: dict[int, Any]) -> KeyLocks:
        return self

    def __getstate__(self) -> dict[str, Any]:
        return {"root": self.root}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.root = state["root"]
        self._held = {}


def _tell(key: str, text: str) -> None:
    log.info("%s: %s", key, text)


@dataclass
class RecipePolicy(CachePolicy):
    """The cache key is the recipe's; it was computed before the task was called, so it never fails."""

    def compute_key(
        self,
        task_ctx: TaskRunContext,
        inputs: dict[str, Any],
        flow_parameters: dict[str, Any],
        **kwargs: Any,
    ) -> str | None:
        """The key that was handed to the task."""
        return str(inputs["key"])
