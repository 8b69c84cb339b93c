"""Progress in Prefect's UI: a bar for each long computation, and a table of what it measured."""

from __future__ import annotations

import contextlib
import contextvars
import functools
import json
import logging
import threading
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from prefect import get_client
from prefect.client.schemas.actions import ArtifactCreate, ArtifactUpdate
from prefect.context import FlowRunContext, TaskRunContext

from engine.pace import Pace
from engine.prefect_ui import artifact_key
from engine.work import Progress

if TYPE_CHECKING:
    from uuid import UUID

    from engine.session import Session

log = logging.getLogger(__name__)

_EVERY_SECONDS = 2.0
_WORTH_A_BAR = 3.0  # seconds after the first report; what ends sooner is not shown
_MOST_ROWS = 500


class _Bar:
    """What one slot has told, and which artifacts show it."""

    def __init__(self, slot: str, progress: Progress) -> None:
        context = TaskRunContext.get()
        self.slot = slot
        self.task_run: UUID | None = context.task_run.id if context else None
        self.since = time.monotonic()
        self.pace = Pace(progress)
        self.rows: list[dict[str, Any]] = []
        self.changed = True
        self.artifacts: dict[str, UUID] = {}
        self.take(progress)

    def take(self, progress: Progress) -> None:
        self.pace.note(progress)
        self.changed = True
        row = {name: float(f"{value:.6g}") for name, value in progress.figures.items()}
        first = next(iter(row), None)
        if first is None:
            return
        if self.rows and self.rows[-1][first] == row[first]:
            self.rows[-1] = row  # e.g. the same epoch, a later step
        elif len(self.rows) < _MOST_ROWS:
            self.rows.append(row)


class ProgressArtifacts:
    """Shows the progress of a flow run, from a thread of its own: a slow server slows no stage.

    Arguments:
        flow: its name.
    """

    def __init__(self, flow: str) -> None:
        self._flow = flow
        context = FlowRunContext.get()
        self._flow_run = context.flow_run.id if context and context.flow_run else None
        self._bars: dict[str, _Bar] = {}
        self._mutex = threading.Lock()
        self._ended = threading.Event()

    @contextlib.contextmanager
    def shown(self) -> Iterator[ProgressArtifacts]:
        """Keep the server told while the block runs."""
        # With this context: Prefect's settings, the server's address among them, are part of it.
        tell = functools.partial(contextvars.copy_context().run, self._tell_until_the_end)
        thread = threading.Thread(target=tell, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._ended.set()
            thread.join(5 * _EVERY_SECONDS)

    def listen_to(self, session: Session) -> None:
        """Take a session's progress, beside who listens already."""
        before = session.on_progress

        def note(call: Any, progress: Progress) -> None:
            if before is not None:
                before(call, progress)
            self.note(call.slot, progress)

        session.on_progress = note

    def note(self, slot: str, progress: Progress) -> None:
        """A slot, or a mapped stage as a whole, is so far."""
        with self._mutex:
            if slot in self._bars:
                self._bars[slot].take(progress)
            else:
                self._bars[slot] = _Bar(slot, progress)

    def _tell_until_the_end(self) -> None:
        try:
            last, due = False, list[_Bar]()
            while not (last or due):  # a run of short stages needs no client
                last = self._ended.wait(_EVERY_SECONDS)
                due = self._due()
            if not due:
                return
            with get_client(sync_client=True) as client:
                while True:
                    for bar in due:
                        self._tell(client, bar)
                    if last:
                        return
                    last = self._ended.wait(_EVERY_SECONDS)
                    due = self._due()
        except Exception as error:  # noqa: BLE001 - pages are no part of the result
            log.warning("progress is not shown in the UI any more: %s", error)

    def _due(self) -> list[_Bar]:
        with self._mutex:
            now = time.monotonic()
            due = [
                bar
                for bar in self._bars.values()
                if bar.changed and (bar.artifacts or now - bar.since > _WORTH_A_BAR)
            ]
            for bar in due:
                bar.changed = False
            return due

    def _tell(self, client: Any, bar: _Bar) -> None:
        percent = round(100 * bar.pace.latest.fraction, 1)
        text = f"`{bar.slot}`: {bar.pace.text}"
        self._put(client, bar, "progress", percent, text)
        if len(bar.rows) > 1:
            rows = json.dumps(bar.rows)
            self._put(client, bar, "table", rows, f"What `{bar.slot}` measured so far")

    def _put(self, client: Any, bar: _Bar, kind: str, data: Any, description: str) -> None:
        known = bar.artifacts.get(kind)
        if known is not None:
            client.update_artifact(known, ArtifactUpdate(data=data, description=description))
            return
        name = f"{bar.slot}-{'progress' if kind == 'progress' else 'so-far'}"
        made = client.create_artifact(
            ArtifactCreate(
                key=artifact_key(self._flow, name),
                type=kind,
                data=data,
                description=description,
                flow_run_id=self._flow_run,
                task_run_id=bar.task_run,
            )
        )
        bar.artifacts[kind] = made.id
