"""Stages as Prefect tasks, on the same store and the same records as without Prefect."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import prefect
from prefect.context import FlowRunContext
from prefect.transactions import IsolationLevel

from engine import session as sessions
from engine.artifact import Artifact
from engine.call import Call
from engine.compute import look_up
from engine.errors import NOT_WORTH_RETRYING, StageError
from engine.prefect_gpu import gpu_alone
from engine.prefect_progress import ProgressArtifacts
from engine.prefect_records import HandleSerializer, KeyLocks, RecipePolicy, RecordStorage
from engine.record import Record
from engine.session import Session
from engine.stage import Bound, Stage
from engine.store import Store
from engine.work import Progress

if TYPE_CHECKING:
    from prefect.states import State

log = logging.getLogger(__name__)


def _worth_retrying(task: Any, task_run: Any, state: State[Any]) -> bool:
    """A timeout or a full disk will not go away by itself; neither will a wrong input."""
    try:
        state.result()
    except NOT_WORTH_RETRYING:
        return False
    except Exception:  # noqa: BLE001 - whatever else it was may pass
        return True
    return True


Compute = Callable[[Session, Call], list[Artifact]]


def compute_here(session: Session, call: Call) -> list[Artifact]:
    """Compute a call in this process, alone on its GPU if it wants one."""
    with gpu_alone(call.stage):
        return list(session.compute(call, attempts=1).artifacts)


def make_task(
    stage: Stage[Any, Any], store: Store, refresh: bool, compute: Compute = compute_here
) -> prefect.Task[..., Any]:
    """The Prefect task of a stage.

    Arguments:
        refresh: compute even if there is a record.
        compute: does so, here or elsewhere.
    """

    def body(slot: str, key: str, inputs: Mapping[str, Any], params: Mapping[str, Any]) -> Any:
        bound = Bound(dict(inputs), dict(params))
        session = sessions.active() or Session(Store(store.address))
        call = Call(slot, stage, bound, recipe=stage.recipe(bound))
        return compute(session, call)

    body.__name__ = stage.name
    body.__qualname__ = stage.name
    body.__doc__ = stage.fn.__doc__
    body.__module__ = stage.fn.__module__
    options = stage.options
    decorate: Any = prefect.task
    made: prefect.Task[..., Any] = decorate(
        body,
        name=stage.name,
        description=inspect.getdoc(stage.fn),
        task_run_name="{slot}",
        cache_policy=RecipePolicy().configure(
            isolation_level=IsolationLevel.SERIALIZABLE,
            lock_manager=KeyLocks(store.address),
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
    made.result_storage = RecordStorage(root=store.address)
    return made


class PrefectRunner:
    """Executes calls as Prefect task runs; cached ones appear there too, as `Cached`.

    Arguments:
        shown: is told how many calls of a mapped stage have ended.
    """

    def __init__(self, shown: ProgressArtifacts | None = None) -> None:
        self._shown = shown
        self._tasks: dict[tuple[Any, ...], prefect.Task[..., Any]] = {}

    def run(self, session: Session, call: Call, hit: Record | None) -> tuple[Record, bool]:
        """Run the call as a task in this thread."""
        state = self._task(session, call)(**self._arguments(call), return_state=True)
        return self._conclude(session, call, state)

    def run_all(self, session: Session, calls: Sequence[Call]) -> None:
        """Run the calls as tasks, on the flow's task runner if they gain from it.

        The first error is raised after the others ended.
        """
        errors = []
        if all(call.stage.options.parallel for call in calls):
            there, futures = _where(), []
            for call in calls:
                session.examine(call)
                futures.append(self._task(session, call, there).submit(**self._arguments(call)))
            try:
                for ended, (call, future) in enumerate(zip(calls, futures, strict=True)):
                    future.wait()
                    self._tell(calls, ended + 1)
                    try:
                        session.accept(call, *self._conclude(session, call, future.state))
                    except Exception as error:  # noqa: BLE001 - the others are waited for first
                        session.fail(call, error)
                        errors.append(error)
            except BaseException:
                session.stop.set()  # else the task runner waits for them
                raise
        else:
            for ended, call in enumerate(calls):
                try:
                    session.finish(call)
                except Exception as error:  # noqa: BLE001 - the others run all the same
                    errors.append(error)
                self._tell(calls, ended + 1)
        if errors:
            raise errors[0]

    def _tell(self, calls: Sequence[Call], ended: int) -> None:
        if self._shown is not None and len(calls) > 1:
            self._shown.note(calls[0].stage.name, Progress(ended, len(calls), "call"))

    def _task(
        self, session: Session, call: Call, compute: Compute = compute_here
    ) -> prefect.Task[..., Any]:
        at = (call.stage.fn, call.force, compute)
        if at not in self._tasks:
            self._tasks[at] = make_task(call.stage, session.store, call.force, compute)
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


def _where() -> Compute:
    """What computes mapped calls: the flow run's task runner, if it is for more than threads here."""
    context = FlowRunContext.get()
    return getattr(context.task_runner, "compute", compute_here) if context else compute_here
