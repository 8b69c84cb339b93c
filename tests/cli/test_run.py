"""`latentflow run --local`: what it computes, says and returns."""

from __future__ import annotations

import json

from tests.cli.project import STAGES


def test_a_first_run_computes_and_a_second_one_says_that_nothing_is_stale(project):
    first = project.good("run", "toy", "--local")
    assert f"toy: {STAGES} ran in " in first
    assert "[1/9] ● ran       make_values" in first
    second = project.good("run", "toy", "--local")
    assert second.startswith(f"toy: nothing is stale: {STAGES} cached in ")
    assert len(project.json("runs", "toy")) == 2


def test_the_headline_results_are_shown_with_what_was_expected(project):
    said = project.good("run", "toy", "--local").splitlines()
    assert said[-4:] == [
        "   result   value  expected",
        "✓  sum     54 dBm  54 (50 … 60)",
        "·  values       5",
        "Two numbers were found.",
    ]


def test_json_is_the_manifest_even_if_a_stage_prints(project):
    done = project.run("run", "toy", "--local", "--json", "--set", "sweep.ks=[13]")
    found = json.loads(done.stdout)
    assert found["status"] == "completed"
    assert found["outcomes"] == {"ran": STAGES - 2}
    assert found["findings"][0]["name"] == "sum"
    assert found["page"] is None and found["served"] is False
    assert "made by a stage that prints" in done.stderr
    assert "warning: 13 is said to be unlucky" in done.stderr


def test_a_changed_parameter_runs_what_depends_on_it(project):
    project.good("run", "toy", "--local")
    found = project.json("run", "toy", "--local", "--set", "sweep.ks=[1, 2, 3, 4]")
    ran = [s["slot"] for s in found["stages"] if s["outcome"] == "ran"]
    assert ran == ["scale[k=4]", "tabulate_findings"]


def test_cached_stages_share_a_line(project):
    project.good("run", "toy", "--local")
    said = project.good("run", "toy", "--local", "--refresh", "draw_dot")
    assert "[8/9] ✓ cached    make_values … tabulate_findings (8 stages)" in said
    assert "[9/9] = unchanged draw_dot" in said
    assert "asked for by --refresh" in said


def test_until_stops_and_from_starts_again(project):
    part = project.json("run", "toy", "--local", "--until", "clip")
    assert [s["slot"] for s in part["stages"]] == ["make_values", "clip"]
    project.good("run", "toy", "--local")
    found = project.json("run", "toy", "--local", "--from", "clip")
    outcomes = {s["slot"]: s["outcome"] for s in found["stages"]}
    assert outcomes["make_values"] == outcomes["draw_dot"] == "cached"
    assert outcomes["clip"] == outcomes["tabulate_findings"] == "unchanged"


def test_a_failed_stage_is_told_with_its_place_and_what_is_kept(project):
    said = project.bad("run", "toy", "--local", "--set", "bad=true")
    lines = said.splitlines()
    assert lines[0] == "error: stage check_values failed: ValueError: bad was asked for"
    assert lines[1].endswith("in check_values") and "flows/toy.py:" in lines[1]
    assert lines[2].startswith("5 finished stages are kept; the same command goes on")
    assert f"{STAGES - 5} ran · 5 cached" in project.good("run", "toy", "--local")


def test_debug_shows_the_traceback(project):
    done = project.run("run", "toy", "--local", "--set", "bad=true", "--debug")
    assert done.returncode == 1
    assert 'raise ValueError("bad was asked for")' in done.stderr


def test_damage_is_mended_with_one_warning(project):
    made = project.json("run", "toy", "--local")
    stage = next(s for s in made["stages"] if s["slot"] == "clip")
    sha256 = stage["artifacts"][0]["sha256"]
    (project.store / "objects" / sha256[:2] / f"{sha256[2:]}.npz").unlink()
    done = project.run("run", "toy", "--local")
    assert done.returncode == 0
    assert done.stderr.splitlines() == ["warning: clip: object clip: missing; it runs again"]
    assert f"1 unchanged · {STAGES - 1} cached" in done.stdout


def test_deep_finds_an_altered_byte(project):
    made = project.json("run", "toy", "--local")
    sha256 = made["results"]["dot"]["sha256"]
    path = project.store / "objects" / sha256[:2] / f"{sha256[2:]}.png"
    path.chmod(0o644)
    path.write_bytes(bytes(len(path.read_bytes())))
    assert "nothing is stale" in project.good("run", "toy", "--local")
    assert "1 unchanged" in project.good("run", "toy", "--local", "--deep")


def test_local_and_record_exclude_each_other(project):
    assert "choose one" in project.bad("run", "toy", "--local", "--record", code=2)


def test_a_server_that_does_not_answer_is_told(project):
    done = project.run("run", "toy", PREFECT_API_URL="http://127.0.0.1:9/api")
    assert done.returncode == 1
    assert "no Prefect server answers at http://127.0.0.1:9/api" in done.stderr
    assert "--local" in done.stderr and "Traceback" not in done.stderr
