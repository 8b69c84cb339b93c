"""Hostile names and files: nothing leaves the store's folder, nothing is unpickled or evaluated."""

from __future__ import annotations

import contextlib
import json
import os
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine import Artifact, InputError, Store, flow, stage
from engine.collect import collect
from engine.journal import Journal, list_runs, read_run
from engine.npz import Arrays
from engine.parquet import read_frame
from engine.pins import list_pins, pin
from engine.verify import verify
from tests.engine import toy
from tests.engine.toy import artifact_of, outcomes, overwrite, run_toy

HEX = "ab" * 32
CLIMBS = ["../outside", "../../outside", "/etc/passwd", "a/../../outside", "..", "a\0b", "~", ""]


class Bomb:
    """Unpickled, it leaves a file behind."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.mkdir, (str(self.path),)


@pytest.fixture
def around(store: Store, tmp_path: Path):
    """A file and a run beside the store that must be neither read, changed nor removed."""
    (tmp_path / "outside").mkdir()
    kept = [tmp_path / "outside.json", tmp_path / "outside" / "20260101-000000-x.jsonl"]
    for path in kept:
        path.write_text('{"event": "start", "flow": "outside"}\n')
    before = {p for p in tmp_path.rglob("*") if not p.is_relative_to(store.root)}
    yield
    after = {p for p in tmp_path.rglob("*") if not p.is_relative_to(store.root)}
    assert after == before
    assert {path.read_text() for path in kept} == {'{"event": "start", "flow": "outside"}\n'}


@pytest.mark.parametrize("name", CLIMBS)
def test_names_of_flows_stay_in_the_store(store, around, name):
    run_toy(store)
    assert list_runs(store, name) == []
    with pytest.raises(InputError, match="a flow's name is a word"):
        Journal(store, name, {})


@pytest.mark.parametrize("name", CLIMBS)
def test_keys_stay_in_the_store(store, around, name):
    for key in (name, f"{name}-{'0' * 20}", f"make-{name}"):
        for act in (store.read_record, store.record_path, store.lock):
            with pytest.raises(ValueError, match="no cache key"):
                act(key)


@pytest.mark.parametrize(
    "change",
    [
        {"sha256": "../" * 21 + "x"},
        {"sha256": HEX.upper()},
        {"sha256": None},
        {"digest": "x"},
        {"suffix": "/../../outside.json"},
        {"suffix": ".json/../x"},
        {"suffix": ""},
        {"size": "many"},
        {"spec": 3},
    ],
)
def test_handles_from_files_stay_in_the_store(store, around, change):
    run = run_toy(store)
    data = {**artifact_of(run, "draw").to_json(), **change}
    with pytest.raises((ValueError, TypeError)):
        Artifact.from_json(data)
    path = store.record_path(run.record.stages["draw"].key)
    body = json.loads(path.read_text())
    body["artifacts"] = [data]
    overwrite(path, json.dumps(body).encode())
    assert outcomes(run_toy(store))["draw"] == "unchanged"
    assert verify(store).sound


def test_journals_and_pins_that_lie_lead_nowhere(store, around):
    run = run_toy(store)
    lies = [
        {"event": "begin", "slot": "x", "key": "../../outside"},
        {"event": "begin", "slot": "x", "key": f"../outside-{'0' * 20}"},
        {"event": "source", "artifact": {**artifact_of(run, "draw").to_json(), "sha256": "../x"}},
        {"event": "stage", "slot": "../../outside", "stage": "../outside"},
    ]
    text = "".join(json.dumps(lie) + "\n" for lie in lies)
    with run.record.path.open("a") as journal:
        journal.write(text)
    pin(store, run.record.id)
    overwrite(store.root / "pins.json", json.dumps(["../../outside", run.record.id]).encode())
    assert run.record.id in list_pins(store)
    assert not read_run(run.record.path).sources
    collect(store, keep=1)
    assert set(outcomes(run_toy(store)).values()) == {"cached"}


@stage
def make_label(*, text: str) -> Any:
    return {"text": text}


@flow(name="labels", parameters=toy.ToyParameters, presets={})
def labels(p: toy.ToyParameters) -> dict[str, Any]:
    return {name: make_label.labelled(name)(text=name) for name in [*CLIMBS[:5], "<b>&\n"]}


def test_labels_and_parameters_stay_in_the_store(store, around):
    run = labels.run(labels.configure(), store=store)
    assert set(run.record.counts) == {"ran"}
    assert list(read_run(run.record.path).stages) == list(run.record.stages)
    assert set(labels.run(labels.configure(), store=store).record.counts) == {"cached"}


# Files


def test_an_npz_with_pickled_objects_is_refused(tmp_path):
    objects = np.array([Bomb(tmp_path / "harm")], dtype=object)
    np.savez(tmp_path / "stored.npz", x=objects)
    np.savez_compressed(tmp_path / "deflated.npz", x=objects)
    with zipfile.ZipFile(tmp_path / "bare.npz", "w") as archive:
        archive.writestr("x.npy", pickle.dumps(Bomb(tmp_path / "harm")))
    for name in ("stored.npz", "deflated.npz", "bare.npz"):
        with pytest.raises(ValueError, match=r"pickle|object|magic"):
            Arrays(tmp_path / name)["x"]
    assert not (tmp_path / "harm").exists()


def test_a_header_of_an_array_is_data_and_no_program(tmp_path):
    header = b"{'descr': __import__('os').mkdir('harm'), 'fortran_order': False, 'shape': (1,), }"
    header += b" " * (118 - len(header)) + b"\n"
    with zipfile.ZipFile(tmp_path / "x.npz", "w") as archive:
        archive.writestr("x.npy", b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header)
    with pytest.raises(ValueError, match=r"header|malformed"):
        Arrays(tmp_path / "x.npz")["x"]
    assert not Path("harm").exists()


@pytest.mark.parametrize("name", [b"arrow.py_extension_type", b"pandas.period", b"unknown"])
def test_a_parquet_file_that_brings_a_pickled_type_is_read_as_data(tmp_path, name):
    import pyarrow as pa
    import pyarrow.parquet as pq

    harm = pickle.dumps(Bomb(tmp_path / "harm"))
    metadata = {b"ARROW:extension:name": name, b"ARROW:extension:metadata": harm}
    field = pa.field("x", pa.int64(), metadata=metadata)
    table = pa.Table.from_arrays([pa.array([1, 2])], schema=pa.schema([field]))
    pq.write_table(table, tmp_path / "x.parquet")
    with contextlib.suppress(ValueError, TypeError, pa.ArrowException):  # refused is as good
        assert list(read_frame(tmp_path / "x.parquet")["x"]) == [1, 2]
    assert not (tmp_path / "harm").exists()


def test_a_record_is_data_and_no_program(store, tmp_path):
    run = run_toy(store)
    path = store.record_path(run.record.stages["draw"].key)
    for text in (
        pickle.dumps(Bomb(tmp_path / "harm")),
        b"__import__('os').mkdir('harm')",
        b"[" * 100_000,
        b'{"sha256": NaN}',
        b"9" * 10_000,
    ):
        overwrite(path, text)
        with pytest.raises(ValueError, match=r"."):
            store.read_record(run.record.stages["draw"].key)
    assert outcomes(run_toy(store))["draw"] == "unchanged"
    assert not (tmp_path / "harm").exists() and not Path("harm").exists()
