"""The collector removes what no kept run reaches, and nothing else."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from engine import File, InputError, Parameters, Selection, Store, flow, source, stage
from engine.collect import Collection, collect
from engine.errors import StoreError
from engine.journal import Journal, list_runs
from engine.locks import FileLock
from engine.pins import list_pins, pin, unpin
from engine.session import Session
from engine.verify import verify
from tests.engine import toy
from tests.engine.toy import SLOTS, artifact_of, outcomes, overwrite, plan_toy, run_toy


def files(store: Store) -> set[str]:
    skipped = {"locks"}
    return {
        p.relative_to(store.root).as_posix()
        for p in store.root.rglob("*")
        if p.is_file() and p.relative_to(store.root).parts[0] not in skipped
    }


def reasons(found: Collection, kind: str) -> set[str]:
    return {item.reason for item in found.kept if item.kind == kind}


def is_fresh(store: Store, **values: Any) -> bool:
    return set(plan_toy(store, **values).values()) == {"cached"}


def test_an_empty_store_has_nothing_to_remove(store):
    found = collect(store)
    assert found.to_json() == {
        "dry_run": False,
        "freed_bytes": 0,
        "kept_bytes": 0,
        "kept": [],
        "removed": [],
    }
    assert not store.root.exists()


def test_the_newest_runs_stay_whole(store):
    for n in (11, 12, 13):
        run_toy(store, n=n)
    collect(store, keep=2)
    assert [is_fresh(store, n=n) for n in (11, 12, 13)] == [False, True, True]
    assert len(list_runs(store)) == 2
    assert verify(store).sound
    before = files(store)
    again = collect(store, keep=2)
    assert again.removed == [] and files(store) == before


def test_what_a_removed_run_shares_with_a_kept_one_stays(store):
    run_toy(store, top=3.0)
    run_toy(store, top=2.0)
    collect(store, keep=1)
    assert is_fresh(store, top=2.0)
    assert plan_toy(store, top=3.0)["make"] == "cached"


def test_a_cached_run_keeps_what_it_only_looked_at(store):
    run_toy(store, n=11)
    run_toy(store, n=12)
    assert set(outcomes(run_toy(store, n=11)).values()) == {"cached"}
    collect(store, keep=1)
    assert [is_fresh(store, n=n) for n in (11, 12)] == [True, False]


def test_a_dry_run_tells_the_same_and_removes_nothing(store):
    for n in (11, 12):
        run_toy(store, n=n)
    before = files(store)
    told = collect(store, keep=1, dry_run=True)
    assert files(store) == before
    done = collect(store, keep=1)
    assert told.removed == done.removed and told.kept == done.kept
    assert before - files(store) == {item.name for item in done.removed}
    assert files(store) == {item.name for item in done.kept}


def test_sizes_and_reasons_are_told(store):
    old = run_toy(store, n=11)
    new = run_toy(store, n=12)
    before = {name: (store.root / name).stat().st_size for name in files(store)}
    found = collect(store, keep=1)
    assert {i.name: i.size for i in (*found.kept, *found.removed)} == before
    assert found.freed_bytes + found.kept_bytes == sum(before.values())
    assert reasons(found, "run") == {"one of the newest 1 runs of toy"}
    assert reasons(found, "object") == reasons(found, "record") == {f"used by {new.record.id}"}
    gone = {item.kind: item.reason for item in found.removed}
    assert gone == {
        "run": "older than the runs that are kept",
        "record": "no kept run uses it",
        "object": "no kept run uses it",
    }
    assert f"runs/toy/{old.record.id}.jsonl" in {item.name for item in found.removed}


def test_each_flow_keeps_its_own(store):
    other = flow(name="other", parameters=toy.ToyParameters, presets={})(toy.toy.fn)
    other.run(other.configure(overrides={"n": 50}), store=store)
    for n in (11, 12, 13):
        run_toy(store, n=n)
    collect(store, keep=1)
    assert is_fresh(store, n=50) and is_fresh(store, n=13) and not is_fresh(store, n=12)


def test_pins(store):
    first = run_toy(store, n=11).record.id
    run_toy(store, n=12)
    run_toy(store, n=13)
    with pytest.raises(InputError, match=r"no run nonsense: .*runs"):
        pin(store, "nonsense")
    pin(store, first)
    pin(store, first)
    assert list_pins(store) == [first]
    found = collect(store, keep=1)
    assert f"run {first} is pinned" in reasons(found, "run")
    assert [is_fresh(store, n=n) for n in (11, 12, 13)] == [True, False, True]
    with pytest.raises(InputError, match=f"not pinned; pinned: {first}"):
        unpin(store, "nonsense")
    unpin(store, first)
    collect(store, keep=1)
    assert not is_fresh(store, n=11)


@pytest.mark.parametrize("text", ["", "{", '["20260101-', "{}", "null", "[3]"])
def test_a_damaged_list_of_pins_stops_the_collector(store, text):
    run = run_toy(store).record.id
    (store.root / "pins.json").write_text(text)
    acts: list[Callable[[], Any]] = [
        lambda: collect(store, keep=1),
        lambda: pin(store, run),
        lambda: unpin(store, run),
    ]
    for act in acts:
        with pytest.raises(StoreError, match=r"pins\.json .*is damaged: mend or remove it"):
            act()
    assert (store.root / "pins.json").read_text() == text


def test_of_pins_at_once_none_is_lost(store):
    """Reading, changing and writing is one step for whoever looks on."""
    together = threading.Barrier(2)

    def add(number: int) -> None:
        def change(old: bytes) -> bytes:
            with contextlib.suppress(threading.BrokenBarrierError):
                together.wait(0.2)
            return old + bytes([number])

        store.storage.update("numbers", change)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(add, [1, 2]))
    assert sorted(store.storage.read("numbers")) == [1, 2]


def test_a_training_may_remove_its_checkpoints_meanwhile(store, monkeypatch):
    folder = store.checkpoints / f"fit-{'0' * 20}"
    folder.mkdir(parents=True)
    for name in ("gone.npz", "going.npz", "new.npz"):
        (folder / name).write_bytes(b"12345")
    look = Path.stat

    def stat(path: Path, **options: Any) -> os.stat_result:
        if path.name == "gone.npz":
            path.unlink(missing_ok=True)
        found = look(path, **options)
        if path.name == "going.npz":
            path.unlink()
        return found

    monkeypatch.setattr(Path, "stat", stat)
    found = collect(store, dry_run=True)
    sizes = {item.name: item.size for item in found.kept + found.removed}
    assert sizes == {f"checkpoints/{folder.name}": 10}


def test_what_a_running_flow_uses_stays(store):
    """A run looks old results up, a dozen newer runs come and go, the collector keeps one."""
    run_toy(store, n=11)
    journal = Journal(store, "toy", {})
    with Session(store, journal=journal).active():
        numbers: Any = toy.make(n=11)
        for n in (12, 13):
            run_toy(store, n=n)
        _age(store)
        found = collect(store, keep=1)
        assert f"run {journal.id} is running" in reasons(found, "run")
        assert not is_fresh(store, n=11)
        toy.clip(numbers.values, top=3.0)  # reads what it found before
        kept = store.put("not yet in a record", {"n": 1})
        collect(store, keep=1)
        assert store.fault(kept) is None
    journal.end("completed", {})


def test_results_of_a_running_flow_that_no_record_names_yet_stay(store):
    journal = Journal(store, "toy", {})
    written = store.put("x", {"n": 1})
    (store.checkpoints / "fit").mkdir(parents=True)
    found = collect(store, keep=1)
    assert store.fault(written) is None and (store.checkpoints / "fit").exists()
    assert reasons(found, "object") == {"newer than the start of a running flow"}
    journal.end("completed", {})
    collect(store, keep=1)
    assert store.fault(written) == "missing" and not (store.checkpoints / "fit").exists()


def test_what_a_running_flow_has_begun_stays_however_old(store):
    """It was looked up, or is being computed and goes on from a checkpoint."""
    old = run_toy(store, n=11).record.stages["clip"]
    kept, gone = (store.checkpoints / key for key in (old.key, "clip-" + "0" * 20))
    for folder in (kept, gone):
        folder.mkdir(parents=True)
        os.utime(folder, (1, 1))
    _age(store)
    for n in (12, 13):
        run_toy(store, n=n)
    journal = Journal(store, "other", {})
    journal.write("begin", slot="clip", key=old.key)
    collect(store, keep=1)
    assert kept.exists() and not gone.exists()
    assert store.read_record(old.key) is not None and store.fault(old.artifacts[0]) is None
    assert not is_fresh(store, n=11)
    journal.end("completed", {})


@stage
def size_of(file: Any) -> int:
    return len(file.read_bytes())


@flow(name="outside", parameters=toy.ToyParameters, presets={})
def outside(p: Parameters) -> dict[str, Any]:
    return {"size": size_of(source(os.environ["LATENTFLOW_TEST_FILE"]))}


def test_files_from_outside_stay_with_the_run_that_read_them(store, tmp_path, monkeypatch):
    monkeypatch.setenv("LATENTFLOW_TEST_FILE", str(tmp_path / "a.csv"))
    for text in ("one", "three"):
        (tmp_path / "a.csv").write_text(text)
        outside.run(outside.configure(), store=store)
    copies = [store.put_file(tmp_path / "a.csv", 99, copy=False)]
    (tmp_path / "a.csv").write_text("one")
    copies.append(store.put_file(tmp_path / "a.csv", 99, copy=False))
    collect(store, keep=1)
    assert [store.fault(a) for a in copies] == [None, "missing"]


def test_left_overs_go_and_those_of_the_living_stay(store):
    run = run_toy(store)
    name = store.put("x", File(b"1")).suffix
    with store.temporary(name) as (mine, _):
        dead = mine.with_name(mine.name.replace(f"-{os.getpid()}-", "-999999999-"))
        old, young = (store.root / "tmp" / f"box-1-{n}.npz" for n in "ab")
        for path in (dead, old, young):
            path.write_bytes(b"half")
        os.utime(old, (1, 1))
        path = store.path_of(artifact_of(run, "draw"))
        path.with_name(path.name + ".damaged").write_bytes(b"?")
        found = collect(store)
        assert sorted(p.name for p in mine.parent.iterdir()) == sorted([mine.name, young.name])
        assert not path.with_name(path.name + ".damaged").exists()
        assert f"process {os.getpid()} is writing it" in reasons(found, "temporary")
    assert is_fresh(store)


def test_garbage_does_not_stop_it(store):
    run = run_toy(store, n=11)
    overwrite(store.record_path(run.record.stages["draw"].key), b"garbage")
    (store.records / "strange").write_text("?")
    (store.records / "folder").mkdir()
    (store.objects / "ab").mkdir(exist_ok=True)
    (store.objects / "ab" / "folder").mkdir()
    (store.runs / "toy" / "zzz.jsonl").write_bytes(b"\xff[\n")
    collect(store, keep=2)
    assert not (store.records / "strange").exists() and not (store.records / "folder").exists()
    assert outcomes(run_toy(store, n=11)) == {**dict.fromkeys(SLOTS, "cached"), "draw": "unchanged"}
    assert verify(store).sound


def test_it_waits_for_those_who_look_something_up_and_locks_them_out(store):
    run_toy(store)
    with store.using():
        assert not FileLock(store.collector_lock).try_acquire()
        assert collect(store, dry_run=True).kept  # only telling, it need not wait
    assert collect(store).kept


@pytest.mark.parametrize("keep", [0, -1])
def test_the_newest_run_always_stays(store, keep):
    with pytest.raises(InputError, match="newest run of each flow stays"):
        collect(store, keep=keep)


def test_a_selection_reaches_only_what_it_used(store):
    run_toy(store)
    run_toy(store, Selection(until=("clip",)))
    collect(store, keep=1)
    found = plan_toy(store)
    assert [slot for slot in SLOTS if found[slot] == "cached"] == ["make", "clip"]


def _age(store: Store) -> None:
    """Make everything in the store an hour older, as if the running flow had begun after it."""
    past = time.time() - 3600
    for folder in (store.objects, store.records):
        for path in folder.rglob("*"):
            if path.is_file():
                os.utime(path, (past, past))


def test_nothing_outside_the_store_is_followed(store, tmp_path: Path):
    run_toy(store)
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "file").write_text("keep me")
    (store.records / "link").symlink_to(precious)
    (store.objects / "ab").mkdir(exist_ok=True)
    (store.objects / "ab" / "link").symlink_to(precious)
    (store.root / "tmp" / "link").symlink_to(precious / "file")
    collect(store)
    assert (precious / "file").read_text() == "keep me"
