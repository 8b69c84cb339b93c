"""Whatever breaks in the store: the stage runs again, what follows stays cached, one warning tells."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine import DamagedObject, LatentflowError, Run, Selection, Store, load, stage
from engine.session import Session
from engine.verify import verify
from tests.engine.toy import (
    SLOTS,
    artifact_of,
    count,
    digests,
    flip_bit,
    note,
    outcomes,
    overwrite,
    run_toy,
)

CACHED = dict.fromkeys(SLOTS, "cached")


def _make_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


OBJECT_HARMS: dict[str, tuple[Callable[[Path], Any], str]] = {
    "missing": (Path.unlink, "missing"),
    "truncated": (lambda p: overwrite(p, p.read_bytes()[:-10]), "of"),
    "empty": (lambda p: overwrite(p, b""), "0 of"),
    "longer": (lambda p: overwrite(p, p.read_bytes() + b"\0"), "of"),
    "folder": (_make_folder, "not a file"),
}

RECORD_HARMS: dict[str, tuple[Callable[[Path], Any], str]] = {
    "garbage": (lambda p: overwrite(p, b"\x00\xffgarbage"), "record damaged"),
    "empty": (lambda p: overwrite(p, b""), "record damaged"),
    "truncated": (lambda p: overwrite(p, p.read_bytes()[: p.stat().st_size // 2]), "damaged"),
    "flipped": (lambda p: flip_bit(p, p.stat().st_size // 2), "record damaged"),
    "nested": (lambda p: overwrite(p, b"[" * 100_000), "record damaged"),
    "of another key": (
        lambda p: overwrite(p, next(p.parent.glob("make-*")).read_bytes()),
        "it belongs to make-",
    ),
}


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [
        r.getMessage()
        for r in caplog.records
        if r.levelno >= logging.WARNING and r.name.startswith("engine")
    ]


def assert_mended(
    store: Store, tally: Path, before: Run, slot: str, found: str, caplog, **options: Any
) -> None:
    """The next run computes this stage alone, warns once, gives the same and leaves all sound."""
    runs = count(tally).total()
    after = run_toy(store, tally=str(tally), **options)
    assert outcomes(after) == {**CACHED, slot: "unchanged"}
    assert count(tally).total() == runs + 1
    assert digests(after) == digests(before)
    (warning,) = warnings(caplog)
    assert found in warning and slot in warning
    assert verify(store).sound
    caplog.clear()
    assert outcomes(run_toy(store, tally=str(tally))) == CACHED
    assert warnings(caplog) == []


@pytest.mark.parametrize("harm", OBJECT_HARMS)
@pytest.mark.parametrize("slot", ["clip", "make", "tabulate", "draw"])
def test_a_harmed_object(store, tally, caplog, harm, slot):
    before = run_toy(store, tally=str(tally))
    do, found = OBJECT_HARMS[harm]
    do(store.path_of(artifact_of(before, slot, -1)))
    assert not verify(store).sound
    assert_mended(store, tally, before, slot, found, caplog)
    again = [r.text for r in run_toy(store).record.stages[slot].reasons]
    assert again == []


@pytest.mark.parametrize("harm", RECORD_HARMS)
def test_a_harmed_record(store, tally, caplog, harm):
    before = run_toy(store, tally=str(tally))
    do, found = RECORD_HARMS[harm]
    do(store.record_path(before.record.stages["times[k=2]"].key))
    assert not verify(store).sound
    assert_mended(store, tally, before, "times[k=2]", found, caplog)


def test_a_record_that_is_a_folder(store, tally, caplog):
    """Nothing can be published there; that is an error in words, not a crash."""
    before = run_toy(store, tally=str(tally))
    path = store.record_path(before.record.stages["draw"].key)
    path.unlink()
    path.mkdir()
    with pytest.raises(LatentflowError, match="cannot be written"):
        run_toy(store)


def test_a_record_of_fewer_outputs_is_a_miss(store, tally, caplog):
    """As when a stage got one more output while its function stayed the same."""
    before = run_toy(store, tally=str(tally))
    key = before.record.stages["make"].key
    record = store.read_record(key)
    store.write_record(type(record)(**{**vars(record), "artifacts": record.artifacts[:1]}))
    assert_mended(store, tally, before, "make", "record of other outputs", caplog)


@pytest.mark.parametrize("position", [0, 70, -30, -1])
def test_a_flipped_bit_is_found_by_a_read_and_never_handed_on(store, tally, caplog, position):
    before = run_toy(store, tally=str(tally))
    flip_bit(store.path_of(artifact_of(before, "clip")), position)
    found = verify(store)
    assert [(f.fault, f.used_by) for f in found.findings] == [
        ("content altered or truncated", (before.record.stages["clip"].key,))
    ]
    after = run_toy(store, Selection(refresh=("times",)), tally=str(tally))
    assert outcomes(after) == {
        **CACHED,
        "clip": "unchanged",
        **dict.fromkeys(["times[k=1]", "times[k=2]", "times[k=3]"], "unchanged"),
    }
    assert digests(after) == digests(before)
    (warning,) = warnings(caplog)  # although three threads stumbled over it
    assert "content altered; clip runs again" in warning
    assert count(tally)["clip"] == 2 and count(tally)["make"] == 1
    assert verify(store).sound


def test_a_flipped_bit_is_found_by_a_deep_run(store, tally, caplog):
    before = run_toy(store, tally=str(tally))
    flip_bit(store.path_of(artifact_of(before, "export")), 3)
    after = run_toy(store, Selection(deep=True), tally=str(tally))
    assert outcomes(after) == {**CACHED, "export": "unchanged"}
    assert warnings(caplog) == ["export: object export: content altered; it runs again"]
    assert verify(store).sound


def test_damage_two_stages_deep_is_mended_from_the_top(store, tally, caplog):
    before = run_toy(store, tally=str(tally))
    flip_bit(store.path_of(artifact_of(before, "make")), -40)
    flip_bit(store.path_of(artifact_of(before, "clip")), -40)
    after = run_toy(store, Selection(refresh=("times[k=3]",)), tally=str(tally))
    assert digests(after) == digests(before)
    assert count(tally)["make"] == count(tally)["clip"] == count(tally)["times-3"] == 2
    assert len(warnings(caplog)) == 2  # two objects, one warning each
    assert verify(store).sound


def test_everything_damaged_at_once(store, tally, caplog):
    before = run_toy(store, tally=str(tally))
    for path in store.objects.glob("*/*"):
        path.unlink()
    for path in store.records.glob("*"):
        overwrite(path, b"?")
    after = run_toy(store, tally=str(tally))
    assert set(outcomes(after).values()) == {"unchanged"}
    assert digests(after) == digests(before)
    assert len(warnings(caplog)) == len(SLOTS)
    assert verify(store).sound


def test_a_result_is_mended_while_it_is_read(store, caplog):
    with Session(store).active():
        from tests.engine.toy import make

        numbers: Any = make(n=3)
        flip_bit(store.path_of(numbers.about), 0)
        assert load(numbers.about) == {"n": 3}
    assert len(warnings(caplog)) == 1


def test_damage_that_nobody_can_mend_is_never_handed_on(store):
    run = run_toy(store)
    artifact = artifact_of(run, "draw")
    flip_bit(store.path_of(artifact))
    with Session(store).active(), pytest.raises(DamagedObject, match="content altered"):
        load(artifact)


@stage(ignore=["tally"])
def draw_lots(*, tally: str = "") -> Any:
    note("draw_lots", tally)
    return {"time": Path(tally).stat().st_size}


@stage(ignore=["tally"])
def repeat(lots: Any, *, tally: str = "") -> Any:
    note("repeat", tally)
    return [lots["time"]] * 2


def test_a_stage_that_gives_other_bytes_cannot_mend_but_the_next_run_is_right(store, tally):
    def both(selection: Selection = Selection()) -> Any:  # noqa: B008 - frozen
        with Session(store, selection=selection).active():
            return load(repeat(draw_lots(tally=str(tally)), tally=str(tally)))

    first = both()
    (path,) = [p for p in store.objects.glob("*/*") if b"time" in p.read_bytes()]
    flip_bit(path, 3)
    with pytest.raises(LatentflowError, match=r"draw_lots gave other bytes.*run the flow again"):
        both(Selection(refresh=("repeat",)))
    second = both()
    assert second != first and second == both()
    assert verify(store).sound


# Half-written files


def test_left_over_temporary_files_harm_nobody(store, tally, caplog):
    before = run_toy(store, tally=str(tally))
    for name in ("box-999999999-abc.npz", "garbage", "box-1-x.json"):
        (store.root / "tmp" / name).write_bytes(b"PK\x03\x04 half of")
    assert verify(store).sound
    after = run_toy(store, Selection(since=("make",)), tally=str(tally))
    assert digests(after) == digests(before)
    assert warnings(caplog) == []


def test_strange_files_in_the_store_harm_nobody(store, tally, caplog):
    before = run_toy(store, tally=str(tally))
    (store.objects / "README").write_text("hello")
    (store.objects / "zz").mkdir()
    (store.runs / "toy" / "garbage.jsonl").write_bytes(b"\xff\n[]\n")
    (store.runs / "stray").write_text("")
    assert outcomes(run_toy(store, tally=str(tally))) == CACHED
    assert digests(run_toy(store)) == digests(before)
    assert warnings(caplog) == []
