from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.cli.project import Project


def test_a_run_equals_itself(filled):
    assert filled.json("diff", "last", "last")["equal"]
    assert "nothing differs" in filled.good("diff", "toy:last")


def test_only_differences_are_told(filled):
    found = filled.json("diff", "last~1", "last")
    assert found["parameters"] == [{"name": "n", "old": 4, "new": 5}]
    assert found["code"] == [] and found["versions"] == []
    changed = {change["name"] for change in found["digests"]}
    assert {"make_values.values", "clip", "scale[k=2]", "draw_dot"} <= changed
    assert "rest" not in changed
    metrics = {change["name"]: (change["old"], change["new"]) for change in found["metrics"]}
    assert metrics["make_values.about.n"] == (4, 5)
    assert metrics["tabulate_findings.findings: sum"] == (36.0, 54.0)
    said = filled.good("diff", "last~1")
    assert "parameters" in said and "code" not in said


def test_a_page_of_it_is_written_where_it_is_asked_for(filled):
    page = Path(filled.json("diff", "last~1", "--page")["page"])
    assert page.is_relative_to(filled.store / "report")
    assert "Two runs compared" in page.read_text("utf-8")
    assert str(page.name) in filled.good("diff", "last~1", "--page")


def test_code_and_versions_are_compared(folder, tmp_path):
    root = tmp_path / "project"
    shutil.copytree(folder.root, root)
    store = tmp_path / "store"
    environment = {
        **folder.environment,
        "PYTHONPATH": str(root),
        "LATENTFLOW_STORE": str(store),
    }
    project = Project(root, store, environment)
    project.good("run", "toy", "--local")
    flow = root / "flows" / "toy.py"
    flow.write_text(flow.read_text().replace("clip(0, top)", "clip(0, top + 1)"))
    project.good("run", "toy", "--local")
    found = project.json("diff", "last~1")
    assert [change["name"] for change in found["code"]] == ["flows.toy.clip"]
    assert found["stages_of_symbols"] == {"flows.toy.clip": ["clip"]}
    assert "changed" in project.good("diff", "last~1")


def test_recipes_that_are_gone_are_told(project):
    project.good("run", "toy", "--local")
    for path in (project.store / "records").glob("clip-*"):
        path.unlink()
    assert project.json("diff", "last")["recipes_gone"] == ["clip"]
    assert "the recipes of 1 stage are gone" in project.good("diff", "last")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("last~9", "there are only 2 runs, the oldest is last~1"),
        ("nope", "there is no run 'nope'"),
        ("2", "2 runs start with '2'"),
        ("wifi:last", "there is no run of flow wifi"),
    ],
)
def test_a_run_that_is_not_there(filled, name, message):
    assert message in filled.bad("diff", name)


def test_a_run_is_found_by_the_start_of_its_id(filled):
    newest = filled.json("runs")[0]["run"]
    assert filled.json("diff", newest[:-2], f"toy:{newest}")["equal"]
