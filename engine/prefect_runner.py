"""Stages as Prefect tasks and flows as Prefect flows, on the same store and the same records.

A stage becomes a task whose cache key is its recipe's key. Prefect reads and writes results
through `RecordStorage`, which shows it our records in its own form: there is one record, ours.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio.to_thread
import prefect
from prefect.cache_policies import CachePolicy
from prefect.context import FlowRunContext, TaskRunContext
from prefect.filesystems import WritableFileSystem
from prefect.locking.protocol import LockManager
from prefect.logging.handlers import APILogHandler
from prefect.results import ResultRecord, ResultRecordMetadata
from prefect.serializers import Serializer
from prefect.states import State
from prefect.task_runners import ThreadPoolTaskRunner
from pydantic import Field

from engine import session as sessions
from engine.artifact import Artifact
from engine.compute import look_up
from engine.environment import usable_cores
from engine.errors import InputError, StageError, StageTimeout, StoreError
from engine.flow import Flow, Run
from engine.locks import FileLock
from engine.record import Record
from engine.session import Call, Selection, Session
from engine.stage import Bound, Stage
from engine.store import Store

log = logging.getLogger(__name__)

_LOGGERS = ("engine", "tasks", "flows", "report")


class HandleSerializer(Serializer):  # type: ignore[type-arg]
    """Handles as JSON, the only thing that Prefect stores of a result."""

    type: str = Field(default="latentflow-handles", frozen=True)

    def dumps(self, obj: list[Artifact]) -> bytes:
        """The handles as bytes."""
        import json

        return json.dumps([a.to_json() for a in obj]).encode()

    def loads(self, blob: bytes) -> list[Artifact]:
        """The handles that `dumps` wrote."""
        import json

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
        store = Store(Path(self.root))
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
        if not Store(Path(self.root)).record_path(Path(path).name).exists():
            raise ValueError(f"the stage left no record {Path(path).name}")

    async def aread_path(self, path: str) -> bytes:
        """`read_path` for asynchronous callers."""
        return await anyio.to_thread.run_sync(self.read_path, path)

    async def awrite_path(self, path: str, content: bytes) -> None:
        """`write_path` for asynchronous callers."""
        await anyio.to_thread.run_sync(self.write_path, path, content)


class KeyLocks(LockManager):
    """Prefect's lock manager on the store's own locks; survives pickling without what it holds."""

    def __init__(self, root: Path) -> None:
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


def _worth_retrying(task: Any, task_run: Any, state: State[Any]) -> bool:
    """A timeout or a full disk will not go away by itself; neither will a wrong input."""
    try:
        state.result()
    except (StageTimeout, StoreError, InputError):
        return False
    except Exception:
        return True
    return True


def make_task(stage: Stage[Any, Any], store: Store, refresh: bool) -> prefect.Task[..., Any]:
    """The Prefect task of a stage.

    Arguments:
        refresh: compute even if there is a record.
    """

    def body(slot: str, key: str, inputs: Mapping[str, Any], params: Mapping[str, Any]) -> Any:
        bound = Bound(dict(inputs), dict(params))
        session = sessions.active() or Session(Store(store.root))
        call = Call(slot, stage, bound, recipe=stage.recipe(bound))
        return list(session.compute(call, attempts=1).artifacts)

    body.__name__ = stage.name
    body.__qualname__ = stage.name
    body.__doc__ = stage.fn.__doc__
    body.__module__ = stage.fn.__module__
    options = stage.options
    made = prefect.task(
        body,
        name=stage.name,
        description=inspect.getdoc(stage.fn),
        task_run_name="{slot}",
        cache_policy=RecipePolicy().configure(
            isolation_level="SERIALIZABLE",  # type: ignore[arg-type]
            lock_manager=KeyLocks(store.root),
        ),
        persist_result=True,
        result_serializer=HandleSerializer(),
        cache_result_in_memory=False,
        refresh_cache=refresh,
        retries=options.retries,
        retry_delay_seconds=[options.retry_delay * 2**i for i in range(options.retries)] or None,
        retry_condition_fn=_worth_retrying,
    )
    # A block that was never saved on a server is refused by the constructor only.
    made.result_storage = RecordStorage(root=str(store.root))
    return made


class PrefectRunner:
    """Executes calls as Prefect task runs; cached ones appear there too, as `Cached`."""

    def __init__(self) -> None:
        self._tasks: dict[tuple[Any, bool], prefect.Task[..., Any]] = {}

    def run(self, session: Session, call: Call, hit: Record | None) -> tuple[Record, bool]:
        """Run the call as a task in this thread."""
        state = self._task(session, call)(**self._arguments(call), return_state=True)
        return self._conclude(session, call, state)

    def run_all(self, session: Session, calls: Sequence[Call]) -> None:
        """Run the calls as tasks on the flow's task runner."""
        futures = []
        for call in calls:
            session.examine(call)
            futures.append(self._task(session, call).submit(**self._arguments(call)))
        errors = []
        for call, future in zip(calls, futures, strict=True):
            future.wait()
            try:
                session.accept(call, *self._conclude(session, call, future.state))
            except Exception as error:
                session.fail(call, error)
                errors.append(error)
        if errors:
            raise errors[0]

    def _task(self, session: Session, call: Call) -> prefect.Task[..., Any]:
        at = (call.stage.fn, call.force)
        if at not in self._tasks:
            self._tasks[at] = make_task(call.stage, session.store, call.force)
        return self._tasks[at]

    def _arguments(self, call: Call) -> dict[str, Any]:
        return {
            "slot": call.slot,
            "key": call.key,
            "inputs": call.bound.inputs,
            "params": call.bound.params,
        }

    def _conclude(self, session: Session, call: Call, state: State[Any]) -> tuple[Record, bool]:
        handles: list[Artifact] = state.result()
        record, faults = look_up(session.store, call.key, call.stage.output_names)
        if record is None:
            found = "; ".join(fault.text for fault in faults) or "gone"
            raise StageError(f"{call.slot} ended, but its result is {found}: run again")
        # Prefect draws the graph's edges by the identity of the objects that it returned.
        same = Record(
            record.recipe, tuple(handles), record.seconds, record.created, record.environment
        )
        return same, state.name != "Cached"


