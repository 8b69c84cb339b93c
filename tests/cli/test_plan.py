from __future__ import annotations

from tests.cli.project import STAGES


def test_a_first_plan_would_run_everything_and_computes_nothing(project):
    found = project.json("plan", "toy")
    assert [s["outcome"] for s in found["stages"]] == ["run"] * STAGES
    assert found["expected_seconds"] == 0
    assert "no stage has a recorded time yet" in project.good("plan", "toy")
    assert not (project.store / "objects").exists()


def test_reasons_are_told_old_and_new(filled):
    said = filled.good("plan", "toy", "--set", "n=6")
    lines = {line.split()[0]: line for line in said.splitlines()}
    assert "→ run" in lines["make_values"] and "params.n 5 → 6" in lines["make_values"]
    assert "? unknown" in lines["clip"] and "waits for make_values" in lines["clip"]
    assert lines["scale"].split()[1] == "×3"
    assert "waits for scale ×3, check_values, rest" in lines["tabulate_findings"]
    assert lines["toy:"].startswith(f"toy: 1 run · {STAGES - 1} unknown · about ")


def test_a_fresh_plan_says_so(filled):
    assert filled.good("plan", "toy").splitlines()[-1] == "toy: nothing is stale"
    assert filled.json("plan", "toy", "--preset", "quick")["fresh"]


def test_a_selection_is_planned(filled):
    found = filled.json("plan", "toy", "--until", "clip", "--refresh", "make_values")
    outcomes = {s["slot"]: s["outcome"] for s in found["stages"]}
    assert outcomes["make_values"] == "run"
    assert outcomes["tabulate_findings"] == "skipped"
