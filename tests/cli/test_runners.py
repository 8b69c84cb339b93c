"""`latentflow run --runner dask`: what is refused, and how soon."""

from __future__ import annotations

import socket

from tests.cli.project import Project


def test_a_run_without_prefect_has_no_runner(project: Project) -> None:
    for option in (("--runner", "dask"), ("--scheduler", "tcp://box:8786")):
        said = project.bad("run", "toy", "--local", *option, code=2)
        assert "--local computes everything in this process" in " ".join(said.split())


def test_unfit_runners_are_refused_before_any_work(project: Project) -> None:
    assert "there is no runner ray: threads or dask" in project.bad("run", "toy", "--runner", "ray")
    said = project.bad("run", "toy", "--scheduler", "tcp://box:8786")
    assert "tcp://box:8786 is for the runner dask, not threads" in said
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and does not listen
        address = f"tcp://127.0.0.1:{taken.getsockname()[1]}"
        said = project.bad("run", "toy", "--runner", "dask", "--scheduler", address)
    assert f"no Dask scheduler answers at {address} (Connection refused)" in said
    assert "starting" not in said and not (project.store / "runs").exists()


def test_the_environment_chooses_for_runs_with_prefect_only(project: Project) -> None:
    chosen = {"LATENTFLOW_RUNNER": "dask", "LATENTFLOW_SCHEDULER": "tcp://127.0.0.1:1"}
    assert project.run("run", "toy", **chosen).returncode == 1
    assert project.run("run", "toy", "--local", **chosen).returncode == 0
    assert "nothing is stale" in project.run("run", "toy", **chosen).stdout
