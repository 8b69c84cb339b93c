"""A store in a bucket: nothing wrong is ever read from it, and nothing finished is lost."""

from __future__ import annotations

import json
import os
import pickle
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine import DamagedObject, InputError, Selection, Store, StoreError
from engine.collect import collect
from engine.pins import list_pins
from engine.session import Session
from engine.storage import bucket as buckets
from engine.storage import cached
from engine.verify import verify
from tests.engine.apart import add_up
from tests.engine.machines import Machine, in_bucket, overwrite, there
from tests.engine.s3_server import Proxy
from tests.engine.toy import (
    SLOTS,
    digests,
    flip_bit,
    outcomes,
    plan_toy,
    run_toy,
    toy,
)

ARRAY = np.arange(100_000.0)


# Reading


def test_what_one_machine_puts_another_loads(machine: Machine, url):
    a, b = machine("a"), machine("b")
    assert a.address == b.address == url and a.root != b.root
    artifact = a.put("x", {"x": ARRAY})
    assert in_bucket(a) == {f"objects/{artifact.address}"}
    assert not b.path_of(artifact).exists() and b.fault(artifact) is None
    np.testing.assert_array_equal(b.load(artifact)["x"], ARRAY)
    assert b.path_of(artifact).exists() and not b.path_of(artifact).stat().st_mode & 0o222


def test_a_copy_is_read_without_asking_again(machine: Machine, proxy: Proxy):
    a = machine("a")
    artifact = a.put("x", ARRAY)
    proxy.seen.clear()
    assert a.fault(artifact) is None
    np.testing.assert_array_equal(a.load(artifact), ARRAY)
    np.testing.assert_array_equal(machine("a").load(artifact), ARRAY)
    assert proxy.seen == []


@pytest.mark.parametrize("kind", ["cut", "altered", "lost", "busy", "closed", "slow"])
def test_harm_on_the_way_is_never_read(machine: Machine, proxy: Proxy, monkeypatch, kind):
    monkeypatch.setattr(buckets, "_CHUNK_BYTES", 1 << 18)
    artifact = machine("a").put("x", ARRAY)
    b = machine("b")
    proxy.fail(kind, "GET .*objects", 2)
    np.testing.assert_array_equal(b.load(artifact), ARRAY)
    assert proxy.spent and not list((b.root / "tmp").iterdir())


@pytest.mark.parametrize(
    ("harm", "fault"),
    [
        (lambda data: data[:-7], r"\d+ of \d+ bytes"),
        (lambda data: b"", "0 of"),
        (lambda data: data[:-1] + bytes([data[-1] ^ 1]), "content altered"),
    ],
)
def test_damage_in_the_bucket_is_found_and_never_handed_on(machine: Machine, harm, fault):
    a, b = machine("a"), machine("b")
    artifact = a.put("x", ARRAY)
    overwrite(a, f"objects/{artifact.address}", harm(a.path_of(artifact).read_bytes()))
    with pytest.raises(DamagedObject, match=fault):
        b.load(artifact)
    assert not b.path_of(artifact).exists()
    found = verify(a)
    assert [f.path for f in found.findings] == [f"objects/{artifact.address}"]
    np.testing.assert_array_equal(a.load(artifact), ARRAY)  # its own copy is sound
    b.set_aside(artifact)
    assert b.fault(artifact) == "missing"
    a.put("x", ARRAY)
    np.testing.assert_array_equal(b.load(artifact), ARRAY)
    assert verify(b).sound


def test_a_damaged_copy_is_fetched_again(machine: Machine):
    a = machine("a")
    artifact = a.put("x", ARRAY)
    flip_bit(a.path_of(artifact))
    np.testing.assert_array_equal(a.load(artifact), ARRAY)
    a.path_of(artifact).unlink()
    np.testing.assert_array_equal(a.load(artifact), ARRAY)


def test_an_object_that_is_too_short_is_written_over(machine: Machine):
    a = machine("a")
    artifact = a.put("x", ARRAY)
    overwrite(a, f"objects/{artifact.address}", b"half")
    a.put("x", ARRAY)
    np.testing.assert_array_equal(machine("b").load(artifact), ARRAY)


