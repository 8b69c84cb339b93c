"""Run records: one append-only file a run, read by `runs`, `diff`, `gc`, the plan and the report.

A line is one event: `start`, `begin` (a stage is about to be computed), `stage` (its outcome),
`end`. A line cut short by a crash is left out. The run's process holds a lock on its journal:
a journal without an end and without a lock is that of a crashed run.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import logging
import os
import secrets
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from engine.artifact import Artifact
from engine.errors import InputError
from engine.locks import is_held
from engine.outcome import Outcome, Reason
from engine.record import NAME
from engine.store import Store

log = logging.getLogger(__name__)

# A run elsewhere that has not renewed its journal for so long is dead: it does so after 40 s at
# most, and an upload is tried again for 60 s.
_SILENT_SECONDS = 150.0
_MOST_IN_VAIN = 10  # runs looked at for one that finished a stage: journals may be far away
_END = b'{"event": "end"'


@dataclass
class StageRun:
    """One stage of a run.

    Arguments:
        slot: its place in the flow: the stage's name, with a label where it is used repeatedly.
        seconds: wall time of the computation; for a cached stage, of the one that made it.
        inputs: place → digest.
        ended: seconds from the run's start to the stage's outcome; None in an old journal.
    """

    slot: str
    stage: str
    key: str
    outcome: Outcome
    reasons: list[Reason] = field(default_factory=list)
    seconds: float = 0.0
    artifacts: list[Artifact] = field(default_factory=list)
    inputs: dict[str, str] = field(default_factory=dict)
    error: str = ""
    ended: float | None = field(default=None, compare=False)

    def to_json(self) -> dict[str, Any]:
        """The stage's journal line, without its event's name and time."""
        return {
            "slot": self.slot,
            "stage": self.stage,
            "key": self.key,
            "outcome": self.outcome.word,
            "reasons": [r.to_json() for r in self.reasons],
            "seconds": round(self.seconds, 4),
            "artifacts": [a.to_json() for a in self.artifacts],
            "inputs": self.inputs,
            "error": self.error,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> StageRun:
        """The stage that `to_json` wrote; raises on garbage."""
        return cls(
            slot=data["slot"],
            stage=data["stage"],
            key=data["key"],
            outcome=Outcome.of(data["outcome"]),
            reasons=[Reason.from_json(r) for r in data["reasons"]],
            seconds=float(data["seconds"]),
            artifacts=[Artifact.from_json(a) for a in data["artifacts"]],
            inputs=dict(data["inputs"]),
            error=data["error"],
            ended=float(data["at"]) if "at" in data else None,
        )


@dataclass
class RunRecord:
    """A run's manifest, as far as its journal goes.

    Arguments:
        status: `completed`, `failed`, `interrupted`, `running` or `crashed`.
        results: the flow's named results.
        sources: the files from outside that the run read.
        parts: of a group: flow → run (its id, where there is one), status, error.
    """

    id: str
    flow: str
    path: Path
    status: str = "crashed"
    started: str = ""
    seconds: float = 0.0
    parameters: dict[str, Any] = field(default_factory=dict)
    preset: str = ""
    environment: dict[str, Any] = field(default_factory=dict)
    stages: dict[str, StageRun] = field(default_factory=dict)
    results: dict[str, Artifact] = field(default_factory=dict)
    sources: list[Artifact] = field(default_factory=list)
    parts: dict[str, dict[str, Any]] = field(default_factory=dict)
    error: str = ""

    @property
    def counts(self) -> dict[str, int]:
        """Outcome's word → number of stages."""
        counts: dict[str, int] = {}
        for run in self.stages.values():
            counts[run.outcome.word] = counts.get(run.outcome.word, 0) + 1
        return counts

    def to_json(self) -> dict[str, Any]:
        """The manifest as plain JSON data."""
        return {
            "run": self.id,
            "flow": self.flow,
            "status": self.status,
            "started": self.started,
            "seconds": self.seconds,
            "preset": self.preset,
            "parameters": self.parameters,
            "environment": self.environment,
            "outcomes": self.counts,
            "stages": [s.to_json() for s in self.stages.values()],
            "sources": [a.to_json() for a in self.sources],
            "results": {n: a.to_json() for n, a in self.results.items()},
            "parts": self.parts,
            "error": self.error,
        }


