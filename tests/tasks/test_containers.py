from __future__ import annotations

import gzip
import io
import struct
import tracemalloc
import zipfile
from typing import get_args

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.containers import BadContainer, Container, read_idx, unpack, write_arrays, write_idx

uint8_arrays = hnp.arrays(np.uint8, hnp.array_shapes(min_dims=1, max_dims=4, min_side=0))


@given(uint8_arrays)
def test_idx_keeps_every_array(array: np.ndarray) -> None:
    np.testing.assert_array_equal(read_idx(write_idx(array)), array)
    assert read_idx(write_idx(np.asfortranarray(array))).shape == array.shape
    assert write_idx(np.asfortranarray(array)) == write_idx(array)


def test_idx_is_the_published_format() -> None:
    array = np.array([[1, 2, 3], [4, 5, 6]], np.uint8)
    assert write_idx(array) == b"\0\0\x08\x02" + struct.pack(">2I", 2, 3) + bytes(range(1, 7))


@given(uint8_arrays, st.booleans(), st.booleans())
def test_the_container_does_not_matter(array: np.ndarray, fortran: bool, deflate: bool) -> None:
    file = io.BytesIO()
    array = np.asfortranarray(array) if fortran else array
    (np.savez_compressed if deflate else np.savez)(file, x=array)
    from_npz = unpack("npz", [file.getvalue()], ["x"], member="", limit=10_000)
    from_idx = unpack("idx.gz", [gzip.compress(write_idx(array))], ["x"], member="", limit=10_000)
    assert from_npz == from_idx
    assert write_arrays(from_npz) == write_arrays(from_idx)
    with np.load(io.BytesIO(write_arrays(from_npz)), allow_pickle=False) as loaded:
        np.testing.assert_array_equal(loaded["x"], array)


@given(st.lists(st.binary(max_size=30).map(lambda b: b.replace(b"\r", b"").replace(b"\n", b""))))
def test_line_ends_become_crlf_whatever_they_were(lines: list[bytes]) -> None:
    texts = [b"".join(line + end for line in lines) for end in (b"\n", b"\r\n")]
    lf, crlf = (unpack("text", [t], ["t"], member="", limit=10_000)["t"] for t in texts)
    assert lf == crlf == texts[1]


def _valid(container: Container) -> bytes:
    array = np.arange(12, dtype=np.uint8).reshape(3, 4)
    file = io.BytesIO()
    match container:
        case "npz":
            np.savez_compressed(file, x=array)
        case "zip":
            with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
                archive.writestr("x", b"1\t2\r\n" * 50)
        case "idx.gz":
            return gzip.compress(write_idx(array), mtime=0)
        case "csv.gz":
            return gzip.compress(b"0,5,255,1,7\n" * 3, mtime=0)
        case "text":
            return b"1\t2\r\n"
    return file.getvalue()


@pytest.mark.parametrize("container", get_args(Container))
@given(data=st.data())
def test_altered_bytes_give_content_or_one_kind_of_error(
    container: Container, data: st.DataObject
) -> None:
    body = bytearray(_valid(container))
    for _ in range(data.draw(st.integers(1, 4))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    body = body[: data.draw(st.integers(0, len(body)))]
    try:
        content = unpack(container, [bytes(body)], ["x"], member="x", limit=1_000)
    except BadContainer:
        return
    assert len(content["x"]) <= 1_000


@pytest.mark.parametrize("container", get_args(Container))
@given(body=st.binary(max_size=200))
def test_any_bytes_give_content_or_one_kind_of_error(container: Container, body: bytes) -> None:
    try:
        unpack(container, [body], ["x"], member="x", limit=1_000)
    except BadContainer:
        return


def _zip_that_lies(size: int, inflated: int) -> bytes:
    """A zip whose directory claims `size` bytes for a member that inflates to `inflated`."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x", bytes(inflated))
    data = bytearray(file.getvalue())
    directory = data.index(b"PK\x01\x02")
    data[directory + 24 : directory + 28] = struct.pack("<I", size)
    return bytes(data)


def test_a_bomb_that_lies_about_its_size_is_not_inflated() -> None:
    bomb = _zip_that_lies(100, 200_000_000)
    tracemalloc.start()
    try:
        with pytest.raises(BadContainer):
            unpack("zip", [bomb], ["x"], member="x", limit=10_000)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 5_000_000


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_methods_that_inflate_without_a_bound_are_refused(method: int) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        archive.writestr("x", b"hello")
    with pytest.raises(BadContainer, match="stored or deflated"):
        unpack("zip", [file.getvalue()], ["x"], member="x", limit=1_000)


def test_the_limit_holds_for_all_parts_together() -> None:
    files = [gzip.compress(write_idx(np.zeros(60, np.uint8)))] * 2
    assert unpack("idx.gz", files, ["a", "b"], member="", limit=136)
    with pytest.raises(BadContainer, match="b: inflates to more"):
        unpack("idx.gz", files, ["a", "b"], member="", limit=135)


def test_an_npy_header_that_claims_a_huge_array_allocates_nothing() -> None:
    npy = io.BytesIO()
    header = {"descr": "|u1", "fortran_order": False, "shape": (10**12,)}
    np.lib.format.write_array_header_1_0(npy, header)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("x.npy", npy.getvalue() + b"abc")
    with pytest.raises(BadContainer, match=r"shape \(1000000000000,\) with 3 values"):
        unpack("npz", [file.getvalue()], ["x"], member="", limit=1_000)


def test_a_csv_of_square_images_gives_images_and_labels() -> None:
    files = [gzip.compress(b"0,5,255,1,7\n1,1,1,1,3\n")]
    content = unpack("csv.gz", files, ["x", "y"], member="", limit=1_000)
    assert read_idx(content["x"]).tolist() == [[[0, 5], [255, 1]], [[1, 1], [1, 1]]]
    assert read_idx(content["y"]).tolist() == [7, 3]


@pytest.mark.parametrize(
    "text", [b"", b"\n\n", b"1,2,3\n", b"1,2,256,4,5\n", b"1,2,x,4,5", b"-1,0"]
)
def test_a_csv_of_anything_else_is_refused(text: bytes) -> None:
    with pytest.raises(BadContainer, match=r"^x: "):
        unpack("csv.gz", [gzip.compress(text)], ["x", "y"], member="", limit=1_000)
