"""The live list, drawn into a string."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console

from cli.live import LiveProgress
from cli.progress import PlainProgress
from engine import Outcome, Plan, stage
from engine.call import Call
from engine.stage import Bound


@stage
def first(*, k: int = 0) -> int:
    return k


@stage
def second(*, k: int = 0) -> int:
    return k


def call(of: Any, label: str = "", outcome: Outcome = Outcome.RUN, expected: float = 4.0) -> Call:
    slot = f"{of.name}[{label}]" if label else of.name
    return Call(slot, of, Bound({}, {}), outcome=outcome, expected=expected)


def plan() -> Plan:
    cells = [call(second, f"k={k}") for k in range(4)]
    return Plan("toy", [call(first), *cells])


def drawn(progress: LiveProgress, width: int = 80, height: int = 20) -> str:
    console = Console(file=io.StringIO(), width=width, markup=False, color_system=None)
    console.print(progress._draw(height))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def end(progress: Any, of: Call, outcome: Outcome, seconds: float = 1.5) -> None:
    of.outcome, of.seconds = outcome, seconds
    progress.note(of)


def test_the_list_shows_what_ran_what_runs_and_what_is_to_come():
    foreseen = plan()
    progress = LiveProgress(foreseen, "toy · standard")
    assert "toy · standard  0 of 5" in drawn(progress)
    assert "about 4.0 s" in drawn(progress)
    end(progress, foreseen.calls[0], Outcome.RAN)
    progress.note(foreseen.calls[1])
    progress.note(foreseen.calls[2])
    end(progress, foreseen.calls[1], Outcome.CACHED)
    lines = drawn(progress).splitlines()
    assert lines[1].split() == ["●", "first", "1.5", "s", "ran"]
    assert "second ×4" in lines[2] and "1 of 4" in lines[2]
    for each in foreseen.calls[2:]:
        end(progress, each, Outcome.RAN)
    last = drawn(progress).splitlines()[2]
    assert "● second ×4" in " ".join(last.split()) and "ran (3 of 4)" in last
    assert progress.finished == progress.total == 5


@pytest.mark.parametrize("width", [40, 80])
def test_no_line_is_wider_than_the_screen(width):
    long = stage(_named("a_stage_whose_name_alone_is_wider_than_a_narrow_screen_is"))
    progress = LiveProgress(Plan("toy", [call(long), call(first)]), "toy · standard")
    progress.note(progress_call := call(long))
    assert progress_call.outcome is Outcome.RUN
    assert max(len(line.rstrip()) for line in drawn(progress, width).splitlines()) <= width


def test_a_long_list_shows_the_part_that_runs():
    many = [call(stage(_named(f"stage_{i:02d}"))) for i in range(40)]
    progress = LiveProgress(Plan("toy", many), "toy · standard")
    for each in many[:20]:
        end(progress, each, Outcome.RAN)
    progress.note(many[20])
    said = drawn(progress, height=12)
    assert "stage_20" in said and "stage_00" not in said and "stage_39" not in said
    assert "stages above" in said and "stages to come" in said
    assert len(said.splitlines()) <= 12


def test_an_interrupted_stage_has_not_failed(capsys):
    foreseen = plan()
    progress = PlainProgress(foreseen, "toy")
    progress.interrupt()
    end(progress, foreseen.calls[0], Outcome.FAILED)
    assert capsys.readouterr().out == ""


def test_the_calls_of_a_mapped_stage_share_a_line(capsys):
    foreseen = plan()
    progress = PlainProgress(foreseen, "toy")
    with progress.shown():
        for each, outcome in zip(
            foreseen.calls,
            [Outcome.CACHED, Outcome.CACHED, Outcome.RAN, Outcome.FAILED, Outcome.RAN],
            strict=True,
        ):
            each.outcome = Outcome.RUN
            progress.note(each)
            end(progress, each, outcome)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "[1/5] ✓ cached    first"
    assert lines[1].startswith("[2/5] ✗ failed    second[k=2]  1.5 s")
    assert lines[2].startswith("[5/5] ✗ failed    second ×4 (3 of them)")
    assert len(lines) == 3


def _named(name: str) -> Any:
    def function(*, k: int = 0) -> int:
        return k

    function.__name__ = function.__qualname__ = name
    return function
