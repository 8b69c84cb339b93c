"""Flows: wiring of stages that can be planned, run here, or run by Prefect."""

from __future__ import annotations

import functools
import logging
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from engine import environment, session
from engine.artifact import Artifact, walk
from engine.call import Selection
from engine.errors import InputError, LatentflowError
from engine.journal import Journal, RunRecord, previous_stages, read_run
from engine.outcome import Outcome
from engine.parameters import build, nearest
from engine.plan import Plan
from engine.runner import Runner
from engine.session import Session
from engine.stage import read_all_code
from engine.store import Store, project_root

if TYPE_CHECKING:
    from pydantic import BaseModel

log = logging.getLogger(__name__)

M = TypeVar("M", bound="BaseModel")
Wiring = Callable[[M], Mapping[str, Any]]
Page = Callable[[RunRecord, Store], Path]


@dataclass
class Run:
    """A finished run: its manifest, its named results, and the page made of it."""

    record: RunRecord
    results: dict[str, Any] = field(default_factory=dict)
    page: Path | None = None


class Flow(Generic[M]):
    """A flow: `fn` wires stages together and returns its results by name.

    Arguments:
        parameters: the model of `fn`'s only argument.
        presets: name → nested values that differ from the model's defaults.
        page: makes the report page of a run; called after every run, cached or not.
        check: looks at the parameters' outside data before any stage runs; raises InputError.
    """

    def __init__(
        self,
        fn: Wiring[M],
        name: str,
        parameters: type[M],
        presets: Mapping[str, Mapping[str, Any]],
        page: Page | None = None,
        check: Callable[[M], None] | None = None,
    ) -> None:
        functools.update_wrapper(self, fn, updated=())
        self.fn = fn
        self.name = name
        self.parameters = parameters
        self.presets = {"standard": {}, **presets}
        self.page = page
        self.check = check

    def __repr__(self) -> str:
        return f"<flow {self.name}>"

    def configure(
        self, preset: str = "standard", overrides: Sequence[str] | Mapping[str, Any] = ()
    ) -> M:
        """The parameters of a preset with overrides; raises InputError for what cannot be."""
        if preset not in self.presets:
            raise InputError(
                f"flow {self.name} has no preset {preset}{nearest(preset, list(self.presets))}"
            )
        return build(self.parameters, self.presets[preset], overrides, self.name)

    def __call__(self, parameters: M | None = None) -> Mapping[str, Any]:
        """Wire the stages into the active session; without one, run here and return the results."""
        parameters = parameters if parameters is not None else self.configure()
        if session.active() is not None:
            return self.fn(parameters)
        return self.run(parameters).results

    def plan(
        self, parameters: M, selection: Selection | None = None, store: Store | None = None
    ) -> Plan:
        """What a run would do, without computing anything.

        Raises:
            InputError: the parameters' data is unfit, or the selection names unknown stages.
        """
        store = store or Store()
        selection = selection or Selection()
        if self.check is not None:
            self.check(parameters)
        previous = previous_stages(store, self.name)

        def look(wanted: frozenset[str] | None) -> Plan:
            view = Session(
                store, planning=True, previous=previous, selection=selection, wanted=wanted
            )
            with store.storage.surveyed(), view.active():
                results = dict(self.fn(parameters))
            return Plan(self.name, view.calls, results, view.sources)

        plan = look(None)
        _check_selection(plan, selection)
        return look(plan.needed_for(selection.until)) if selection.until else plan

    def run(
        self,
        parameters: M,
        selection: Selection | None = None,
        store: Store | None = None,
        *,
        preset: str = "",
        runner: Runner | None = None,
        header: Mapping[str, Any] | None = None,
        observe: Callable[[Session], None] | None = None,
        plan: Plan | None = None,
    ) -> Run:
        """Run the flow in this process, compute what is stale and keep a journal.

        Arguments:
            plan: one just made for the same parameters, selection and store; made here if not.
            runner: who computes stale stages; this process unless given.
            header: more for the journal's first line.
            observe: is handed the session before the first stage, e.g. to show progress.

        Raises:
            InputError: unfit parameters, data or selection, before any stage runs.
            LatentflowError: a stage failed; what was finished is kept.
        """
        store = store or Store()
        selection = selection or Selection()
        plan = plan or self.plan(parameters, selection, store)
        wanted = frozenset(c.slot for c in plan.calls if c.outcome is not Outcome.SKIPPED)
        about = {
            "parameters": parameters.model_dump(mode="json"),
            "preset": preset,
            "selection": vars(selection),
            "environment": environment.describe(project_root()),
            **(header or {}),
        }
        journal = Journal(store, self.name, about)
        view = Session(
            store,
            journal=journal,
            previous=previous_stages(store, self.name),
            selection=selection,
            wanted=wanted if selection.until else None,
            runner=runner,
        )
        results: dict[str, Any] = {}
        status, error = "failed", ""
        try:
            if observe is not None:
                observe(view)
            if plan.fresh and runner is None and view.adopt(plan.calls, plan.sources):
                results = plan.results
            else:
                read_all_code()
                with view.active(), _terminable():
                    results = dict(self.fn(parameters))
            status = "completed"
        except Exception as failure:
            error = f"{type(failure).__name__}: {failure}"
            raise
        except BaseException as stop:  # Ctrl-C, SIGTERM, a flow run that was cancelled
            status, error = "interrupted", type(stop).__name__
            raise
        finally:
            journal.end(status, _named(results), error)
        record = read_run(journal.path)
        if record.status != status:  # the store took no journal, or not to its end
            record = _unwritten(record, view, results)
        page = None
        if self.page is not None and not selection.until:
            with view.active():
                page = self._make_page(record, store)
        return Run(record, results, page)

    def _make_page(self, record: RunRecord, store: Store) -> Path | None:
        """The page of a completed run; without one it is complete all the same."""
        assert self.page is not None
        try:
            return self.page(record, store)
        except Exception as error:
            log.warning(
                "the run is complete, but not its page (%s: %s)",
                type(error).__name__,
                error,
                exc_info=not isinstance(error, LatentflowError),
            )
            return None


