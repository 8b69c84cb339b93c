"""Sessions: what a stage's call means now: looked up, planned, computed here or by Prefect."""

from __future__ import annotations

import contextlib
import contextvars
import logging
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from engine.artifact import Artifact, Pending
from engine.call import Call, Selection
from engine.checkpoints import Checkpoints
from engine.compute import compute, find_earlier, load_earlier, look_up
from engine.errors import DamagedObject, InputError, StageError
from engine.healing import Healing
from engine.history import History
from engine.journal import Journal, StageRun
from engine.outcome import Cause, Outcome, Reason
from engine.record import Record
from engine.runner import LocalRunner, Runner
from engine.stage import Bound, Stage
from engine.store import Store
from engine.work import Progress, Stop, Work

log = logging.getLogger(__name__)

_CURRENT: contextvars.ContextVar[Session | None] = contextvars.ContextVar("session", default=None)

DEFAULT_MAX_BYTES = 2 << 30


class Session:
    """One pass over a flow: a plan, or a run with its journal.

    Arguments:
        planning: look results up and compute nothing.
        previous: slot → what an earlier run made of it, for reasons and expected seconds.
        wanted: the slots to run, or None for all.

    `on_event` may be set to a listener: it is told of a call when its computation begins (its
    outcome is then RUN) and when it has ended, from whichever thread that happens in;
    `on_progress` likewise, of how far a computation is. `stop` ends what is being computed.
    """

    def __init__(
        self,
        store: Store,
        *,
        planning: bool = False,
        journal: Journal | None = None,
        previous: Mapping[str, StageRun] | None = None,
        selection: Selection | None = None,
        wanted: frozenset[str] | None = None,
        runner: Runner | None = None,
    ) -> None:
        self.store = store
        self.planning = planning
        self.journal = journal
        self._history = History(store, previous or {})
        self.selection = selection or Selection()
        self.wanted = wanted
        self.runner: Runner = runner or LocalRunner()
        self.calls: list[Call] = []
        self.on_event: Callable[[Call], None] | None = None
        self.on_progress: Callable[[Call, Progress], None] | None = None
        self.stop = Stop()
        self._slots: dict[str, int] = {}
        self._tainted: set[str] = set()
        self.sources: dict[str, tuple[Artifact, Path]] = {}
        self._healing = Healing(store, self.sources, self.compute, self._log)
        self._mutex = threading.RLock()

    @property
    def run_id(self) -> str:
        """The id of the run, empty outside one."""
        return self.journal.id if self.journal else ""

    @property
    def flow(self) -> str:
        """The name of the flow that is run, empty outside a run."""
        return self.journal.path.parent.name if self.journal else ""

    @contextlib.contextmanager
    def active(self) -> Iterator[Session]:
        """Make this the session that stages called in the block belong to."""
        token = _CURRENT.set(self)
        try:
            yield self
        finally:
            _CURRENT.reset(token)

    # Calls

    def perform(self, stage: Stage[Any, Any], bound: Bound, label: str) -> Any:
        """Do what a call of the stage means in this session; returns handles."""
        call = self._enter(stage, bound, label)
        if call.outcome is not Outcome.SKIPPED:
            self.finish(call)
        return self._result(call)

    def perform_all(self, stage: Stage[Any, Any], cells: Sequence[tuple[str, Bound]]) -> list[Any]:
        """The same for many independent calls."""
        calls = [self._enter(stage, bound, label) for label, bound in cells]
        due = [call for call in calls if call.outcome is not Outcome.SKIPPED]
        if self.planning:
            for call in due:
                self.finish(call)
        else:
            self.runner.run_all(self, due)
        return [self._result(call) for call in calls]

    def finish(self, call: Call) -> None:
        """Look the call's result up and, unless this is a plan, compute a stale one."""
        hit = self.examine(call)
        if self.planning:
            return
        try:
            record, computed = self.runner.run(self, call, hit)
        except BaseException as error:
            self.fail(call, error)
            raise
        self.accept(call, record, computed)

    def examine(self, call: Call) -> Record | None:
        """Set the call's recipe, reasons and, in a plan, its outcome; returns a sound record."""
        call.expected = self._history.seconds(call)
        asked = self._asked(call)
        pending = dict.fromkeys(h.slot for _, h in call.handles() if isinstance(h, Pending))
        if pending:
            sure = ([asked] if asked else []) + self._history.why_for_sure(call)
            call.outcome = Outcome.RUN if sure else Outcome.UNKNOWN
            call.reasons = sure or [Reason(Cause.UPSTREAM, slot) for slot in pending]
            return None
        call.recipe = call.stage.recipe(call.bound)
        with self.store.using():
            record, faults = look_up(
                self.store, call.key, call.stage.output_names, self.selection.deep
            )
            if not self.planning:
                self._begin(call)  # from here on the collector knows that this run uses it
        if record is not None and asked is None:
            call.outcome = Outcome.CACHED
            call.artifacts, call.seconds = record.artifacts, record.seconds
            self._remember(call)
            return record
        if faults and not self.planning:
            log.warning("%s: %s; it runs again", call.slot, "; ".join(f.text for f in faults))
            self._healing.set_aside(call.key)
        call.force = asked is not None or bool(faults)
        call.outcome = Outcome.RUN
        call.reasons = ([asked] if asked else []) + faults or self._history.why(call)
        self._tell(call)
        return None

    def compute(self, call: Call, attempts: int | None = None) -> Record:
        """Compute the call here and now; inputs found damaged are made again first.

        Arguments:
            attempts: tries, instead of one more than the stage's retries.
        """
        assert call.recipe is not None
        attempts = attempts or call.stage.options.retries + 1
        for _ in range(1 + sum(1 for _ in call.handles())):
            try:
                return compute(
                    self.store,
                    call.stage,
                    call.recipe,
                    call.bound,
                    attempts,
                    call.slot,
                    self._work(call),
                )
            except DamagedObject as damage:
                self._healing.heal(damage)
        raise StageError(f"{call.slot}: an input is damaged again each time it is made")

    def accept(self, call: Call, record: Record, computed: bool) -> None:
        """Note what became of a call."""
        call.artifacts, call.seconds = record.artifacts, record.seconds
        if not computed:
            call.outcome = Outcome.CACHED
            call.reasons = []
        elif self._history.same_bytes(call, record.artifacts):
            call.outcome = Outcome.UNCHANGED
        else:
            call.outcome = Outcome.RAN
        self._remember(call)
        self._log(call)

    def adopt(self, calls: Sequence[Call], sources: Mapping[str, tuple[Artifact, Path]]) -> bool:
        """Take over the calls of a plan that found everything cached, if all is still there."""
        with self.store.using(), self.store.storage.surveyed():
            if any(self.store.fault(a) for call in calls for a in call.artifacts):
                return False
            self.calls += calls
            self.sources.update(sources)
            for artifact, _ in sources.values():
                self._log_source(artifact)
            for call in calls:
                if call.outcome is Outcome.CACHED:
                    self._remember(call)
                    self._log(call)
        return True

    def fail(self, call: Call, error: BaseException) -> None:
        """Note that a call failed."""
        call.outcome = Outcome.FAILED
        self._log(call, f"{type(error).__name__}: {error}")

    def source(self, path: Path, max_bytes: int) -> Artifact:
        """Take a file from outside into the store; see `engine.source`."""
        with self.store.using():
            artifact = self.store.put_file(path, max_bytes, copy=not self.planning)
            self.sources[artifact.sha256] = (artifact, path)
            self._log_source(artifact)
        return artifact

    def source_folder(self, path: Path, suffixes: tuple[str, ...], max_files: int) -> Artifact:
        """Take a folder from outside into the store; see `engine.source_folder`."""
        from engine.folder import Limits, list_folder, put_folder

        folder = list_folder(path, suffixes, Limits(files=max_files))
        with self.store.using():
            artifact = put_folder(self.store, folder, copy=not self.planning)
            self.sources[artifact.sha256] = (artifact, path)
            self._log_source(artifact)
        return artifact

    def load(self, artifact: Artifact) -> Any:
        """An artifact's value; if its object is damaged, the stage that made it runs again."""
        try:
            return self.store.load(artifact)
        except DamagedObject as damage:
            self._healing.heal(damage)
            return self.store.load(artifact)

    # Parts

    def _enter(self, stage: Stage[Any, Any], bound: Bound, label: str) -> Call:
        with self._mutex:
            base = f"{stage.name}[{label}]" if label else stage.name
            count = self._slots[base] = self._slots.get(base, 0) + 1
            slot = base if count == 1 else f"{base}#{count}"
            call = Call(slot, stage, bound)
            self.calls.append(call)
        unasked = self.wanted is not None and slot not in self.wanted
        blind = not self.planning and any(isinstance(h, Pending) for _, h in call.handles())
        if unasked or blind:
            call.outcome = Outcome.SKIPPED
        return call

    def _result(self, call: Call) -> Any:
        handles: Sequence[Any] = call.artifacts or [
            Pending(name, call.slot) for name in call.stage.output_names
        ]
        return call.stage.pack(handles)

    def _asked(self, call: Call) -> Reason | None:
        """Whether the user asked for this call to run: by name, or by one of its ancestors."""
        names = {call.stage.name, call.slot}
        tainted = any(
            (h.slot if isinstance(h, Pending) else h.sha256) in self._tainted
            for _, h in call.handles()
        )
        if tainted or names & set(self.selection.since):
            self._tainted.add(call.slot)
            return Reason(Cause.REFRESH, "--from")
        return Reason(Cause.REFRESH, "--refresh") if names & set(self.selection.refresh) else None

    def _begin(self, call: Call) -> None:
        if self.journal is not None:
            self.journal.write("begin", slot=call.slot, key=call.key)

    def _log(self, call: Call, error: str = "") -> None:
        if self.journal is not None:
            self.journal.write("stage", **call.to_run(error).to_json())
        self._tell(call)

    def _tell(self, call: Call) -> None:
        if self.on_event is not None:
            self.on_event(call)

    def _work(self, call: Call) -> Work:
        """What the call's function sees of its computation."""

        def report(progress: Progress) -> None:
            if self.on_progress is not None:
                self.on_progress(call, progress)

        def earlier() -> Any:
            assert call.recipe is not None
            record = find_earlier(self.store, call.stage, call.recipe)
            return load_earlier(self.store, call.stage, record)

        folder = self.store.checkpoints / call.key
        return Work(call.key, Checkpoints(folder), report, self.stop, earlier)

    def _log_source(self, artifact: Artifact) -> None:
        if self.journal is not None:
            self.journal.write("source", artifact=artifact.to_json())

    def _remember(self, call: Call) -> None:
        self._healing.remember(call)
        with self._mutex:
            if call.slot in self._tainted:
                self._tainted.update(artifact.sha256 for artifact in call.artifacts)


