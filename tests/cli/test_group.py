"""A group of flows on the command line: what was done is told of all parts, shared work once."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.project import SAMPLE, STAGES, Project, make_project, use_store


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project with the group `pair` of two like flows, toy and again."""
    made = make_project(tmp_path_factory.mktemp("project"))
    shutil.copy(SAMPLE / "pair.py", made.root / "flows" / "pair.py")
    return made


@pytest.fixture
def project(both: Project, tmp_path: Path) -> Project:
    return use_store(both, tmp_path / "store")


def test_a_run_tells_of_all_parts_and_shows_the_headlines_of_the_whole(project: Project) -> None:
    first = project.good("run", "pair", "--local")
    assert f"pair: {STAGES + 1} ran · {STAGES} cached in " in first
    assert "never ran before" not in first
    assert "✓  sum" in first and "4 numbers of 2 flows." in first
    second = project.good("run", "pair", "--local")
    assert second.startswith(f"pair: nothing is stale: {2 * STAGES + 1} cached in ")
    assert "4 numbers of 2 flows." in second
    assert project.json("run", "pair", "--local")["outcomes"] == {"cached": 2 * STAGES + 1}


def test_what_one_part_does_is_expected_of_it_alone(project: Project) -> None:
    different = ["--set", "again.sweep.ks=[1,2,7]"]
    foreseen = project.good("plan", "pair", *different)
    assert re.search(r"again/make_values +→ run +the same as toy/make_values", foreseen)
    assert re.search(r"again/scale ×2 +→ run +the same as toy/scale\[k=1\]", foreseen)
    assert re.search(r"again/scale\[k=7\] +→ run +\? +never ran before", foreseen)
    seconds = {s["slot"]: s["expected_seconds"] for s in project.json("plan", "pair")["stages"]}
    assert seconds["again/make_values"] == 0 and seconds["toy/make_values"] is None


def test_provenance_goes_on_in_the_runs_of_the_parts(project: Project) -> None:
    project.good("run", "pair", "--local", "--set", "again.sweep.ks=[1,2,7]")
    said = project.good("show", "pair/join")
    assert "made by another run" not in said
    assert re.search(r"findings\[again\]: again/tabulate_findings", said)
    assert re.search(r"findings\[toy\]: toy/tabulate_findings", said)
    assert re.search(r"toy/make_values.values .* n=5", said)
    parts = project.json("run", "pair", "--local")["parts"]
    assert {name: part["status"] for name, part in parts.items()} == {
        "toy": "completed",
        "again": "completed",
    }


def test_a_part_that_fails_is_told_after_the_headlines_of_the_others(project: Project) -> None:
    done = project.run("run", "pair", "--local", "--set", "again.bad=true")
    assert done.returncode == 1
    assert "2 numbers of 1 flows." in done.stdout
    assert re.search(r"1 of 2 flows failed.*\n +again: .*bad was asked for", done.stderr)
    assert "nothing is stale" in project.good("run", "toy", "--local")


def test_where_no_part_is_complete_there_is_no_run_to_tell_of(project: Project) -> None:
    bad = ("--set", "toy.bad=true", "--set", "again.bad=true", "--until", "check_values")
    done = project.run("run", "pair", "--local", "--json", *bad)
    assert done.returncode == 1 and "2 of 2 flows failed" in done.stderr
    assert done.stdout == ""


@pytest.fixture
def measured(project: Project) -> Iterator[None]:
    """How long the toy's stages took elsewhere, beside the command line's own modules."""
    path = project.root / "cli" / "durations.json"
    before = path.read_bytes() if path.exists() else None
    stages = ("make_values", "clip", "scale", "rest", "check_values", "draw_dot")
    seconds = {"toy": {"standard": dict.fromkeys((*stages, "tabulate_findings"), 60.0)}}
    path.write_text(json.dumps({"probe_seconds": 0.01, "seconds": seconds}))
    yield
    if before is None:
        path.unlink()
    else:
        path.write_bytes(before)


@pytest.mark.usefixtures("measured")
def test_how_long_a_first_run_will_take_is_said_before_it_begins(project: Project) -> None:
    said = r"about \d.* (min|h) .*, judged by a short probe of this machine"
    assert re.search(rf"toy: {STAGES} run · {said}", project.good("plan", "toy"))
    first, *_ = project.good("run", "pair", "--local").splitlines()
    # The other part does the same; of what joins them nobody knows.
    assert re.fullmatch(
        rf"{2 * STAGES + 1} stages of {2 * STAGES + 1} to run, about .* and 1 of unknown length, "
        "judged by a short probe of this machine",
        first,
    )


def test_nothing_is_said_of_it_where_nothing_is_known(project: Project) -> None:
    first, *_ = project.good("run", "pair", "--local").splitlines()
    assert first.endswith("how long that takes is not known yet")
