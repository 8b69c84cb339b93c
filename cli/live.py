"""The list of stages that redraws itself on a terminal."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from cli import words
from cli.progress import Line, Progress
from engine import Outcome

_BAR_CELLS = 16
_SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"


class LiveProgress(Progress):
    """A list that redraws itself; log lines scroll by above it."""

    @contextlib.contextmanager
    def shown(self) -> Iterator[None]:
        """Show the list while the block runs; then leave what ran, once, in the scrollback."""
        screen = Console(markup=False, highlight=False, emoji=False)
        live = Live(
            get_renderable=lambda: self._draw(screen.height - 2),
            console=screen,
            refresh_per_second=8,
            transient=True,
            redirect_stderr=sys.stderr.isatty(),
        )
        try:
            with live:
                yield
        finally:
            with self._mutex:
                ran = [n for n in self.lines if n.ended and n.outcome is not Outcome.CACHED]
            if ran:
                screen.print(self._table(ran))

    def _draw(self, height: int) -> RenderableType:
        with self._mutex:
            first, last = self._window(max(3, height - 1))
            parts: list[Any] = [self._header()]
            if first:
                parts.append(_dim(f"  … {words.plural(first, 'stage')} above"))
            parts.append(self._table(self.lines[first:last]))
            if last < len(self.lines):
                parts.append(_dim(f"  … {words.plural(len(self.lines) - last, 'stage')} to come"))
            return Group(*parts)

    def _window(self, height: int) -> tuple[int, int]:
        """The lines that fit: those that run now and their neighbours."""
        count = len(self.lines)
        if count <= height:
            return 0, count
        room = height - 2
        now = next((i for i, line in enumerate(self.lines) if not line.done), count)
        first = min(max(0, now - room // 2), count - room)
        return first, first + room

    def _header(self) -> Text:
        elapsed = words.seconds(time.monotonic() - self.started)
        expected = f" of about {words.seconds(self.expected)}" if self.expected else ""
        text = Text(self.title, style="bold")
        return text.append(f"  {self.finished} of {self.total} · {elapsed}{expected}", style="dim")

    def _table(self, lines: list[Line]) -> RenderableType:
        made = Table.grid(padding=(0, 2, 0, 0))
        made.add_column(no_wrap=True, width=1)
        made.add_column(no_wrap=True, overflow="ellipsis")
        made.add_column(no_wrap=True, overflow="ellipsis", min_width=10)
        made.add_column(no_wrap=True, overflow="ellipsis")
        for line in lines:
            made.add_row(*self._cells(line))
        return made

    def _cells(self, line: Line) -> tuple[Any, ...]:
        outcome = line.outcome
        if line.running and not line.done:
            elapsed = time.monotonic() - line.since
            frame = _SPINNER[int(time.monotonic() * 8) % len(_SPINNER)]
            sign = Text(frame, style="yellow")
            return sign, Text(line.title, style="bold"), _times(line, elapsed), _bar(line, elapsed)
        sign = Text(outcome.sign, style=outcome.colour)
        if not line.done and not line.ended:
            about = f"about {words.seconds(line.estimate)}" if line.estimate else ""
            return sign, _dim(line.title), _dim(about), ""
        cached = outcome is Outcome.CACHED
        many = len(line.planned) > 1
        took = line.until - line.since if many and line.since else line.seconds
        time_text = "" if cached else words.seconds(took)
        word = Text(outcome.word, style=outcome.colour)
        if many and not cached:
            ran = sum(o in (Outcome.RAN, Outcome.UNCHANGED) for o in line.ended.values())
            if ran < len(line.planned):
                word.append(f" ({ran} of {len(line.planned)})", style="dim")
        return sign, _dim(line.title) if cached else line.title, Text(time_text), word


def _times(line: Line, elapsed: float) -> Text:
    text = Text(words.seconds(elapsed))
    if len(line.planned) == 1 and elapsed < line.estimate:
        text.append(f" of about {words.seconds(line.estimate)}", style="dim")
    return text


def _bar(line: Line, elapsed: float) -> Text:
    """How far a line is: by what its calls say and their number, else by the time it took before."""
    paces = list(line.paces.values())
    if paces or len(line.planned) > 1:
        reached = sum(pace.latest.fraction for pace in paces)
        fraction = min((len(line.ended) + reached) / len(line.planned), 1.0)
        note = f" {len(line.ended)} of {len(line.planned)}" if len(line.planned) > 1 else ""
        note += " " + paces[-1].text if paces else ""
    elif line.estimate:
        fraction, note = min(elapsed / line.estimate, 0.99), ""
    else:
        return Text("")
    full = int(fraction * _BAR_CELLS)
    text = Text("━" * full, style="yellow")
    return text.append("━" * (_BAR_CELLS - full), style="bright_black").append(note, style="dim")


def _dim(text: str) -> Text:
    return Text(text, style="dim")
