from __future__ import annotations

import io
import logging
import math
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import File, InputError
from tasks import table_files
from tasks.datasets import WIFI, read_bundled
from tasks.tables import BadTable, Table, check_table, read_table

WLAN = [f"WLAN-{i}" for i in range(7)]
ROOMS = {"1": "room 1", "2": "room 2 (hall)", "3": "room 3", "4": "room 4"}
CSV = "a,b,kind\n1,2.5,x\n2,3.5,y\n3,4.5,x\n4,5.5,y\n"


def read(text: str | bytes, suffix: str = ".csv", label: str = "kind", **options: Any) -> Table:
    data = text.encode() if isinstance(text, str) else text
    return read_table.fn(File(data=data, suffix=suffix), label=label, **options)


def parquet(frame: pd.DataFrame, **options: Any) -> bytes:
    file = io.BytesIO()
    frame.to_parquet(file, **options)
    return file.getvalue()


def test_the_wifi_file() -> None:
    table = read(
        read_bundled(WIFI), ".txt", "room", names=WLAN, unit="dBm", class_names=ROOMS, name="wifi"
    )
    assert list(table.features.columns) == WLAN
    assert table.features.shape == (2_000, 7)
    assert set(table.features.dtypes) == {np.dtype("float64")}
    assert table.features.iloc[0].tolist() == [-64, -56, -61, -66, -71, -82, -81]
    assert list(table.labels.columns) == ["label"]
    assert table.labels["label"].iloc[[0, 500, 1999]].tolist() == [
        "room 1",
        "room 2 (hall)",
        "room 4",
    ]
    assert table.about == {
        "name": "wifi",
        "unit": "dBm",
        "rows": 2_000,
        "label": "room",
        "features": WLAN,
        "classes": list(ROOMS.values()),
        "sizes": dict.fromkeys(ROOMS.values(), 500),
        "constant": [],
    }


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".txt"])
def test_the_separator_is_found(separator: str, suffix: str) -> None:
    table = read(CSV.replace(",", separator), suffix)
    assert table.features.to_dict("list") == {"a": [1, 2, 3, 4], "b": [2.5, 3.5, 4.5, 5.5]}
    assert table.labels["label"].tolist() == ["x", "y", "x", "y"]


def test_other_separators_inside_quoted_labels_do_not_mislead() -> None:
    rows = '"a","kind"\n' + '1,"x;y;z;u"\n' * 2 + '2,"p\tq, r"\n' * 2
    assert read(rows).about["classes"] == ["p\tq, r", "x;y;z;u"]


def test_parquet_and_csv_give_the_same_table() -> None:
    frame = pd.read_csv(io.StringIO(CSV))
    for options in ({}, {"index": True}):
        other = frame.set_axis(["r1", "r2", "r3", "r4"]) if options else frame
        one, two = read(CSV), read(parquet(other, **options), ".parquet")
        pd.testing.assert_frame_equal(one.features, two.features)
        pd.testing.assert_frame_equal(one.labels, two.labels)
        assert one.about == two.about


def test_labels_become_text_and_sort_naturally() -> None:
    rows = "v,kind\n" + "".join(f"{i},{k}\n" * 2 for i, k in enumerate(["r10", "r2", "R1", "r1"]))
    assert read(rows).about["classes"] == ["R1", "r1", "r2", "r10"]
    numbers = pd.DataFrame({"v": range(6), "kind": [10, 10, 2, 2, 1, 1]})
    for kind in ("int64", "float64", "Int8"):
        table = read(parquet(numbers.astype({"kind": kind})), ".parquet")
        assert table.about["classes"] == ["1", "2", "10"]


def test_a_label_may_hold_html_and_stays_plain_text() -> None:
    evil = "<script>alert('1')</script>"
    table = read(f'v,kind\n1,"{evil}"\n2,"{evil}"\n3,b\n4,b\n')
    assert table.about["classes"] == [evil, "b"]


