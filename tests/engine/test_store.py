from __future__ import annotations

import hashlib
import os
import threading
from pathlib import Path

import numpy as np
import pytest

from engine import DamagedObject, InputError, Store, StoreError
from engine.record import Record
from engine.verify import verify
from tests.engine.test_record import RECORD
from tests.engine.toy import flip_bit, overwrite

ARRAY = np.arange(100.0)


def files(store: Store) -> set[str]:
    return {p.relative_to(store.root).as_posix() for p in store.root.rglob("*") if p.is_file()}


def test_nothing_is_made_before_something_is_written(store):
    assert store.read_record(RECORD.key) is None
    assert not store.root.exists()


def test_an_object_lies_under_the_sha256_of_its_file(store):
    artifact = store.put("x", ARRAY)
    path = store.path_of(artifact)
    assert hashlib.sha256(path.read_bytes()).hexdigest() == artifact.sha256
    assert path.stat().st_size == artifact.size
    assert not path.stat().st_mode & 0o222
    assert files(store) == {f"objects/{artifact.address}"}


def test_equal_values_are_one_object_even_for_many_writers_at_once(store):
    made = []
    threads = [
        threading.Thread(target=lambda: made.append(store.put("x", ARRAY))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 8 and len(set(made)) == 1
    assert len(files(store)) == 1
    assert verify(store).sound


def test_a_reader_keeps_what_it_has_mapped_when_the_object_is_written_over(store):
    artifact = store.put("x", ARRAY)
    mapped = store.load(artifact)
    store.put("x", ARRAY)
    store.path_of(artifact).unlink()
    np.testing.assert_array_equal(mapped, ARRAY)


@pytest.mark.parametrize(
    ("harm", "fault"),
    [
        (Path.unlink, "missing"),
        (lambda p: overwrite(p, p.read_bytes()[:-7]), r"\d+ of \d+ bytes"),
        (lambda p: overwrite(p, b""), "0 of"),
        (flip_bit, "content altered"),
        (lambda p: flip_bit(p, 0), "content altered"),
        (lambda p: (p.unlink(), p.mkdir()), "not a file"),
    ],
)
def test_damage_is_found_by_a_read_and_never_handed_on(store, harm, fault):
    artifact = store.put("x", ARRAY)
    store.load(artifact)  # what was sound a moment ago is looked at again
    harm(store.path_of(artifact))
    with pytest.raises(DamagedObject, match=fault):
        store.load(artifact)
    with pytest.raises(DamagedObject, match=fault):
        Store(store.root).load(artifact)


def test_damage_behind_an_unchanged_time_and_size_is_found(store):
    artifact = store.put("x", ARRAY)
    path = store.path_of(artifact)
    store.load(artifact)
    before = path.stat()
    flip_bit(path)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    with pytest.raises(DamagedObject, match="content altered"):
        store.load(artifact)


def test_size_is_looked_at_without_reading(store):
    artifact = store.put("x", ARRAY)
    flip_bit(store.path_of(artifact))
    assert store.fault(artifact) is None
    assert store.fault(artifact, deep=True) == "content altered"
    store.set_aside(artifact)
    assert store.fault(artifact) == "missing"
    assert store.put("x", ARRAY) == artifact
    assert store.fault(artifact, deep=True) is None


def test_records_come_back_and_belong_to_their_key(store):
    store.write_record(RECORD)
    assert store.read_record(RECORD.key) == Record.loads(RECORD.dumps())
    other = "make-" + "0" * 20
    store.record_path(RECORD.key).rename(store.record_path(other))
    with pytest.raises(ValueError, match=f"it belongs to {RECORD.key}"):
        store.read_record(other)


def test_a_record_that_cannot_be_read_is_no_crash(store):
    store.record_path(RECORD.key).mkdir(parents=True)
    with pytest.raises(ValueError, match="cannot be read"):
        store.read_record(RECORD.key)


def test_a_failed_writer_leaves_nothing(store, monkeypatch):
    store.put("x", ARRAY)
    before = files(store)

    def broken(fd: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fsync", broken)
    with pytest.raises(StoreError, match=r"Input/output error.*run again"):
        store.put("y", ARRAY + 1)
    with pytest.raises(StoreError):
        store.write_record(RECORD)
    assert files(store) == before


def test_store_is_found_by_its_variable(monkeypatch, tmp_path):
    monkeypatch.setenv("LATENTFLOW_STORE", str(tmp_path / "elsewhere"))
    assert Store().root == tmp_path / "elsewhere"
    monkeypatch.setenv("LATENTFLOW_STORE", "")
    assert Store().root.name == "artifacts"


# Files from outside


def test_a_file_from_outside_is_copied_or_only_known(store, tmp_path):
    outside = tmp_path / "table.csv"
    outside.write_bytes(b"a,b\n")
    known = store.put_file(outside, 100, copy=False)
    assert not store.root.exists()
    assert store.put_file(outside, 100) == known
    assert store.load(known).read_bytes() == b"a,b\n"
    assert outside.read_bytes() == b"a,b\n"


@pytest.mark.parametrize(
    ("name", "suffix"),
    [
        ("table.CSV", ".csv"),
        (".csv", ".bin"),
        ("t.tar.gz", ".gz"),
        ("t.é", ".bin"),
        ("t.muchtoolongforasuffix", ".bin"),
        ("t", ".bin"),
        ("t.a b", ".bin"),
    ],
)
def test_suffix_of_a_file_from_outside(store, tmp_path, name, suffix):
    (tmp_path / name).write_bytes(b"1")
    assert store.put_file(tmp_path / name, 100).suffix == suffix


def test_what_is_no_fit_file_is_refused(store, tmp_path):
    (tmp_path / "large").write_bytes(b"12345")
    with pytest.raises(InputError, match="5 bytes; at most 4"):
        store.put_file(tmp_path / "large", 4)
    with pytest.raises(InputError, match="no file"):
        store.put_file(tmp_path / "absent", 4)
    with pytest.raises(InputError, match="not a file"):
        store.put_file(tmp_path, 4)
    with pytest.raises(InputError, match="not a file"):
        store.put_file(Path("/dev/zero"), 4)


def test_a_file_that_changes_while_it_is_read_is_refused(store, tmp_path, monkeypatch):
    outside = tmp_path / "growing.csv"
    outside.write_bytes(b"a")
    monkeypatch.setattr("engine.store._sync_and_hash", lambda file: ("0" * 64, 1))
    with pytest.raises(InputError, match="changed while it was read"):
        store.put_file(outside, 100)
    assert files(store) == set()