@contextlib.contextmanager
def _logs_to_ui() -> Iterator[None]:
    """Send what the project logs during a run to Prefect's server."""
    handler = APILogHandler()
    handler.setLevel(logging.INFO)
    loggers = [logging.getLogger(name) for name in _LOGGERS]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.addHandler(handler)
        if logger.getEffectiveLevel() > logging.INFO:
            logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.removeHandler(handler)
            logger.setLevel(level)


def as_prefect(flow: Flow[Any], module: str = "flows.deployed", **hooks: Any) -> Any:
    """The Prefect flow of a flow: its form shows the parameter model, its stages are tasks.

    Arguments:
        module: where the Prefect flow is importable from, for deployments.
        hooks: more for `Flow.run`: `preset`, `observe`, `store`.

    Returns:
        A `prefect.Flow` that takes `parameters`, `refresh`, `since` and `until` and returns the
        manifest's outcomes.
    """

    def entry(parameters: Any, refresh: Any = (), since: Any = (), until: Any = ()) -> Any:
        from engine.prefect_ui import publish

        context = FlowRunContext.get()
        flow_run = context.flow_run if context else None
        header = {"prefect_flow_run": str(flow_run.id) if flow_run else ""}
        selection = Selection(tuple(refresh), tuple(since), tuple(until), deep=hooks_deep)
        with _logs_to_ui():
            run = flow.run(
                parameters, selection, runner=PrefectRunner(), header=header, **run_hooks
            )
            publish(run, run_hooks.get("store") or Store())
        finished.append(run)
        return run.record.counts

    run_hooks = dict(hooks)
    hooks_deep = bool(run_hooks.pop("deep", False))
    finished: list[Run] = run_hooks.pop("finished", [])
    names = list[str]
    entry.__name__ = entry.__qualname__ = flow.name
    entry.__module__ = module
    entry.__doc__ = inspect.getdoc(flow.fn) or flow.name
    entry.__doc__ += """

    Args:
        parameters: What the flow computes; every value enters the cache key of its stages.
        refresh: Stages that run even if their result is there.
        since: Stages that run again together with everything after them.
        until: Stages after which the flow stops.
    """
    entry.__annotations__ = {
        "parameters": flow.parameters,
        "refresh": names,
        "since": names,
        "until": names,
    }
    entry.__defaults__ = (flow.configure(), [], [], [])
    return prefect.flow(
        entry,
        name=flow.name,
        description=inspect.getdoc(flow.fn),
        task_runner=ThreadPoolTaskRunner(max_workers=usable_cores()),  # type: ignore[arg-type]
        persist_result=False,
        validate_parameters=True,
    )
