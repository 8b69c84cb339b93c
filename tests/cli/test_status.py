from __future__ import annotations

import shutil

from tests.cli.project import STAGES, make_project


def test_a_flow_that_never_ran(project):
    (found,) = project.json("status")["flows"]
    assert found["state"] == "never ran"
    assert found["last_run"] is None and found["bytes"] == 0
    assert f"{STAGES} of {STAGES} stages would run" in project.good("status")
    assert "no runs yet" in project.good("runs")


def test_a_flow_is_judged_by_the_parameters_of_its_last_run(project):
    project.good("run", "toy", "--local", "--set", "n=7")
    found = project.json("status")["flows"][0]
    assert (found["state"], found["note"]) == ("fresh", "")
    assert found["bytes"] > 1000
    assert found["last_run"]["status"] == "completed"
    for path in (project.store / "records").glob("clip-*"):
        path.unlink()
    assert project.json("status")["flows"][0]["state"] == "stale"


def test_a_flow_that_cannot_be_imported_does_not_hide_the_others(tmp_path):
    project = make_project(tmp_path / "project")
    (project.root / "flows" / "broken.py").write_text("import nothing_of_that_name\n")
    (project.root / "flows" / "parts.py").write_text("SHARED = 1\n")
    states = {f["flow"]: f["state"] for f in project.json("status")["flows"]}
    assert states == {"broken": "broken", "toy": "never ran"}
    said = project.bad("run", "broken", "--local")
    assert "ModuleNotFoundError: No module named 'nothing_of_that_name'" in said
    assert "there is no flow parts" in project.bad("run", "parts")
    shutil.rmtree(project.root)


def test_parameters_that_no_longer_fit_are_named(project, tmp_path):
    project.good("run", "toy", "--local")
    (journal,) = (project.store / "runs" / "toy").glob("*.jsonl")
    journal.write_text(journal.read_text().replace('"n": 5', '"gone": 5', 1))
    found = project.json("status")["flows"][0]
    assert found["state"] == "stale"
    assert "no longer fit: gone" in found["note"]


def test_runs_are_listed_newest_first(filled):
    found = filled.json("runs")
    assert [run["preset"] for run in found] == ["standard", "quick"]
    assert found[1]["outcomes"] == {"ran": STAGES}
    assert len(filled.json("runs", "--newest", "1")) == 1
    said = filled.good("runs", "toy", "-n", "1")
    assert found[0]["run"].rpartition("-")[0] in said and "1 older" in said


def test_runs_of_an_unknown_flow(filled):
    assert "there is no flow tyo; did you mean toy?" in filled.bad("runs", "tyo")
