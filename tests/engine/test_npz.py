from __future__ import annotations

import io
import os
from pathlib import Path

import numpy as np
import pytest

from engine.npz import Arrays, write_npz


def written(folder: Path, arrays: dict[str, np.ndarray]) -> Path:
    path = folder / "x.npz"
    with path.open("wb") as file:
        write_npz(file, arrays)
    return path


def maps(path: Path) -> bool:
    return os.fspath(path) in Path("/proc/self/maps").read_text()


def test_numpy_reads_what_was_written(tmp_path):
    arrays = {"b": np.arange(6).reshape(2, 3), "a é": np.array(["x", "yy"]), "n": np.array(3.5)}
    with np.load(written(tmp_path, arrays), allow_pickle=False) as found:
        assert sorted(found.files) == sorted(arrays)
        for name, array in arrays.items():
            np.testing.assert_array_equal(found[name], array)
            assert found[name].dtype == array.dtype


def test_members_are_read_when_touched_and_mapped(tmp_path):
    path = written(tmp_path, {"a": np.arange(1000.0), "b": np.ones((50, 20), order="F")})
    arrays = Arrays(path)
    assert list(arrays) == ["a", "b"] and len(arrays) == 2
    assert not maps(path)
    a = arrays["a"]
    assert maps(path)
    assert a[-1] == 999.0 and not a.flags.writeable
    assert arrays["b"].flags.f_contiguous
    path.unlink()  # a mapped array outlives its file's name
    assert a.sum() == 999 * 500


def test_data_starts_at_a_multiple_of_64_bytes(tmp_path):
    many = {f"array {i}" + "é" * i: np.arange(i + 1) for i in range(40)}
    arrays = Arrays(written(tmp_path, many))
    for name in many:
        assert arrays[name].ctypes.data % 64 == 0
        np.testing.assert_array_equal(arrays[name], many[name])


def test_deflated_members_of_others_are_read_too(tmp_path):
    path = tmp_path / "x.npz"
    np.savez_compressed(path, a=np.arange(100), b=np.zeros((0, 3)))
    arrays = Arrays(path)
    np.testing.assert_array_equal(arrays["a"], np.arange(100))
    assert arrays["b"].shape == (0, 3)
    assert not arrays["a"].flags.writeable


@pytest.mark.filterwarnings("ignore:Stored array in format:UserWarning")
def test_field_names_of_any_alphabet(tmp_path):
    array = np.zeros(2, [("данные", "f4"), ("b", "i2", (3,))])
    found = Arrays(written(tmp_path, {"a": array}))["a"]
    assert found.dtype == array.dtype and found.shape == (2,)


def test_objects_are_never_unpickled(tmp_path):
    path = tmp_path / "x.npz"
    np.savez(path, a=np.array([{"x": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(ValueError, match="pickle"):
        Arrays(path)["a"]
    with pytest.raises(ValueError, match="allow_pickle"):
        write_npz(io.BytesIO(), {"a": np.array([{}], dtype=object)})


def test_names_are_shown(tmp_path):
    assert repr(Arrays(written(tmp_path, {"b": np.zeros(1), "a": np.zeros(1)}))) == "Arrays(a, b)"
