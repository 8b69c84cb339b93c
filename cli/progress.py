"""How far a run is, and one line a finished stage where there is no terminal."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from cli import words
from cli.messages import reasons_text
from engine import Outcome, Plan
from engine.call import Call
from engine.outcome import Cause, Reason
from engine.pace import Pace
from engine.session import Session
from engine.work import Progress as Done

_LOUDEST = (Outcome.FAILED, Outcome.RAN, Outcome.UNCHANGED, Outcome.CACHED)
_WORTH_SAYING = 0.5  # seconds
_SILENCE = 10.0  # seconds after which a mapped stage says how far it is


@dataclass
class Line:
    """One stage of the list, or all cells of a mapped one.

    Arguments:
        planned: slot → what the plan foresees.
        expected: seconds of the calls that will run, None where one never ran.
        ended: slot → what became of it.
        paces: slot → how far a running call says it is.
    """

    name: str
    planned: dict[str, Outcome] = field(default_factory=dict)
    expected: float | None = 0.0
    running: dict[str, float] = field(default_factory=dict)
    ended: dict[str, Outcome] = field(default_factory=dict)
    paces: dict[str, Pace] = field(default_factory=dict)
    seconds: float = 0.0
    since: float = 0.0
    until: float = 0.0

    @property
    def done(self) -> bool:
        """Whether every call of the line has ended."""
        return len(self.ended) >= len(self.planned)

    @property
    def outcome(self) -> Outcome:
        """The loudest outcome of what has ended, else what the plan foresees."""
        found = set(self.ended.values())
        for outcome in _LOUDEST:
            if outcome in found:
                return outcome
        return next(iter(self.planned.values()))

    @property
    def estimate(self) -> float:
        """Seconds to expect, 0 where that is unknown or not worth a word."""
        return self.expected if self.expected and self.expected >= _WORTH_SAYING else 0.0

    @property
    def title(self) -> str:
        """The stage's name, with the number of calls where it is more than one."""
        return f"{self.name} ×{len(self.planned)}" if len(self.planned) > 1 else self.name


class Progress:
    """Keeps the state of every stage; subclasses show it.

    Arguments:
        plan: what the run is expected to do.
        title: flow and preset.
    """

    def __init__(self, plan: Plan, title: str) -> None:
        self.title = title
        self._flow = plan.flow
        self.expected = plan.expected_seconds if not plan.without_estimate else None
        self.started = self._latest = time.monotonic()
        self.lines: list[Line] = []
        self._of_slot: dict[str, Line] = {}
        self._mutex = threading.RLock()
        self._interrupted = False
        for call in plan.calls:
            if call.outcome is not Outcome.SKIPPED:
                self._expect(call)

    def observe(self, session: Session) -> None:
        """Listen to a run's session."""
        if not self.finished:
            self.started = self._latest = time.monotonic()
        prefix = "" if session.flow == self._flow else f"{session.flow}/"  # a part of a group

        def placed(call: Call) -> Call:
            return replace(call, slot=prefix + call.slot)

        session.on_event = lambda call: self.note(placed(call))
        session.on_progress = lambda call, progress: self.note_progress(placed(call), progress)

    def interrupt(self) -> None:
        """The user has stopped the run: stages that end from now on did not fail."""
        self._interrupted = True

    def note(self, call: Call) -> None:
        """A call began or ended."""
        if self._interrupted and call.outcome is Outcome.FAILED:
            return
        with self._mutex:
            line = self._of_slot.get(call.slot) or self._expect(call)
            if call.outcome is Outcome.RUN:
                line.running[call.slot] = time.monotonic()
                line.since = line.since or time.monotonic()
                return
            line.running.pop(call.slot, None)
            line.paces.pop(call.slot, None)
            line.ended[call.slot] = call.outcome
            line.until = self._latest = time.monotonic()
            if call.outcome in (Outcome.RAN, Outcome.UNCHANGED):
                line.seconds += call.seconds
            self.show_end(call)

    def note_progress(self, call: Call, progress: Done) -> None:
        """A running call told how far it is."""
        with self._mutex:
            line = self._of_slot.get(call.slot) or self._expect(call)
            pace = line.paces.get(call.slot)
            if pace is None:
                line.paces[call.slot] = Pace(progress)
            else:
                pace.note(progress)
            self.show_pace(call, line.paces[call.slot])

    def show_pace(self, call: Call, pace: Pace) -> None:
        """A running call is further than before; the mutex is held."""

    def show_end(self, call: Call) -> None:
        """A call ended; the mutex is held."""

    @contextlib.contextmanager
    def shown(self) -> Iterator[None]:
        """Show progress for the length of a `with` block."""
        yield

    @property
    def total(self) -> int:
        """How many calls the run has."""
        return sum(len(line.planned) for line in self.lines)

    @property
    def finished(self) -> int:
        """How many of them have a result."""
        kept = (Outcome.RAN, Outcome.UNCHANGED, Outcome.CACHED)
        return sum(outcome in kept for line in self.lines for outcome in line.ended.values())

    @property
    def outcomes(self) -> dict[str, int]:
        """Outcome's word → number of calls that ended so, those of all parts of a group."""
        return dict(Counter(o.word for line in self.lines for o in line.ended.values()))

    @property
    def seconds(self) -> float:
        """Wall time from the first session to the last call that ended."""
        return self._latest - self.started

    def _expect(self, call: Call) -> Line:
        last = self.lines[-1] if self.lines else None
        name = call.slot.partition("[")[0].partition("#")[0]
        if last is None or last.name != name:
            last = Line(name)
            self.lines.append(last)
        last.planned[call.slot] = call.outcome
        if call.outcome is not Outcome.CACHED:
            known = last.expected is not None and call.expected is not None
            last.expected = (last.expected or 0.0) + (call.expected or 0.0) if known else None
        self._of_slot[call.slot] = last
        return last