def test_an_old_object_is_made_young_so_that_no_collector_takes_it(machine: Machine, monkeypatch):
    a = machine("a")
    artifact = a.put("x", ARRAY)
    name = f"objects/{artifact.address}"
    before = there(a).bucket.stat(name)
    a.put("x", ARRAY)
    assert there(a).bucket.stat(name) == before
    monkeypatch.setattr(cached, "_GRACE_SECONDS", 0.0)
    time.sleep(1.1)  # a server's times are whole seconds
    a.put("x", ARRAY)
    after = there(a).bucket.stat(name)
    assert before is not None and after is not None and after.written > before.written


# Writing


@pytest.mark.parametrize("kind", ["half", "lost", "busy", "closed"])
def test_an_upload_that_fails_leaves_no_record_and_can_be_made_again(
    machine: Machine, proxy: Proxy, kind
):
    a = machine("a")
    proxy.fail(kind, "PUT .*objects.*", 10**6)
    with pytest.raises(StoreError, match="cannot be reached"):
        run_toy(a)
    assert not any(name.startswith("records/") for name in in_bucket(a))
    proxy.faults.clear()
    assert set(outcomes(run_toy(a)).values()) == {"ran"}
    assert verify(machine("b")).sound


def test_records_are_written_after_their_objects(machine: Machine, proxy: Proxy):
    run_toy(machine("a"))
    puts = [r.split("/store-")[1].split("?")[0] for r in proxy.seen if r.startswith("PUT")]
    puts = [p.partition("/")[2] for p in puts]
    seen: set[str] = set()
    bucket = there(machine("b"))
    for name in puts:
        if name.startswith("records/"):
            made = json.loads(bucket.read(name))["artifacts"]
            assert all(
                f"objects/{a['sha256'][:2]}/{a['sha256'][2:]}{a['suffix']}" in seen for a in made
            )
        seen.add(name)
    assert sum(name.startswith("records/") for name in puts) == len(SLOTS)


def test_results_are_shared_and_a_garbage_record_is_none(machine: Machine):
    a, b = machine("a"), machine("b")
    first = run_toy(a)
    assert set(plan_toy(b).values()) == {"cached"}
    second = run_toy(b)
    assert digests(first) == digests(second) and set(outcomes(second).values()) == {"cached"}
    overwrite(a, f"records/{first.record.stages['draw'].key}.json", b"{")
    overwrite(a, f"records/{first.record.stages['export'].key}.json", b"")
    assert outcomes(run_toy(b))["draw"] == "unchanged"
    assert set(outcomes(run_toy(a)).values()) == {"cached"}


def test_many_look_ups_are_a_few_listings(machine: Machine, proxy: Proxy):
    a, b, many = machine("a"), machine("b"), list(range(1, 41))
    run_toy(a, ks=many)
    for store in (b, b):
        proxy.seen.clear()
        assert set(plan_toy(store, ks=many).values()) == {"cached"}
    assert len(proxy.seen) < 45, proxy.seen  # of 46 records with 47 objects
    overwrite(a, f"records/{run_toy(a).record.stages['times[k=2]'].key}.json", b"{")
    assert plan_toy(b, ks=many)["times[k=2]"] == "run"
    run_toy(a, ks=many)
    assert set(plan_toy(b, ks=many).values()) == {"cached"}
    for path in (b.root / "records").iterdir():
        path.write_bytes(b"half")
    assert set(plan_toy(b, ks=many).values()) == {"cached"}


def test_a_run_asks_anew_what_its_plan_had_listed(machine: Machine, monkeypatch):
    """Another machine computes everything between the plan and the run."""
    a, b, many = machine("a"), machine("b"), list(range(1, 21))
    flow_plan = toy.plan

    def and_then(*args: Any, **options: Any) -> Any:
        made = flow_plan(*args, **options)
        monkeypatch.setattr(toy, "plan", flow_plan)
        run_toy(b, ks=many)
        return made

    monkeypatch.setattr(toy, "plan", and_then)
    assert set(outcomes(run_toy(a, ks=many)).values()) == {"cached"}


