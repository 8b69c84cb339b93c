"""Ctrl-C, SIGTERM and SIGKILL while stages train in processes of their own: the next run goes on."""

from __future__ import annotations

import os
import shutil
import signal
from pathlib import Path

import pytest

from engine.journal import list_runs, read_run
from engine.store import Store
from tests.cli.project import SAMPLE, Project, make_project, use_store
from tests.processes import are_gone, descendants
from tests.waiting import PATIENCE, wait_for


@pytest.fixture(scope="module")
def trainer(tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = make_project(tmp_path_factory.mktemp("trainer"))
    shutil.copy(SAMPLE / "training.py", project.root / "flows" / "training.py")
    return project


def checkpoints(project: Project) -> list[Path]:
    return sorted((project.store / "checkpoints").glob("*/*.npz"))


def interrupt(project: Project, *arguments: str, number: int) -> tuple[int, set[int]]:
    """Stop a run whose trainings have all kept checkpoints; returns exit status and what was below it."""
    process = project.start("run", "training", *arguments)
    expected = 2 if "mapped=true" in arguments else 1

    def is_at_work() -> bool:
        assert process.poll() is None, process.communicate()[0]
        return len({path.parent for path in checkpoints(project)}) == expected

    wait_for("checkpoints", is_at_work)
    below = {pid for pid, line in descendants(process.pid).items() if "engine.isolate" in line}
    os.killpg(process.pid, number)
    process.communicate(timeout=PATIENCE)
    wait_for("the end of the trainings", lambda: are_gone(below))
    return process.returncode, below


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_training_goes_on_where_it_was_interrupted(
    trainer: Project, tmp_path: Path, number: int
) -> None:
    project = use_store(trainer, tmp_path / "store")
    code, below = interrupt(project, "--local", number=number)
    status = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGKILL: -9}[signal.Signals(number)]
    assert code == status and len(below) == 1
    assert project.json("verify")["sound"]
    kept = max(int(path.name[:12]) for path in checkpoints(project))
    assert project.json("runs")[0]["status"] == (
        "crashed" if number == signal.SIGKILL else "interrupted"
    )
    found = project.json("run", "training", "--local", "--set", "nap=0")
    assert found["outcomes"] == {"ran": 2} and not checkpoints(project)
    store = Store(project.store)
    made = read_run(list_runs(store)[0]).stages["train[1]"].artifacts
    assert [store.load(a) for a in made if a.name == "train.begun"] == [kept]


def test_so_do_several_side_by_side(trainer: Project, tmp_path: Path) -> None:
    project = use_store(trainer, tmp_path / "store")
    code, below = interrupt(project, "--local", "--set", "mapped=true", number=signal.SIGINT)
    assert code == 130 and len(below) == 2
    kept = len(checkpoints(project))
    assert kept and project.json("verify")["sound"]
    found = project.json("run", "training", "--local", "--set", "nap=0", "--set", "mapped=true")
    assert found["outcomes"] == {"ran": 2} and not checkpoints(project)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_so_do_those_of_a_prefect_run(trainer: Project, tmp_path: Path, number: int) -> None:
    project = use_store(trainer, tmp_path / "store")
    code, below = interrupt(project, "--set", "mapped=true", number=number)
    assert code == 128 + number and len(below) == 2
    assert project.json("runs")[0]["status"] == "interrupted"
    assert project.json("verify")["sound"]
    found = project.json("run", "training", "--local", "--set", "nap=0", "--set", "mapped=true")
    assert found["outcomes"] == {"ran": 2} and not checkpoints(project)
