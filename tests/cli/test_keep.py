"""verify, gc and pin."""

from __future__ import annotations

from tests.cli.project import STAGES


def _break_one(project) -> None:
    path = next((project.store / "objects").glob("*/*.npz"))
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[:-1])


def test_a_sound_store_is_told_to_be_sound(filled):
    found = filled.json("verify")
    assert found["sound"] and found["objects"] > STAGES
    assert filled.good("verify").startswith("sound: ")


def test_damage_is_an_exit_status_until_it_is_repaired(project):
    project.good("run", "toy", "--local")
    _break_one(project)
    done = project.run("verify")
    assert done.returncode == 1
    assert "content altered or truncated" in done.stdout
    assert "verify --repair" in done.stdout
    assert "set aside" in project.good("verify", "--repair")
    assert project.good("verify").startswith("sound: ")
    assert "nothing is stale" not in project.good("run", "toy", "--local")


def test_gc_keeps_the_newest_runs_and_the_pinned_ones(project):
    for n in (3, 4, 5):
        project.good("run", "toy", "--local", "--set", f"n={n}")
    oldest = project.json("runs")[-1]["run"]
    assert project.good("pin", "last~2") == f"pinned {oldest}\n"
    assert project.json("pin", "--list") == [oldest]
    planned = project.json("gc", "--keep", "1", "--dry-run")
    assert planned["dry_run"] and planned["freed_bytes"] > 0
    assert len(project.json("runs")) == 3
    said = project.good("gc", "--keep", "1", "--dry-run")
    assert f"run {oldest} is pinned" in said and "would free" in said
    assert project.json("gc", "--keep", "1")["freed_bytes"] == planned["freed_bytes"]
    assert [run["run"] for run in project.json("runs")][-1] == oldest
    assert "nothing is stale" in project.good("run", "toy", "--local", "--set", "n=3")
    assert project.good("pin", oldest, "--remove") == f"unpinned {oldest}\n"
    assert project.good("pin", "--list") == "no run is pinned\n"


def test_of_an_empty_store_there_is_nothing_to_say(project):
    assert project.good("verify") == "the store is empty: there is nothing to prove\n"
    assert project.good("gc", "--dry-run") == "the store is empty: there is nothing to remove\n"
    assert project.good("gc") == "the store is empty: there is nothing to remove\n"


def test_impossible_wishes(project):
    assert "name a run" in project.bad("pin", code=2)
    assert "at least the newest run" in project.bad("gc", "--keep", "0")
    project.good("run", "toy", "--local")
    assert "is not pinned" in project.bad("pin", "last", "--remove")
