"""Tables: content decides, not chunks, offsets or the library that wrote them."""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from engine import StageError, Store
from engine.formats import encode
from engine.parquet import _hash_column

LENGTH = 5
KINDS: dict[str, st.SearchStrategy[Any]] = {
    "float": st.lists(st.floats(width=64), min_size=LENGTH, max_size=LENGTH).map(
        lambda v: pd.Series(v, dtype="float64")
    ),
    "float32": st.lists(st.floats(width=32), min_size=LENGTH, max_size=LENGTH).map(
        lambda v: pd.Series(v, dtype="float32")
    ),
    "int": st.lists(st.integers(-100, 100), min_size=LENGTH, max_size=LENGTH).map(
        lambda v: pd.Series(v, dtype="int16")
    ),
    "bool": st.lists(st.booleans(), min_size=LENGTH, max_size=LENGTH).map(
        lambda v: pd.Series(v, dtype="bool")
    ),
    "text": st.lists(st.none() | st.text("aé", max_size=3), min_size=LENGTH, max_size=LENGTH).map(
        lambda v: pd.Series(v, dtype="str")
    ),
    "nullable": st.lists(st.none() | st.integers(-9, 9), min_size=LENGTH, max_size=LENGTH).map(
        lambda v: pd.Series(v, dtype="Int64")
    ),
    "category": st.lists(st.none() | st.sampled_from("xyz"), min_size=LENGTH, max_size=LENGTH).map(
        lambda v: pd.Series(pd.Categorical(v, categories=["x", "y", "z"]))
    ),
    "time": st.lists(
        st.none() | st.datetimes(datetime.datetime(1900, 1, 1), datetime.datetime(2100, 1, 1)),
        min_size=LENGTH,
        max_size=LENGTH,
    ).map(lambda v: pd.Series(v, dtype="datetime64[us]")),
}
series = st.one_of(*KINDS.values())
frames = st.dictionaries(
    st.text("abc é", min_size=1, max_size=3), series, min_size=1, max_size=4
).map(pd.DataFrame)


def digest(frame: pd.DataFrame) -> str:
    return encode(frame).digest


@given(frames)
def test_a_table_comes_back_as_it_was(tmp_path_factory, frame):
    store = Store(tmp_path_factory.mktemp("s") / "k=5")  # a path that looks like a partition
    artifact = store.put("x", frame)
    back = store.load(artifact)
    pd.testing.assert_frame_equal(back, frame, check_exact=True)
    assert digest(back) == artifact.digest
    assert store.put("x", back).sha256 == artifact.sha256


@given(frames, st.integers(0, LENGTH))
def test_chunks_and_slices_leave_no_trace(frame, cut):
    first = digest(frame)
    glued = pd.concat([frame.iloc[:cut], frame.iloc[cut:]], ignore_index=True)
    for name in frame:  # joining an empty piece may widen a dtype: that is another table
        assume(glued[name].dtype == frame[name].dtype)
    assert digest(glued) == first
    longer = pd.concat([frame, frame], ignore_index=True)
    assert digest(longer.iloc[LENGTH:].reset_index(drop=True)) == first
    assert digest(longer.iloc[:LENGTH]) == first


@given(series, st.integers(0, LENGTH - 1), st.integers(0, LENGTH - 1))
def test_one_changed_cell_changes_the_digest(values, at, source):
    changed = values.copy()
    changed.iloc[at] = values.iloc[source]
    kept = changed.astype("object").where(changed.notna(), None).tolist()
    assume(kept != values.astype("object").where(values.notna(), None).tolist())
    assert digest(pd.DataFrame({"a": changed})) != digest(pd.DataFrame({"a": values}))


@pytest.mark.parametrize("kind", sorted(set(KINDS) - {"int", "bool"}))
def test_a_missing_value_is_no_zero_and_no_empty_text(kind):
    dtype = {
        "float": "float64",
        "float32": "float32",
        "text": "str",
        "nullable": "Int64",
        "category": "category",
        "time": "datetime64[us]",
    }[kind]
    zero: Any = {"text": "", "category": "x", "time": pd.Timestamp(0)}.get(kind, 0)
    there = pd.DataFrame({"a": pd.Series([zero, zero], dtype=dtype)})
    missing = pd.DataFrame({"a": pd.Series([zero, None], dtype=dtype)})
    assert digest(there) != digest(missing)


