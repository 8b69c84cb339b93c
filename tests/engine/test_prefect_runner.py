"""The same stages as Prefect task runs: same keys, same store, visible states."""

from __future__ import annotations

import json
import os
import random
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine import Store
from engine.journal import list_runs, read_run
from engine.verify import verify
from tests.engine import toy
from tests.engine.rough import rough
from tests.engine.s3_server import KEYS
from tests.engine.toy import SLOTS, artifact_of, count, digests, flip_bit, outcomes, run_toy
from tests.engine.zygote import Request, Zygote, open_zygote
from tests.flows.prefect_server import Server, start_server
from tests.waiting import wait_for

pytestmark = pytest.mark.slow

CACHED = dict.fromkeys(SLOTS, "cached")
KILLS = 22


@pytest.fixture(scope="module")
def prefect(server: Server) -> Iterator[Zygote]:
    with open_zygote(prefect=True) as helper:
        yield helper


class Runs:
    """Runs of a test's own store, each in a process of its own."""

    def __init__(self, helper: Zygote, server: Server, store: Store, folder: Path) -> None:
        self.helper, self.server, self.store, self.folder = helper, server, store, folder
        self.tally = folder / "tally"
        self.number = 0

    def request(self, flow: str = "toy", refresh: tuple[str, ...] = (), **values: Any) -> Request:
        self.number += 1
        own = self.folder / f"run {self.number}"
        own.mkdir()
        return Request(
            str(self.store.root),
            str(own),
            {"tally": str(self.tally), **values},
            api=self.server.api,
            refresh=list(refresh),
            flow=f"tests.engine.{flow}:{flow}",
        )

    def run(self, flow: str = "toy", refresh: tuple[str, ...] = (), **values: Any) -> Request:
        request = self.request(flow, refresh, **values)
        assert self.helper.run(request) == 0, read(request, "error.txt")
        return request

    def fail(self, flow: str, **values: Any) -> str:
        """A run that must fail; returns its error."""
        request = self.request(flow, **values)
        assert self.helper.run(request) == 1
        return read(request, "error.txt").splitlines()[0]

    def flow_run(self) -> dict[str, Any]:
        """The newest flow run, as the server knows it."""
        environment = json.loads(list_runs(self.store)[0].read_text().splitlines()[0])
        found: dict[str, Any] = self.server.ask(f"/flow_runs/{environment['prefect_flow_run']}")
        return found

    def task_runs(self, expected: int = len(SLOTS)) -> dict[str, dict[str, Any]]:
        """Name → task run of the newest flow run, as soon as the server has heard of all ends."""
        body = {"flow_runs": {"id": {"any_": [self.flow_run()["id"]]}}, "limit": 200}
        final = {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"}

        def ended() -> Any:
            found = self.server.ask("/task_runs/filter", body)
            done = [run for run in found if run["state_type"] in final]
            return done if len(done) == expected == len(found) else None

        return {run["name"]: run for run in wait_for("all task runs", ended)}

    def states(self) -> dict[str, str]:
        return {name: run["state_name"] for name, run in self.task_runs().items()}


@pytest.fixture
def runs(prefect: Zygote, server: Server, store: Store, tmp_path: Path) -> Runs:
    return Runs(prefect, server, store, tmp_path)


def read(request: Request, name: str) -> str:
    path = Path(request.folder) / name
    return path.read_text() if path.exists() else ""


def told(request: Request, name: str) -> Any:
    return json.loads(read(request, f"{name}.json"))


def warnings(request: Request) -> list[str]:
    lines = read(request, "log.txt").splitlines()
    return [line for line in lines if line.startswith(("WARNING:engine", "ERROR:engine"))]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Any:
    store = Store(tmp_path_factory.mktemp("undisturbed"))
    run = run_toy(store)
    keys = {slot: made.key for slot, made in run.record.stages.items()}
    return digests(run), keys


def test_a_run_with_prefect_is_one_without(runs: Runs, undisturbed):
    """Names, states, keys, digests, outcomes; and each reads the other's records."""
    expected, keys = undisturbed
    first = runs.run()
    assert told(first, "outcomes") == dict.fromkeys(SLOTS, "ran")
    assert told(first, "digests") == expected
    assert warnings(first) == []
    assert runs.states() == dict.fromkeys(SLOTS, "Completed")
    assert runs.flow_run()["state_name"] == "Completed"
    assert runs.flow_run()["name"] and runs.server.ask("/flows/filter", {})[0]["name"] == "toy"
    recorded = read_run(list_runs(runs.store)[0])
    assert {slot: made.key for slot, made in recorded.stages.items()} == keys
    assert sorted(p.stem for p in runs.store.records.iterdir()) == sorted(keys.values())

    local = run_toy(runs.store, tally=str(runs.tally))
    assert outcomes(local) == CACHED and digests(local) == expected

    second = runs.run()
    assert told(second, "outcomes") == CACHED
    assert runs.states() == dict.fromkeys(SLOTS, "Cached")
    assert set(count(runs.tally).values()) == {1}
    assert verify(runs.store).sound


def test_what_ran_without_prefect_is_cached_with_it(runs: Runs):
    run_toy(runs.store, tally=str(runs.tally))
    request = runs.run(ks=[1, 2, 3, 4])
    again = {"times[k=4]": "ran", "tabulate": "ran", "draw": "ran", "export": "ran"}
    assert told(request, "outcomes") == {**CACHED, **again}
    states = {name: run["state_name"] for name, run in runs.task_runs(9).items()}
    assert states == {n: "Completed" if n in again else "Cached" for n in {*SLOTS, *again}}


def test_refresh(runs: Runs):
    run_toy(runs.store, tally=str(runs.tally))
    request = runs.run(refresh=("clip", "times[k=2]"))
    again = {"clip": "unchanged", "times[k=2]": "unchanged"}
    assert told(request, "outcomes") == {**CACHED, **again}
    assert runs.states() == {n: "Completed" if n in again else "Cached" for n in SLOTS}
    assert count(runs.tally)["clip"] == count(runs.tally)["times-2"] == 2


# Damage


def test_damage_of_every_kind_is_mended_with_one_warning_each(runs: Runs, undisturbed):
    before = run_toy(runs.store, tally=str(runs.tally))
    runs.store.path_of(artifact_of(before, "times[k=1]")).unlink()
    cut = runs.store.path_of(artifact_of(before, "draw"))
    toy.overwrite(cut, cut.read_bytes()[:-1])
    toy.overwrite(runs.store.record_path(before.record.stages["export"].key), b"garbage")
    toy.overwrite(runs.store.record_path(before.record.stages["times[k=3]"].key), b"")
    request = runs.run()
    again = ["times[k=1]", "times[k=3]", "draw", "export"]
    assert told(request, "outcomes") == {**CACHED, **dict.fromkeys(again, "unchanged")}
    assert told(request, "digests") == undisturbed[0]
    said = warnings(request)
    assert len(said) == 4, said
    for slot, found in (
        ("times[k=1]", "object times: missing"),
        ("times[k=3]", "record damaged"),
        ("draw", "bytes"),
        ("export", "record damaged"),
    ):
        assert [line for line in said if f":{slot}: " in line and found in line], said
    assert runs.states() == {n: "Completed" if n in again else "Cached" for n in SLOTS}
    assert verify(runs.store).sound


def test_a_flipped_bit_is_found_by_a_read_and_mended(runs: Runs, undisturbed):
    before = run_toy(runs.store, tally=str(runs.tally))
    flip_bit(runs.store.path_of(artifact_of(before, "clip")), -40)
    request = runs.run(refresh=("times",))
    assert told(request, "digests") == undisturbed[0]
    assert count(runs.tally)["clip"] == 2 and count(runs.tally)["make"] == 1
    (warning,) = warnings(request)
    assert "content altered; clip runs again" in warning
    assert verify(runs.store).sound


# Retries, errors, timeouts, logs


def test_retries_are_visible(runs: Runs):
    runs.run("rough", failures=2)
    task_runs = runs.task_runs(7)
    assert task_runs["stumble"]["run_count"] == 3
    assert {run["state_name"] for run in task_runs.values()} == {"Completed"}
    assert count(runs.tally)["stumble"] == 3


def test_the_error_of_a_stage_is_that_of_the_run(runs: Runs):
    error = runs.fail("rough", broken=[2])
    assert error == "StageError: stage divide[by=2] failed: ArithmeticError: 2 is broken"
    assert runs.flow_run()["state_name"] == "Failed"
    states = {name: run["state_name"] for name, run in runs.task_runs(3).items()}
    assert states == {
        "stumble": "Completed",
        "divide[by=1]": "Completed",
        "divide[by=2]": "Failed",
    }
    assert read_run(list_runs(runs.store)[0]).status == "failed"
    assert count(runs.tally)["divide-2"] == 1


def test_a_failing_cell_loses_none_that_finished(runs: Runs):
    error = runs.fail("toy", ks=[1, -1, 2, 3])
    assert "times[k=-1]" in error and "k is -1" in error
    run = run_toy(runs.store, tally=str(runs.tally))
    assert [slot for slot, word in outcomes(run).items() if word == "ran"] == SLOTS[5:]


def test_a_timeout_stops_and_is_not_tried_again(runs: Runs):
    error = runs.fail("rough", seconds=3600.0)
    assert error == "StageTimeout: stage wait took longer than 10 s and was stopped"
    assert count(runs.tally)["wait"] == 1
    assert runs.task_runs(7)["wait"]["state_name"] == "Failed"


def test_logs_of_stages_arrive(runs: Runs):
    runs.run("rough", failures=1)
    body = {"logs": {"flow_run_id": {"any_": [runs.flow_run()["id"]]}}, "limit": 200}

    def arrived() -> Any:
        found = {line["message"]: line for line in runs.server.ask("/logs/filter", body)}
        wanted = {"trying to stand", "waiting apart from the others"}
        return found if wanted <= set(found) else None

    found = wait_for("what the stages logged", arrived)
    task_runs = runs.task_runs(7)
    for message, name in (
        ("trying to stand", "stumble"),
        ("waiting apart from the others", "wait"),
    ):
        assert found[message]["task_run_id"] == task_runs[name]["id"]
        assert found[message]["name"] == "tasks.rough"


# Concurrency


def test_runs_at_once_compute_every_stage_once(runs: Runs, undisturbed):
    """Two with Prefect and one without; stages long enough that they meet on a busy machine."""
    asked = [runs.request(nap=2.0) for _ in range(3)]
    asked[2].api = ""
    pids = [runs.helper.start(request) for request in asked]
    for pid, request in zip(pids, asked, strict=True):
        assert runs.helper.wait(pid) == 0, read(request, "error.txt")
    assert set(count(runs.tally).values()) == {1} and len(count(runs.tally)) == len(SLOTS)
    assert [told(request, "digests") for request in asked] == [undisturbed[0]] * 3
    assert any("waiting for run " in read(request, "log.txt") for request in asked)
    for slot in SLOTS:
        words = sorted(told(request, "outcomes")[slot] for request in asked)
        assert words == ["cached", "cached", "ran"], slot


# Kills


def test_killed_at_random_moments(runs: Runs, undisturbed):
    """The store is sound after each kill; the next run, with or without Prefect, completes.

    Every other kill comes at a random step towards the disk, the others at a random time.
    """
    seed = random.SystemRandom().randrange(2**32)
    moments = random.Random(seed)
    root, killed, span, kept_all = runs.store.root, 0, 2.0, []
    for trial in range(4 * KILLS):
        runs.store = Store(root / str(trial))
        request = runs.request()
        moment, started = moments.uniform(0.0, span), time.monotonic()
        if trial % 2:
            request.die_at = moments.randrange(1, 80)
        pid = runs.helper.start(request)
        if not trial % 2:
            time.sleep(moment)
            os.kill(pid, signal.SIGKILL)
        hint = f"seed {seed}, trial {trial}, step {request.die_at} or {moment:.3f} of {span:.3f} s"
        status = runs.helper.wait(pid)
        if status == 0:  # it was faster
            span = min(span, time.monotonic() - started)
            continue
        assert status == -signal.SIGKILL, f"{hint}: {read(request, 'error.txt')}"
        found = verify(runs.store)
        assert found.sound, f"{hint}: {found.findings}"
        kept = {path.stem for path in runs.store.records.glob("*")}
        kept_all.append(len(kept))
        runs.tally.unlink(missing_ok=True)
        with_prefect = trial % 5 == 0
        ran = run_toy(runs.store, tally=str(runs.tally)) if not with_prefect else None
        assert (digests(ran) if ran else told(runs.run(), "digests")) == undisturbed[0], hint
        assert count(runs.tally).total() == len(SLOTS) - len(kept), hint
        assert verify(runs.store).sound, hint
        killed += 1
        if killed == KILLS:
            break
    assert killed == KILLS, f"seed {seed}"
    assert len(set(kept_all)) >= 4, f"seed {seed}: the kills came all at one moment: {kept_all}"


def test_a_server_that_dies_in_the_middle_loses_no_finished_stage(
    runs: Runs, tmp_path: Path, undisturbed
):
    with start_server(tmp_path / "home", tmp_path / "store") as doomed:
        request = runs.request(nap=1.0)
        request.api = doomed.api
        pid = runs.helper.start(request)
        wait_for("the middle of the run", lambda: "times-1" in count(runs.tally))
        _kill_server(doomed)
    runs.helper.wait(pid)  # it may fail or get to its end; it must not hang
    assert verify(runs.store).sound
    kept = {path.stem for path in runs.store.records.glob("*")}
    assert len(kept) >= 2
    before = count(runs.tally).total()
    run = run_toy(runs.store, tally=str(runs.tally))
    assert digests(run) == undisturbed[0]
    assert count(runs.tally).total() - before == len(SLOTS) - len(kept)


def _kill_server(server: Server) -> None:
    """SIGKILL for whatever listens at the server's port."""
    port = f":{int(server.api.split(':')[2].split('/')[0]):04X} "
    inode = next(
        line.split()[9]
        for line in Path("/proc/net/tcp").read_text().splitlines()
        if port in line and line.split()[3] == "0A"
    )
    for folder in Path("/proc").glob("[0-9]*/fd"):
        try:
            held = any(str(fd.readlink()) == f"socket:[{inode}]" for fd in folder.iterdir())
        except OSError:
            continue
        if held:
            os.kill(int(folder.parent.name), signal.SIGKILL)


def test_the_rough_flow_is_the_same_without_prefect(store, tally):
    run = rough.run(rough.configure(overrides={"tally": str(tally)}), store=store)
    assert run.record.counts == {"ran": 7}


def test_machines_with_one_store_in_a_bucket_share_what_prefect_ran(runs, url, machine, tmp_path):
    made = []
    for name in ("a", "b"):
        request = runs.request()
        request.store = url
        request.environment = {
            **{key: os.environ[key] for key in (*KEYS, "AWS_ENDPOINT_URL")},
            "LATENTFLOW_CACHE": str(tmp_path / name),
        }
        assert runs.helper.run(request) == 0, read(request, "error.txt")
        made.append(json.loads(read(request, "digests.json")))
        expected = CACHED if name == "b" else dict.fromkeys(SLOTS, "ran")
        assert json.loads(read(request, "outcomes.json")) == expected
    assert made[0] == made[1] and count(runs.tally).total() == len(SLOTS)
    store = machine("c")
    assert verify(store).sound and not store.storage.bucket.list("locks/")
    assert [read_run(p).status for p in list_runs(store)] == ["completed"] * 2