def test_names_may_contain_the_label_anywhere() -> None:
    table = read("x,1,2\ny,3,4\nx,5,6\ny,7,8\n", names=["kind", "a", "b"])
    assert table.features["b"].tolist() == [2, 4, 6, 8]


def test_the_byte_order_mark_of_a_spreadsheet_is_no_part_of_a_name() -> None:
    assert list(read(b"\xef\xbb\xbf" + CSV.encode()).features.columns) == ["a", "b"]


def test_a_constant_column_is_kept_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        table = read("a,b,kind\n1,7,x\n2,7,y\n3,7,x\n4,7,y\n")
    assert table.about["constant"] == ["b"]
    assert "same value in every row: b" in caplog.text


def _parquet_with(**columns: Any) -> bytes:
    return parquet(pd.DataFrame({"a": [1.0, 2, 3, 4], "kind": list("xyxy"), **columns}))


REFUSED: list[Any] = [
    pytest.param(b"", ".csv", "the file is empty", id="empty"),
    pytest.param(b" \n\n", ".csv", "the file is empty", id="blank"),
    pytest.param("a,kind\n", ".csv", "a header, but no row", id="header only"),
    pytest.param("1,2\n3,4\n5,6\n", ".csv", "there is no header; add a first line", id="no header"),
    pytest.param(
        CSV.replace("kind", "kinds"), ".csv", "called 'kind'.*mean 'kinds'", id="near label"
    ),
    pytest.param(CSV.replace("kind", "KIND"), ".csv", "did you mean 'KIND'", id="label's case"),
    pytest.param("a,zzz\n1,x\n", ".csv", "there are 'a', 'zzz'; Name the column", id="no label"),
    pytest.param("kind,\nx,1\n", ".csv", "column 2 has no name", id="nameless"),
    pytest.param("a,a,kind\n1,2,x\n", ".csv", "two columns are called 'a'", id="twice"),
    pytest.param("kind,kind\n1,2\n", ".csv", "two columns are called 'kind'", id="label twice"),
    pytest.param("kind\nx\n", ".csv", "one column only: none of comma", id="one column"),
    pytest.param("a,cluster,kind\n1,2,x\n", ".csv", "cannot be called 'cluster'", id="taken"),
    pytest.param(
        "a,kind\n1,x\n2,y\nno,x\n4,y\n", ".csv", "'a': number .*'no' in data row 3", id="text"
    ),
    pytest.param(
        "a;kind\n1,5;x\n2,5;x\n3;y\n4;y\n",
        ".csv",
        "'1,5' in data row 1.*with a point",
        id="decimal comma",
    ),
    pytest.param(
        "a,kind\n1_0,x\n2,y\n3,x\n4,y\n", ".csv", "number expected, found '1_0'", id="underscore"
    ),
    pytest.param(
        "a,kind\n1,x\n,y\nNA,x\n4,y\n", ".csv", r"'a': data row 2 has no value \(2 such", id="gap"
    ),
    pytest.param(
        "a,kind\n1,x\nnan,y\n2,x\n4,y\n", ".csv", r"row 2 has no value \(1 such", id="nan"
    ),
    pytest.param(
        "a,kind\n1,x\n1,y\n-inf,x\n1e999,y\n", ".csv", r"row 3 is infinite \(2 such", id="inf"
    ),
    pytest.param("a,b,kind\n1,2,x\n3,4,y\n5\n", ".csv", "data row 3 has no label", id="short row"),
    pytest.param("a,kind\n1,x\n2,y,9\n", ".csv", "line 3, saw 3", id="long row"),
    pytest.param('a,kind\n1,"x\n2,y\n', ".csv", "EOF inside string", id="open quote"),
    pytest.param("a,kind\n1,x\n2,\n", ".csv", "data row 2 has no label", id="missing label"),
    pytest.param("a,kind\n1,x\n2,x\n", ".csv", "every row is 'x'; at least 2", id="one class"),
    pytest.param(
        "a,kind\n1,x\n2,x\n3,y\n",
        ".csv",
        r"1 of 2 classes have one row only \('y'\)",
        id="small class",
    ),
    pytest.param(
        "a,kind\n1,size\n2,size\n3,y\n4,y\n", ".csv", "cannot be called 'size'", id="taken class"
    ),
    pytest.param(b"a,kind\n1,x\xff\n", ".csv", "line 2 is not UTF-8", id="latin-1"),
    pytest.param(CSV.encode("utf-16"), ".csv", "UTF-16 text; save it as UTF-8", id="utf-16"),
    pytest.param(b"a,kind\n1,\0\n", ".csv", "byte 9 is NUL", id="nul"),
    pytest.param(pickle.dumps([1, 2]), ".csv", "a pickle, which is never loaded", id="pickle"),
    pytest.param(pickle.dumps([1]), ".parquet", "a pickle, which is never", id="pickle as parquet"),
    pytest.param(pickle.dumps([1, 2], protocol=0), ".csv", "column", id="old pickle"),
    pytest.param(b"PK\x03\x04abc", ".csv", "a zip archive", id="xlsx"),
    pytest.param(b"\x1f\x8babc", ".csv", "unpack it first", id="gzip"),
    pytest.param("<!DOCTYPE html>\n<p>a,kind", ".csv", "a web page", id="html"),
    pytest.param(CSV, ".xlsx", "ends in .csv.* not in '.xlsx'", id="suffix"),
    pytest.param(CSV, ".parquet", "no Parquet file", id="csv as parquet"),
    pytest.param(_parquet_with()[:-20], ".parquet", "damaged Parquet", id="half a parquet"),
    pytest.param(
        _parquet_with(kind=["ä", "ö", "ä", "ö"]).replace("ö".encode(), b"\xff\xff"),
        ".parquet",
        "damaged Parquet",
        id="pq not UTF-8",
    ),
    pytest.param(
        _parquet_with(b=list("pqrs")), ".parquet", "'b': number expected, found 'p'", id="pq text"
    ),
    pytest.param(
        _parquet_with(b=[1, None, 3, math.nan]), ".parquet", r"row 2 has no value \(2", id="pq gap"
    ),
    pytest.param(
        _parquet_with(kind=[b"x", b"y"] * 2), ".parquet", "'kind' holds binary", id="bytes"
    ),
    pytest.param(_parquet_with(b=[[1], [2], [3], [4]]), ".parquet", "'b' holds list", id="pq list"),
    pytest.param(
        _parquet_with(b=pd.date_range("2020", periods=4)), ".parquet", "'b': number", id="pq dates"
    ),
]


