from __future__ import annotations

import shutil

import pytest

from engine import Store
from engine.verify import verify
from tests.engine.toy import SLOTS, artifact_of, flip_bit, outcomes, overwrite, run_toy


def files(store: Store) -> dict[str, bytes]:
    return {
        p.relative_to(store.root).as_posix(): p.read_bytes()
        for folder in (store.objects, store.records)
        for p in folder.rglob("*")
        if p.is_file()
    }


def test_an_empty_store_is_sound(store):
    found = verify(store)
    assert found.sound and (found.objects, found.records, found.bytes) == (0, 0, 0)
    assert not store.root.exists()


def test_a_sound_store_is_counted_and_left_alone(store):
    run_toy(store)
    before = files(store)
    found = verify(store, repair=True)
    assert found.sound and found.findings == []
    assert found.records == len(SLOTS)
    assert found.objects == sum(name.startswith("objects") for name in before)
    assert found.bytes == sum(len(d) for n, d in before.items() if n.startswith("objects"))
    assert files(store) == before


@pytest.mark.parametrize("repair", [False, True])
def test_every_kind_of_damage_is_found_once(store, repair):
    run = run_toy(store)
    keys = {slot: made.key for slot, made in run.record.stages.items()}
    flipped, cut, gone = (store.path_of(artifact_of(run, s)) for s in ("clip", "draw", "export"))
    flip_bit(flipped)
    overwrite(cut, cut.read_bytes()[:5])
    gone.unlink()
    overwrite(store.record_path(keys["tabulate"]), b"{}")
    shutil.copy(store.record_path(keys["make"]), store.records / f"make-{'0' * 20}.json")
    before = files(store)
    found = verify(store, repair=repair)
    assert not found.sound
    told = {f.path: (f.fault, f.used_by) for f in found.findings}
    assert len(told) == len(found.findings) == 5
    altered = "content altered or truncated"
    assert told[f"objects/{artifact_of(run, 'clip').address}"] == (altered, (keys["clip"],))
    assert told[f"objects/{artifact_of(run, 'draw').address}"] == (altered, (keys["draw"],))
    assert told[f"objects/{artifact_of(run, 'export').address}"] == (
        "export: missing",
        (keys["export"],),
    )
    assert told[f"records/{keys['tabulate']}.json"][0].startswith("garbage: ")
    assert told[f"records/make-{'0' * 20}.json"][0] == f"garbage: it belongs to {keys['make']}"
    assert found.to_json()["sound"] is False
    if not repair:
        assert files(store) == before
        return
    assert verify(store).sound
    assert outcomes(run_toy(store)) == {
        **dict.fromkeys(SLOTS, "cached"),
        **dict.fromkeys(["clip", "draw", "export", "tabulate"], "unchanged"),
    }
    assert verify(store).sound


def test_an_object_of_the_wrong_name_is_found_though_nobody_uses_it(store):
    path = store.objects / "ab" / f"{'0' * 62}.json"
    path.parent.mkdir(parents=True)
    path.write_text("{}")
    (finding,) = verify(store).findings
    assert finding.used_by == ()
    (store.objects / "cd" / f"{'0' * 62}.npz").mkdir(parents=True)
    assert [f.fault for f in verify(store).findings][1:] == ["unreadable (Is a directory)"]