def flow(
    *,
    name: str,
    parameters: type[M],
    presets: Mapping[str, Mapping[str, Any]],
    page: Page | None = None,
    check: Callable[[M], None] | None = None,
) -> Callable[[Wiring[M]], Flow[M]]:
    """Make a wiring function a flow; see `Flow`."""
    return lambda fn: Flow(fn, name, parameters, presets, page, check)


def _named(results: Mapping[str, Any]) -> dict[str, Artifact]:
    return {
        place: handle
        for name, value in results.items()
        for place, handle in walk(value, name)
        if isinstance(handle, Artifact)
    }


def _unwritten(record: RunRecord, view: Session, results: Mapping[str, Any]) -> RunRecord:
    """The manifest of a completed run whose journal could not be written, or not to its end."""
    record.status = "completed"
    record.stages = {c.slot: c.to_run() for c in view.calls if c.outcome is not Outcome.SKIPPED}
    record.results = _named(results)
    record.started = record.started or time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime())
    return record


def _check_selection(plan: Plan, selection: Selection) -> None:
    known = list(dict.fromkeys(c.stage.name for c in plan.calls))
    slots = {c.slot for c in plan.calls}
    for option in ("refresh", "since", "until"):
        for name in getattr(selection, option):
            if name not in known and name not in slots:
                word = "from" if option == "since" else option
                raise InputError(
                    f"--{word} {name}: flow {plan.flow} has no such stage{nearest(name, known)}"
                )


@contextmanager
def _terminable() -> Iterator[None]:
    """Turn SIGTERM into an orderly end: the journal says interrupted, locks are freed."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    if signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return

    def stop(number: int, frame: Any) -> None:
        raise SystemExit(128 + number)

    signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