@pytest.mark.parametrize(("data", "suffix", "says"), REFUSED)
def test_what_cannot_be_used_is_refused_with_a_reason(
    tmp_path: Path, data: str | bytes, suffix: str, says: str
) -> None:
    with pytest.raises(BadTable, match=says) as caught:
        read(data, suffix, name="mine")
    assert str(caught.value).startswith("mine: ")
    path = tmp_path / f"signals{suffix}"
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    with pytest.raises(InputError, match=says) as early:
        check_table(path, "kind")
    assert str(early.value) == str(caught.value).replace("mine: ", f"signals{suffix}: ", 1)


def test_old_pickles_are_text_to_the_reader_and_run_nothing(tmp_path: Path) -> None:
    target = tmp_path / "ran"
    with pytest.raises(BadTable):
        read(f"cpathlib\nPath\n(V{target}\ntR.".encode())
    assert not target.exists()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"names": ["a"]}, "3 columns, but names has 1"),
        ({"names": ["a", "b", "kind"]}, "the first line is a header: leave out"),
        ({"class_names": {"x": "X"}}, "class_names has no name for 'y'; it names 'x'"),
        ({"max_rows": 3}, "more than 3 rows; take a sample"),
        ({"label": "a"}, "4 of 4 classes have one row only"),
    ],
)
def test_options_that_do_not_fit_are_refused(options: dict[str, Any], says: str) -> None:
    with pytest.raises(BadTable, match=says):
        read(CSV, **options)