class Journal:
    """Writes one run's events; safe to use from several threads.

    A store that cannot be written gets no journal: one warning, and cached results still serve.

    Raises:
        InputError: the flow's name is no word.
    """

    def __init__(self, store: Store, flow: str, header: Mapping[str, Any]) -> None:
        if not NAME.fullmatch(flow):
            raise InputError(f"a flow's name is a word like wifi, not {flow!r}")
        now = datetime.now(UTC)
        self.id = f"{now:%Y%m%d-%H%M%S}-{now.microsecond:06d}-{secrets.token_hex(3)}"
        self.flow = flow
        self.path = store.runs / flow / f"{self.id}.jsonl"
        self._started = time.monotonic()
        self._mutex = threading.Lock()
        self._fd: int | None = None
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._fd = os.open(
                self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644
            )
            fcntl.flock(self._fd, fcntl.LOCK_EX)
        except OSError as error:
            self._close()
            log.warning("this run leaves no journal: %s (%s)", self.path, error.strerror)
        self._follower = store.storage.follow(self.path) if self._fd is not None else None
        who = {"pid": os.getpid(), "host": socket.gethostname()}
        self.write("start", flow=flow, started=now.isoformat(timespec="seconds"), **who, **header)

    def write(self, event: str, **data: Any) -> None:
        """Append one event, with the seconds since the run's start."""
        at = round(time.monotonic() - self._started, 3)
        text = (
            json.dumps({"event": event, "at": at, **data}, ensure_ascii=False, default=str) + "\n"
        )
        line = text.encode(errors="backslashreplace")
        with self._mutex:
            if self._fd is None:
                return
            try:
                while line:
                    line = line[os.write(self._fd, line) :]
            except OSError as error:
                log.warning("the journal ends early: %s (%s)", self.path, error.strerror)
                self._close()

    def end(self, status: str, results: Mapping[str, Artifact], error: str = "") -> None:
        """Append the last event and free the journal's lock."""
        self.write(
            "end",
            status=status,
            seconds=round(time.monotonic() - self._started, 3),
            results={name: a.to_json() for name, a in results.items()},
            error=error,
        )
        with self._mutex:
            self._close()
        if self._follower is not None:
            self._follower.end()

    def _close(self) -> None:
        fd, self._fd = self._fd, None
        if fd is not None:
            os.close(fd)


def read_run(path: Path) -> RunRecord:
    """Parse a journal; lines that are cut short or garbage are left out."""
    run = RunRecord(id=path.stem, flow=path.parent.name, path=path)
    ended = False
    for event in _events(path):
        kind = event.get("event")
        with contextlib.suppress(KeyError, TypeError, ValueError):
            if kind == "start":
                run.started = str(event["started"])
                run.parameters = dict(event.get("parameters", {}))
                run.preset = str(event.get("preset", ""))
                run.environment = dict(event.get("environment", {}))
                run.parts = {name: dict(about) for name, about in event.get("parts", {}).items()}
            elif kind == "source":
                run.sources.append(Artifact.from_json(event["artifact"]))
            elif kind == "stage":
                stage = StageRun.from_json(event)
                run.stages[stage.slot] = stage
            elif kind == "end":
                ended = True
                run.status = str(event["status"])
                run.seconds = float(event["seconds"])
                run.error = str(event.get("error", ""))
                results = event.get("results", {})
                run.results = {n: Artifact.from_json(a) for n, a in results.items()}
    if not ended and is_live(path):
        run.status = "running"
    return run


def _events(path: Path) -> Iterator[dict[str, Any]]:
    try:
        lines = path.read_bytes().splitlines()
    except OSError:
        return
    for line in lines:
        try:
            event = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(event, dict):
            yield event


def is_live(path: Path) -> bool:
    """Whether the run that writes this journal is still alive, here or on another machine."""
    if is_held(path):
        return True
    try:
        about = path.stat()
        if about.st_mode & 0o222 or time.time() - about.st_mtime > _SILENT_SECONDS:
            return False  # a journal of this machine, or one that has not been renewed
        return not path.read_bytes().rstrip().rpartition(b"\n")[2].startswith(_END)
    except OSError:
        return False


def list_runs(store: Store, flow: str | None = None, newest: int | None = None) -> list[Path]:
    """Journals, newest first; all flows or one, all runs or the newest few of each flow."""
    if flow is not None and not NAME.fullmatch(flow):
        return []  # it stands in a path, and people type it
    store.storage.gather(flow, newest)
    folders = [store.runs / flow] if flow else sorted(p for p in store.runs.glob("*") if p.is_dir())
    found: list[Path] = []
    for folder in folders:
        found += sorted(folder.glob("*.jsonl"), reverse=True)[:newest]
    return sorted(found, key=lambda p: p.stem, reverse=True)


def previous_stages(store: Store, flow: str, look_back: int = 5) -> dict[str, StageRun]:
    """Slot → what the newest run that finished this stage made of it.

    Arguments:
        look_back: how many runs to look at, of those that finished a stage.
    """
    found: dict[str, StageRun] = {}
    useful = seen = 0
    for newest in (look_back, _MOST_IN_VAIN * look_back):
        for path in list_runs(store, flow, newest)[seen:]:
            stages = read_run(path).stages
            finished = {slot: stage for slot, stage in stages.items() if stage.artifacts}
            found = {**found, **finished, **found}  # the newest first, and its word counts
            useful, seen = useful + bool(finished), seen + 1
            if useful == look_back:
                return found
        if seen < newest:
            break  # there are no more
    return found