def current() -> Session:
    """The active session, or one on the default store that keeps no journal."""
    return _CURRENT.get() or Session(Store())


def active() -> Session | None:
    """The active session, if there is one."""
    return _CURRENT.get()


def source(path: str | Path, max_bytes: int = DEFAULT_MAX_BYTES) -> Artifact:
    """A handle to a file from outside, known by its content and kept in the store.

    Arguments:
        path: the user's file; it is only read.
        max_bytes: refuse a larger one.

    Raises:
        InputError: it is missing, no file, unreadable or too large.
    """
    if not str(path):
        raise InputError("the path of a file is empty")
    return current().source(Path(path).expanduser(), max_bytes)


def source_folder(
    path: str | Path, suffixes: tuple[str, ...], max_files: int = 200_000
) -> Artifact:
    """A handle to a folder from outside: one `File` that holds its files' names and bytes.

    Read it with `engine.folder.PackedFolder`. It is known by its content: a copy of the folder or
    one renamed is the same, and so is one that differs only in files that are not taken.

    Arguments:
        suffixes: of the files to take, e.g. `(".png", ".jpg")`; hidden ones stay out.
        max_files: refuse more.

    Raises:
        InputError: it is missing, no folder, unreadable or too large, or a link leads out of it.
    """
    if not str(path):
        raise InputError("the path of a folder is empty")
    return current().source_folder(Path(path).expanduser(), suffixes, max_files)


def load(artifact: Artifact) -> Any:
    """The value behind a handle: an array, table, JSON data, `Picture` or `File`."""
    return current().load(artifact)
