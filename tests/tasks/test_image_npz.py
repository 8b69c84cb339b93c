from __future__ import annotations

import io
import pickle
import struct
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.image_arrays import check_rows, to_squares
from tasks.image_files import BadImages
from tasks.image_npz import read_npz


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


def npz(deflate: bool = False, **arrays: Any) -> bytes:
    file = io.BytesIO()
    (np.savez_compressed if deflate else np.savez)(file, **arrays)
    return file.getvalue()


def npy(shape: tuple[int, ...], data: bytes, descr: str = "|u1") -> bytes:
    file = io.BytesIO()
    header = {"descr": descr, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, header)
    return file.getvalue() + data


def archive(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as out:
        for name, data in members.items():
            out.writestr(name, data)
    return file.getvalue()


@pytest.mark.parametrize("deflate", [False, True])
@pytest.mark.parametrize("on_disk", [False, True])
def test_an_npz_is_read_wherever_it_lies(tmp_path: Path, deflate: bool, on_disk: bool) -> None:
    arrays = {"x": noise(5, 4, 4), "y": np.arange(5), "x_test": noise(2, 4, 4), "y_test": [1, 2]}
    data = npz(deflate, **arrays, other=np.array([{}], object))
    path = tmp_path / "a.npz"
    path.write_bytes(data)
    found = read_npz(path if on_disk else data)
    assert set(found) == set(arrays)
    for name, array in arrays.items():
        np.testing.assert_array_equal(found[name], array)


def test_x_train_and_y_train_are_taken_for_x_and_y() -> None:
    found = read_npz(npz(x_train=noise(5, 4, 4), y_train=np.arange(5)))
    assert set(found) == {"x", "y"}


REFUSED = {
    "objects": (
        npz(x=np.array([[1, "a"]], object), y=[1]),
        "x holds Python objects.*pickle: refused",
    ),
    "object labels": (npz(x=noise(2, 4, 4), y=np.array(["a", None], object)), "y holds Python obj"),
    "a pickle": (pickle.dumps(noise(2, 4, 4)), "this is a pickle, which is never loaded"),
    "one array": (npy((2,), b"ab"), "a single array"),
    "text": (b"hello", "no npz file"),
    "nothing": (b"", "no npz file"),
    "half of one": (npz(x=noise(9, 9, 9), y=np.arange(9))[:500], "not a whole npz"),
    "other names": (npz(images=noise(2, 4, 4), labels=[1, 2]), "there is 'images', 'labels'"),
    "no members": (archive({}), "there is none"),
    "x alone": (npz(x=noise(2, 4, 4)), "arrays called x and y"),
    "x_test alone": (npz(x=noise(2, 4, 4), y=[1, 2], x_test=noise(1, 4, 4)), "x_test alone"),
    "a claim": (archive({"x.npy": npy((10**12, 28, 28), b"a"), "y.npy": npy((1,), b"a")}), "limit"),
    "a small claim": (
        archive({"x.npy": npy((9, 4, 4), b"a"), "y.npy": npy((1,), b"a")}),
        r"shape \(9, 4, 4\) of uint8, 144 bytes; there are 1",
    ),
    "a negative shape": (
        archive({"x.npy": npy((-1, 4, 4), b""), "y.npy": npy((1,), b"a")}),
        "x: |not a whole npz",
    ),
    "bzip2": (
        archive({"x.npy": npy((1, 1, 1), b"a"), "y.npy": npy((1,), b"a")}, zipfile.ZIP_BZIP2),
        "unusual way",
    ),
    "no npy": (archive({"x.npy": b"hello", "y.npy": b"hello"}), "not a whole npz"),
    "evil header": (
        archive({"x.npy": b"\x93NUMPY\1\0\x20\0{'descr': __import__('os'), }   \n", "y.npy": b""}),
        "not a whole npz",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_plain_npz_is_refused(tmp_path: Path, name: str) -> None:
    data, says = REFUSED[name]
    path = tmp_path / "a.npz"
    path.write_bytes(data)
    for file in (path, data):
        with pytest.raises(BadImages, match=says):
            read_npz(file)


def test_a_pickle_in_an_npz_is_never_run(tmp_path: Path) -> None:
    class Bomb:
        def __reduce__(self) -> Any:
            return (Path.touch, (tmp_path / "ran",))

    with pytest.raises(BadImages, match="refused"):
        read_npz(npz(x=np.array([Bomb()], object), y=[1]))
    assert not (tmp_path / "ran").exists()


def test_a_bomb_is_refused_by_its_header() -> None:
    zeros = bytes(1 << 20)
    bomb = archive({"x.npy": npy((3 << 30,), zeros), "y.npy": npy((1,), b"a")})
    lying = bytearray(bomb)
    directory = lying.index(b"PK\x01\x02")
    lying[directory + 24 : directory + 28] = struct.pack("<I", 100)
    for data in (bomb, bytes(lying)):
        tracemalloc.start()
        try:
            with pytest.raises(BadImages):
                read_npz(data)
            assert tracemalloc.get_traced_memory()[1] < 5_000_000
        finally:
            tracemalloc.stop()


@given(data=st.data(), deflate=st.booleans())
@settings(max_examples=150)
def test_altered_bytes_give_arrays_or_one_kind_of_error(data: st.DataObject, deflate: bool) -> None:
    body = bytearray(npz(deflate, x=noise(3, 4, 4), y=np.arange(3)))
    for _ in range(data.draw(st.integers(1, 4))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    try:
        found = read_npz(bytes(body))
        check_rows(found["x"], found["y"], "x", "y")
        to_squares({"x": found["x"]}, size=4, invert=False)
    except BadImages:
        return