def test_parquet_takes_no_names_and_not_too_many_rows() -> None:
    with pytest.raises(BadTable, match="names its columns"):
        read(_parquet_with(), ".parquet", names=["a"])
    with pytest.raises(BadTable, match="more than 3 rows"):
        read(_parquet_with(), ".parquet", max_rows=3)


def test_a_small_parquet_that_inflates_to_much_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = 400_000
    bomb = parquet(
        pd.DataFrame({"a": np.zeros(rows), "kind": ["x" * 10, "y"] * (rows // 2)}),
        use_dictionary=False,
        compression="zstd",
    )
    monkeypatch.setattr(table_files, "MAX_BYTES", 1_000_000)
    assert len(bomb) < 100_000
    with pytest.raises(BadTable, match="limits are 1,000,000 bytes"):
        read(bomb, ".parquet")


def test_too_many_bytes_or_columns_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wide = ",".join(f"c{i}" for i in range(2_001)) + ",kind\n" + "1," * 2_001 + "x\n"
    with pytest.raises(BadTable, match="2,002 columns, limit 2,000"):
        read(wide)
    path = tmp_path / "big.csv"
    path.write_text(CSV, "utf-8")
    monkeypatch.setattr("tasks.tables.MAX_BYTES", 10)
    with pytest.raises(BadTable, match="bytes, limit 10"):
        check_table(path, "kind")


def test_check_table_returns_what_is_inside(tmp_path: Path) -> None:
    path = tmp_path / "signals.csv"
    path.write_text(CSV, "utf-8")
    about = check_table(path, "kind")
    assert about["features"] == ["a", "b"]
    assert about["sizes"] == {"x": 2, "y": 2}


def test_check_table_explains_paths_that_are_no_files(tmp_path: Path) -> None:
    with pytest.raises(BadTable, match="there is no such file"):
        check_table(tmp_path / "none.csv", "kind")
    with pytest.raises(BadTable, match="this is a folder"):
        check_table(tmp_path, "kind")


finite = st.floats(allow_nan=False, allow_infinity=False)
class_names = st.text(
    st.characters(blacklist_categories=("Cs", "Cc"), blacklist_characters="\ufeff"), min_size=1
).filter(lambda t: t == t.strip() and t.lower() not in {"", "nan", "<na>", "size", "cluster"})


@given(
    rows=st.lists(st.tuples(finite, st.integers(-(2**53), 2**53)), min_size=2, max_size=20),
    kinds=st.lists(class_names, min_size=2, max_size=3, unique=True),
    separator=st.sampled_from(",;\t"),
)
def test_every_number_and_label_survives_text_and_parquet(
    rows: list[tuple[float, int]], kinds: list[str], separator: str
) -> None:
    kinds = [kind for kind in kinds if kind not in {"purity", "majority"}] or ["x"]
    kinds = kinds if len(kinds) > 1 else [*kinds, "other " + kinds[0]]
    labels = [kind for kind in kinds for _ in rows]
    frame = pd.DataFrame(rows * len(kinds), columns=["signal, one", "b"]).assign(kind=labels)
    text = frame.to_csv(index=False, sep=separator)
    for data, suffix in ((text.encode(), ".csv"), (parquet(frame), ".parquet")):
        table = read(data, suffix)
        assert table.features["signal, one"].tolist() == frame["signal, one"].tolist()
        assert table.features["b"].tolist() == frame["b"].astype(float).tolist()
        assert table.labels["label"].tolist() == labels
        assert sum(table.about["sizes"].values()) == len(frame)


@settings(max_examples=300)
@given(st.data())
def test_a_damaged_table_is_refused_or_clean(data: st.DataObject) -> None:
    suffix = data.draw(st.sampled_from([".csv", ".parquet"]))
    body = bytearray(CSV.encode() if suffix == ".csv" else _parquet_with())
    for _ in range(data.draw(st.integers(1, 3))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    try:
        table = read(bytes(body), suffix)
    except BadTable:
        return
    assert np.isfinite(table.features.to_numpy()).all()
    assert len(table.features) == len(table.labels) == table.about["rows"]
    assert min(table.about["sizes"].values()) >= 2