class PlainProgress(Progress):
    """One line a finished stage, for files, pipes and CI.

    The calls of a mapped stage share a line, and so do cached stages that follow each other.
    """

    def __init__(self, plan: Plan, title: str) -> None:
        super().__init__(plan, title)
        self._done = 0
        self._cached: list[str] = []
        self._why: dict[str, str] = {}
        # Of a first run every line would say that its stage never ran before.
        first = [Reason(Cause.FIRST)]
        self._first = all(call.reasons == first for call in plan.calls)
        self._spoke = time.monotonic()

    @contextlib.contextmanager
    def shown(self) -> Iterator[None]:
        """Print what is left at the end."""
        try:
            yield
        finally:
            with self._mutex:
                self._print_cached()
                for line in self.lines:
                    if line.ended and not line.done and len(line.planned) > 1:
                        self._print_group(line)

    def show_end(self, call: Call) -> None:
        """Print the call's line, or wait for those that share it."""
        line = self._of_slot[call.slot]
        if call.outcome is Outcome.FAILED or len(line.planned) == 1:
            self._show_one(call)
            return
        if call.reasons and not self._first:
            self._why.setdefault(line.name, reasons_text(call.reasons))
        if not line.done:
            if time.monotonic() - self._spoke > _SILENCE:
                self._print_cached()
                self._print(line.outcome, f"{line.name}  {len(line.ended)} of {len(line.planned)}")
        elif line.outcome is Outcome.CACHED:
            self._cached += line.ended
        else:
            self._print_cached()
            self._print_group(line)

    def show_pace(self, call: Call, pace: Pace) -> None:
        """Say how far a call is if nothing was said for a while."""
        if time.monotonic() - self._spoke > _SILENCE:
            self._print_cached()
            percent = f"{100 * pace.latest.fraction:.0f} %"
            self._print(Outcome.RUN, f"{call.slot}  {percent} · {pace.text}")

    def _show_one(self, call: Call) -> None:
        if call.outcome is Outcome.CACHED:
            self._cached.append(call.slot)
            return
        self._print_cached()
        self._done += 1
        said = call.reasons and not self._first
        why = f"  ({reasons_text(call.reasons)})" if said else ""
        self._print(call.outcome, f"{call.slot}  {words.seconds(call.seconds)}{why}")

    def _print_group(self, line: Line) -> None:
        self._done += sum(outcome is not Outcome.FAILED for outcome in line.ended.values())
        ran = sum(outcome is not Outcome.CACHED for outcome in line.ended.values())
        of = "" if ran == len(line.planned) else f" ({ran} of them)"
        took = words.seconds(line.until - line.since) if line.since else ""
        why = f"  ({self._why[line.name]})" if line.name in self._why else ""
        self._print(line.outcome, f"{line.title}{of}  {took}{why}")

    def _print_cached(self) -> None:
        slots, self._cached = self._cached, []
        self._done += len(slots)
        if len(slots) > 2:
            self._print(Outcome.CACHED, f"{slots[0]} … {slots[-1]} ({len(slots)} stages)")
        elif slots:
            self._print(Outcome.CACHED, ", ".join(slots))

    def _print(self, outcome: Outcome, text: str) -> None:
        width = len(str(self.total))
        head = f"[{self._done:>{width}}/{self.total}] {outcome.sign} {outcome.word:<9}"
        print(f"{head} {text}", flush=True)
        self._spoke = time.monotonic()


def make_progress(plan: Plan, title: str, quiet: bool) -> Progress:
    """The progress display that fits stdout.

    Arguments:
        quiet: keep count only.
    """
    if quiet:
        return Progress(plan, title)
    if not sys.stdout.isatty():
        return PlainProgress(plan, title)
    from cli.live import LiveProgress

    return LiveProgress(plan, title)
