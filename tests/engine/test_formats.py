"""Digests go by content: equal content, equal digest; one changed element, another."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import hypothesis.extra.numpy as hnp
import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from engine import File, Picture, StageError, Store
from engine.formats import encode
from tests.engine.toy import PNG

# numpy tells that field names beyond latin-1 need its version 1.17.
pytestmark = pytest.mark.filterwarnings("ignore:Stored array in format:UserWarning")

plain_dtypes = st.one_of(
    hnp.boolean_dtypes(),
    hnp.integer_dtypes(),
    hnp.unsigned_integer_dtypes(),
    hnp.floating_dtypes(),
    hnp.complex_number_dtypes(),
    hnp.unicode_string_dtypes(max_len=4),
    hnp.byte_string_dtypes(max_len=4),
    hnp.datetime64_dtypes(),
    hnp.timedelta64_dtypes(),
)
dtypes = st.one_of(plain_dtypes, hnp.array_dtypes(plain_dtypes, max_size=3))
shapes = hnp.array_shapes(max_dims=3, min_side=0, max_side=4)
arrays = hnp.arrays(dtypes, shapes)


def digest(value: Any) -> str:
    return encode(value).digest


def content(value: Any) -> bytes:
    file = io.BytesIO()
    encode(value).write(file)
    return file.getvalue()


def native(array: np.ndarray) -> np.ndarray:
    return array.astype(array.dtype.newbyteorder("="))


def same_array(one: np.ndarray, other: np.ndarray) -> bool:
    return (
        one.dtype == other.dtype and one.shape == other.shape and one.tobytes() == other.tobytes()
    )


# Arrays


def test_an_array_is_no_dict_that_holds_it():
    array = np.arange(3, dtype="<i8")
    named = {name: digest({name: array}) for name in ("array", "other")}
    assert len({digest(array), *named.values()}) == 3
    # Those of records that are there stay as they are.
    assert digest(array).startswith("7c28e0effd14") and named["other"].startswith("d1eac79267d8")


@given(arrays)
def test_layout_of_an_array_leaves_no_trace(array):
    first = digest(array)
    wide = np.repeat(array, 2, axis=0)
    backwards = np.ascontiguousarray(array[::-1])
    assert digest(np.asfortranarray(array)) == first
    assert digest(wide[::2]) == first
    assert digest(backwards[::-1]) == first
    assert digest(array.astype(array.dtype.newbyteorder("S"))) == first
    assert digest(np.array(array, copy=True)) == first


@given(hnp.arrays(plain_dtypes, hnp.array_shapes(max_dims=3, max_side=4)), st.data())
def test_one_changed_element_changes_the_digest(array, data):
    index = data.draw(st.tuples(*(st.integers(0, side - 1) for side in array.shape)))
    value = data.draw(hnp.from_dtype(array.dtype))
    changed = array.copy()
    changed[index] = value
    assume(native(changed).tobytes() != native(array).tobytes())
    assert digest(changed) != digest(array)


@given(hnp.arrays(np.float64, (6, 4)), st.integers(0, 6 * 4 * 64 - 1))
def test_one_flipped_bit_changes_the_digest_in_any_layout(array, bit):
    changed = array.copy()
    changed.reshape(-1).view(np.uint8)[bit // 8] ^= 1 << bit % 8
    assert digest(changed) != digest(array)
    assert digest(np.asfortranarray(changed)) != digest(array)


def test_shape_dtype_and_name_enter_the_digest():
    zeros = np.zeros(12)
    variants: list[Any] = [
        zeros,
        zeros.reshape(3, 4),
        zeros.reshape(4, 3),
        zeros.reshape(12, 1),
        zeros.astype(np.int64),
        zeros.astype(np.float32),
        zeros.view(np.dtype("M8[s]")),
        zeros.view(np.dtype("M8[ms]")),
        zeros.view([("a", "f8")]),
        zeros.view([("b", "f8")]),
        {"array": zeros, "other": zeros},
        {"a": zeros},
        {"b": zeros},
        {"a": zeros[:6], "b": zeros[6:]},
        {"a": zeros[:5], "b": zeros[5:]},
        np.zeros((0, 3)),
        np.zeros((3, 0)),
        np.zeros(0),
        np.zeros(0, np.int64),
    ]
    assert len({digest(v) for v in variants}) == len(variants)


def test_blocks_of_a_large_array_are_as_good_as_the_whole(monkeypatch):
    array = np.arange(5 * 7 * 3).reshape(5, 7, 3)
    monkeypatch.setattr("engine.npz._BLOCK_BYTES", 2 * array[0].nbytes + 1)
    assert digest(array.transpose(2, 0, 1).copy()) == digest(array.transpose(2, 0, 1))
    assert digest(np.broadcast_to(array[0], (9, 7, 3))) == digest(np.stack([array[0]] * 9))


def test_what_lies_between_fields_is_no_content():
    aligned = np.dtype([("a", "i1"), ("b", "f8"), ("c", [("d", "i2"), ("e", "i8")])], align=True)
    clean = np.zeros(3, aligned)
    dirty = clean.copy()
    dirty.view(np.uint8).reshape(3, -1)[:, 1:8] = 7
    assert (clean == dirty).all()
    assert digest(clean) == digest(dirty)
    assert content(clean) == content(dirty)


@given(arrays)
def test_an_array_comes_back_as_it_was(tmp_path_factory, array):
    store = Store(tmp_path_factory.mktemp("s"))
    for layout in (array, np.asfortranarray(array), array.T):
        back = store.load(store.put("x", layout))
        assert same_array(back, native(layout))
        assert back.flags.f_contiguous >= layout.flags.f_contiguous
        assert not back.flags.writeable
        assert type(back) is np.ndarray


@given(st.dictionaries(st.text("abé _-.", min_size=1, max_size=6), arrays, min_size=1, max_size=3))
@settings(max_examples=40)
def test_a_dict_of_arrays_comes_back_lazily(tmp_path_factory, value):
    store = Store(tmp_path_factory.mktemp("s"))
    back = store.load(store.put("x", value))
    assert isinstance(back, Mapping)
    assert sorted(back) == sorted(value)
    for name, array in value.items():
        assert same_array(back[name], native(array))
    with pytest.raises(KeyError):
        back["absent"]
    assert digest(dict(reversed(value.items()))) == digest(value) == digest(back)


def test_an_array_of_no_dimensions_is_a_number_alone_and_an_array_beside_others(store):
    assert store.load(store.put("x", np.array(2.5))) == 2.5
    back = store.load(store.put("x", {"a": np.arange(3), "n": np.array(2.5)}))
    assert back["n"].shape == () and back["n"] == 2.5


@given(arrays)
def test_equal_arrays_give_equal_files(array):
    assert content(array) == content(array.copy())
    assert content({"b": array, "a": array}) == content({"a": array.copy(), "b": array})


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (np.array([{}], dtype=object), "object.*astype"),
        (np.array(["a"], dtype=np.dtypes.StringDType()), "fixed-width"),
        (np.ma.array([1, 2], mask=[False, True]), "MaskedArray.*plain arrays"),
        ({"a/b": np.zeros(1)}, "a/b"),
        ({"": np.zeros(1)}, "without a slash"),
        ({1: np.zeros(1)}, "name is text"),
        ({"a": np.zeros(1), "b": [1]}, "'b' is a list"),
        ({"a": np.zeros(1), "b": np.float64(1)}, "'b' is a float64"),
    ],
)
def test_arrays_that_cannot_be_kept_are_refused(value, words):
    with pytest.raises(StageError, match=words):
        encode(value)


# JSON


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(st.characters(exclude_categories=["Cs"])),
        lambda inner: st.lists(inner) | st.dictionaries(st.text("ab", max_size=3), inner),
        max_leaves=8,
    )
)
def test_json_comes_back_as_it_was(tmp_path_factory, value):
    store = Store(tmp_path_factory.mktemp("s"))
    artifact = store.put("x", value)
    assert artifact.format == "json"
    assert store.load(artifact) == value
    assert content(value) == store.path_of(artifact).read_bytes()


def test_numbers_of_numpy_are_accepted_in_json(store):
    made = {"mean": np.float64(0.5), "n": np.int64(3), "ok": np.bool_(True), "rows": (1, 2)}
    assert store.load(store.put("x", made)) == {"mean": 0.5, "n": 3, "ok": True, "rows": [1, 2]}


@pytest.mark.parametrize(
    "value",
    [
        {"a": float("nan")},
        [float("inf")],
        {1: 2},
        [np.zeros(2)],
        {"a": {"b": np.zeros(2)}},
        object(),
    ],
)
def test_what_is_no_json_is_refused(value):
    with pytest.raises(StageError, match="output"):
        encode(value)


# Pictures and files


def test_picture_comes_back_and_its_words_belong_to_it(store):
    picture = Picture(PNG, "png", "Four clusters.")
    artifact = store.put("draw", picture)
    assert (artifact.format, artifact.suffix) == ("png", ".png")
    assert store.load(artifact) == picture
    assert digest(Picture(PNG, "png", "Five clusters.")) != artifact.digest
    assert digest(Picture(PNG + b"\0", "png", "Four clusters.")) != artifact.digest


@pytest.mark.parametrize(("data", "kind"), [(b"GIF89a", "png"), (PNG, "jpeg"), (b"", "svg")])
def test_what_is_no_picture_is_refused(data, kind):
    with pytest.raises(StageError, match=r"png|svg"):
        Picture(data, kind)


def test_file_comes_back_as_a_read_only_path(store):
    artifact = store.put("export", File(b"a,b\n1,2\n", ".csv"))
    back = store.load(artifact)
    assert (back.read_bytes(), back.suffix) == (b"a,b\n1,2\n", ".csv")
    assert back.path is not None and not back.path.stat().st_mode & 0o222
    assert digest(back) == artifact.digest
    assert store.put("again", back).sha256 == artifact.sha256


def test_suffix_of_a_file_belongs_to_it(tmp_path):
    """A reader may go by it, so a renamed table is another input."""
    assert digest(File(b"1", ".csv")) != digest(File(b"1", ".txt"))
    with pytest.raises(StageError, match="suffix"):
        encode(File(b"1", ".tar.gz"))
    with pytest.raises(StageError, match="data or a path"):
        encode(File())


def test_file_from_outside_has_the_digest_of_the_same_file_made_here(store, tmp_path: Path):
    outside = tmp_path / "table.CSV"
    outside.write_bytes(b"a,b\n")
    artifact = store.put_file(outside, 100)
    assert artifact.digest == digest(File(b"a,b\n", ".csv"))
    assert store.load(artifact).suffix == ".csv"


@given(st.sampled_from(["json", "npz", "parquet", "png", "file"]))
def test_formats_never_share_a_digest(kind):
    values = {
        "json": {"a": 1},
        "npz": np.array([1]),
        "parquet": pd.DataFrame({"a": [1]}),
        "png": Picture(PNG),
        "file": File(b"1"),
    }
    others = [digest(value) for name, value in values.items() if name != kind]
    assert digest(values[kind]) not in others