def test_a_store_that_cannot_be_reached_is_an_error_and_no_empty_store(
    machine: Machine, proxy: Proxy, monkeypatch
):
    a = machine("a")
    run_toy(a)
    monkeypatch.setattr(buckets, "_TRIES", 3)
    proxy.fail("busy", ".", 10**6)
    for act in (plan_toy, run_toy, verify, collect, list_pins):
        with pytest.raises(StoreError, match="cannot be reached"):
            act(a)


def test_what_a_collector_took_elsewhere_is_made_again(machine: Machine):
    a, b = machine("a"), machine("b")
    before = run_toy(a)
    there(b).bucket.remove([n for n in in_bucket(b) if not n.startswith("runs/")])
    after = run_toy(a)
    assert digests(before) == digests(after) and "cached" not in outcomes(after).values()
    assert set(outcomes(run_toy(b)).values()) == {"cached"} and verify(b).sound


def test_the_store_goes_along_to_other_processes(machine: Machine, url):
    a = machine("a")
    assert pickle.loads(pickle.dumps(a)).address == url


def test_a_stage_in_a_process_of_its_own_works_on_the_bucket(machine: Machine):
    a, b = machine("b"), machine("a")
    parts = {"x": b.put("x", ARRAY)}
    with Session(b).active():
        made: Any = add_up(parts, scale=2.0)
    assert a.load(made.total) == 2 * float(ARRAY.sum())
    assert there(a).bucket.stat(f"objects/{made.picture.address}") is not None


# The cache


def test_copies_used_longest_ago_go_when_there_are_too_many(machine: Machine, monkeypatch):
    a = machine("a")
    made = [a.put("x", ARRAY + n) for n in range(6)]
    paths = [a.path_of(artifact) for artifact in made]
    for age, path in zip((3, 6, 2, 5, 1, 4), paths, strict=True):
        os.utime(path, (time.time() - age * 3600,) * 2)
    monkeypatch.setenv("LATENTFLOW_CACHE_GB", str(made[0].size * 4.5 / 1e9))
    b = machine("a")
    b.load(made[3])  # old, and used just now
    extra = b.put("y", ARRAY - 1)
    left = [n for n, path in enumerate(paths) if path.exists()]
    assert left == [3, 4]
    assert b.path_of(extra).exists()
    for n, artifact in enumerate(made):
        np.testing.assert_array_equal(b.load(artifact), ARRAY + n)


@pytest.mark.parametrize("text", ["much", "-1", "nan", "inf"])
def test_a_limit_that_is_none_is_refused(machine: Machine, monkeypatch, text):
    monkeypatch.setenv("LATENTFLOW_CACHE_GB", text)
    with pytest.raises(InputError, match=r"LATENTFLOW_CACHE_GB .* expected gigabytes"):
        machine("a")


def test_stores_and_servers_do_not_share_a_cache(machine: Machine, url, monkeypatch):
    one = machine("a").root
    assert Store(f"{url}/inner").root != one
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    assert Store(url).root != one
    assert {one.parent, Store(url).root.parent} == {one.parent}


# Storms


def test_in_a_storm_of_every_harm_results_are_those_of_a_calm_day(
    machine: Machine, proxy: Proxy, tmp_path: Path, monkeypatch
):
    monkeypatch.setattr(buckets, "_CHUNK_BYTES", 1000)
    monkeypatch.setattr(cached, "_FETCHES", 8)  # seldom is one thing altered more often
    seed = int.from_bytes(os.urandom(4), "big")
    calm = digests(run_toy(Store(tmp_path / "calm"), n=300))
    proxy.stormy(seed, 0.2)
    for name in ("a", "b"):
        made: Any = run_toy(machine(name), Selection(), n=300)
        assert digests(made) == calm, f"seed {seed}"
        for result in made.results.values():
            for artifact in result if isinstance(result, list) else [result]:
                machine(name).load(artifact)
    assert len(proxy.harm) > 10, f"seed {seed}"
    proxy.chaos = lambda request: ""
    found = verify(machine("d"))
    assert found.sound, f"seed {seed}: {[f.to_json() for f in found.findings]}"