def test_all_that_a_reader_can_see_enters_the_digest():
    base = {"a": [1, 2], "b": [3, 4]}
    variants = [
        pd.DataFrame(base),
        pd.DataFrame(base)[["b", "a"]],
        pd.DataFrame(base).rename(columns={"b": "c"}),
        pd.DataFrame(base, dtype="int32"),
        pd.DataFrame(base, dtype="Int64"),
        pd.DataFrame(base, dtype="float64"),
        pd.DataFrame(base, dtype="str"),
        pd.DataFrame(base, dtype="category"),
        pd.DataFrame({"a": [1, 2]}),
        pd.DataFrame({"a": []}),
        pd.DataFrame({"a": [], "b": []}),
        pd.DataFrame({"a": pd.Series([], dtype="str")}),
        pd.DataFrame(),
        pd.DataFrame({"a": ["12", ""]}),
        pd.DataFrame({"a": ["1", "2"]}),
        pd.DataFrame({"a": [b"1", b"2"]}),
        pd.DataFrame({"a": pd.to_datetime([1, 2], unit="s")}),
        pd.DataFrame({"a": pd.to_datetime([1, 2], unit="s", utc=True)}),
        pd.DataFrame({"a": pd.to_timedelta([1, 2], unit="s")}),
        pd.DataFrame({"a": [datetime.date(1970, 1, 2), datetime.date(1970, 1, 3)]}),
        pd.DataFrame({"a": [[1, 2], []]}),
        pd.DataFrame({"a": [[1], [2]]}),
        pd.DataFrame({"a": [[1.0], [2.0]]}),
        pd.DataFrame({"a": [["1"], ["2"]]}),
        pd.DataFrame({"a": [{"x": 1}, {"x": 2}]}),
        pd.DataFrame({"a": [{"y": 1}, {"y": 2}]}),
        pd.DataFrame({"a": pd.Categorical([1, 2], ordered=True)}),
        pd.DataFrame({"a": pd.Categorical([1, 2], categories=[2, 1])}),
        pd.DataFrame({"a": pd.Categorical([1, 2], categories=[1, 2, 3])}),
        pd.DataFrame({"a": pd.Categorical(["1", "2"])}),
        pd.DataFrame({"a": pd.Categorical([5e-324, 1e-323])}),  # the bits of 1 and 2
        pd.DataFrame({"a": [None, None]}),
        pd.DataFrame({"a": [True, None]}),
    ]
    assert len({digest(v) for v in variants}) == len(variants)


def test_what_a_table_drops_when_stored_has_no_digest():
    frame = pd.DataFrame({"a": ["x", "y"]})
    assert digest(frame.astype("object")) == digest(frame)
    assert digest(frame.rename_axis(columns="signal")) == digest(frame)


def hashed(column: pa.Array) -> list[bytes]:
    fed: list[bytes] = []

    class Sink:
        update = staticmethod(lambda data: fed.append(bytes(data)))

    _hash_column(Sink, column)
    return [piece for piece in fed if piece]


@pytest.mark.parametrize(
    "column",
    [
        pa.array(["a", None, "éé", ""]),
        pa.array([1, None, 3, 4], pa.int8()),
        pa.array([True, None, False, True]),
        pa.array([[1, 2], None, [], [None]]),
        pa.array([{"x": 1, "y": "a"}, None, {"x": None, "y": "b"}, {"x": 4, "y": None}]),
        pa.array(["u", None, "v", "u"]).dictionary_encode(),
        pa.array([b"\0", None, b"", b"\0\0"]),
        pa.array([None] * 4),
    ],
    ids=lambda column: str(column.type)[:20],
)
def test_offsets_and_chunks_of_arrow_leave_no_trace(column):
    whole = hashed(column)
    padded = pa.concat_arrays([column.slice(2), column, column.slice(0, 3)])
    assert hashed(padded.slice(2, 4)) == whole
    assert hashed(pa.chunked_array([column.slice(0, 1), column.slice(1)])) == whole


@pytest.mark.parametrize(
    "column", [pa.array(["a", None]), pa.array([b"a", None]), pa.array([["a"], None])]
)
def test_width_of_offsets_leaves_no_trace(column):
    wide = {"string": pa.large_string(), "binary": pa.large_binary()}.get(
        str(column.type), pa.large_list(pa.large_string())
    )
    assert hashed(column.cast(wide)) == hashed(column)


def test_what_lies_under_a_null_is_no_content():
    mask = np.array([False, True])
    assert hashed(pa.array([1, 2], mask=mask)) == hashed(pa.array([1, 99], mask=mask))
    assert hashed(pa.array(["a", "b"], mask=mask)) == hashed(pa.array(["a", "zzz"], mask=mask))


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        (pd.DataFrame({"a": [1]}, index=["x"]), "reset_index"),
        (pd.DataFrame({"a": [1, 2, 3]}).iloc[::2], "reset_index"),
        (pd.DataFrame({"a": [1, 2, 3]}).iloc[1:], "reset_index"),
        (pd.DataFrame(index=range(3)), "without a column"),
        (pd.DataFrame([[1, 2]]), "text column names"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), "distinct"),
        (pd.DataFrame({"a": [1, "b"]}), "Parquet"),
        (pd.DataFrame({"a": [1j]}), "Parquet"),
        (pd.DataFrame({"a": pd.arrays.SparseArray([0, 1])}), "Parquet"),
        (pd.DataFrame({"a": pd.Series([1, None], dtype="object")}), "'a' holds.*astype"),
        (pd.Series([1], name="a"), "to_frame"),
    ],
)
def test_tables_that_would_not_come_back_are_refused(frame, words):
    with pytest.raises(StageError, match=words):
        encode(frame)


def test_attrs_are_refused_since_no_digest_sees_them():
    frame = pd.DataFrame({"a": [1]})
    frame.attrs["unit"] = "dBm"
    with pytest.raises(StageError, match="attrs"):
        encode(frame)
