from __future__ import annotations

import io
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tasks.image_files import BadImages
from tasks.image_tables import read_pixel_table


def noise(rows: int, pixels: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (rows, pixels), dtype=np.uint8)


def frame(pixels: Any, labels: Any, place: int = 0) -> pd.DataFrame:
    table = pd.DataFrame(pixels, columns=[f"pixel{i}" for i in range(np.shape(pixels)[1])])
    table.insert(place, "label", labels)
    return table


def csv(table: pd.DataFrame, **options: Any) -> bytes:
    return bytes(table.to_csv(index=False, **options).encode())


def parquet(table: pd.DataFrame) -> bytes:
    file = io.BytesIO()
    table.to_parquet(file)
    return file.getvalue()


def read(data: bytes, suffix: str = ".csv", label: str = "label", header: bool = True) -> Any:
    return read_pixel_table(data, suffix, label, header)


@pytest.mark.parametrize("place", [0, 7, 12])
@pytest.mark.parametrize("kind", ["comma", "semicolon", "tab", "parquet", "parquet of floats"])
def test_a_table_is_read_whatever_its_form(place: int, kind: str) -> None:
    pixels, labels = noise(6, 12), ["<b>", "b", "ü"] * 2
    table = frame(pixels, labels, place)
    if kind == "parquet":
        found = read(parquet(table), ".parquet")
    elif kind == "parquet of floats":
        found = read(parquet(frame(pixels.astype("float32"), labels, place)), ".PARQUET")
    else:
        found = read(csv(table, sep={"comma": ",", "semicolon": ";", "tab": "\t"}[kind]))
    np.testing.assert_array_equal(found[0], pixels)
    assert found[1].tolist() == labels


def test_numbers_as_labels_are_text_as_they_stand() -> None:
    assert read(csv(frame(noise(3, 4), [7, 10, 7])))[1].tolist() == ["7", "10", "7"]
    for labels in ([7, 10, 7], [7.0, 10.0, 7.0]):
        found = read(parquet(frame(noise(3, 4), labels)), ".parquet")
        assert found[1].tolist() == ["7", "10", "7"]


def test_spaces_and_decimals_are_read() -> None:
    found = read(b"label,a,b\nx , 0.5,1\ny,.25,1e0\n")
    np.testing.assert_array_equal(found[0], [[0.5, 1], [0.25, 1]])
    assert found[1].tolist() == ["x", "y"]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_without_a_header_the_label_comes_first(separator: str) -> None:
    pixels = noise(3, 9)
    table = frame(pixels, [5, 0, 5])
    data = csv(table, header=False, sep=separator)
    found = read(data, header=False)
    np.testing.assert_array_equal(found[0], pixels)
    assert found[1].tolist() == ["5", "0", "5"]
    with pytest.raises(
        BadImages, match=r"numbers only: there is no header; .* set header to false"
    ):
        read(data)


def test_columns_called_by_numbers_are_a_header() -> None:
    assert read(b"label,0,1,2,3\na,1,2,3,4\n")[0].tolist() == [[1, 2, 3, 4]]


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "the file is empty"),
        (b"label\na\n", "one column only"),
        (b"Label,a,b\nx,1,2\n", "one column called 'label' expected, .* did you mean 'Label'"),
        (b"a,b\n1,2\n", "Name the column that holds the class with the parameter label"),
        (b"label,label,b\n1,2,3\n", "one column called 'label' expected"),
        (b"label,a,b\n" + b"x" * 999 + b",1,2\n", "a label has 999 characters"),
        (b"label,a,b\nx,1,2\n,1,2\n", "column 'label': label 2 is empty"),
        (b"label,a,b\nx,1,2\ny,1,q\n", "column 'b': a number expected, found 'q' in data row 2"),
        (b"label,a,b\nx,,2\ny,1,2\n", "column 'a': a number expected, found '' in data row 1"),
        (b"label,a,b\nx,nan,2\ny,1,2\n", "column 'a': a number expected, found 'nan'"),
        (b"label,a,b\nx,-inf,2\n", "column 'a': a number expected, found '-inf'"),
        (b"label,a,b\nx,1,2\ny,1\n", "same number of fields|a number expected"),
        (b"\x80\x04\x95pickle", "this is a pickle"),
        (b"PK\x03\x04zip", "a zip archive"),
        (b"<!doctype html><p>404, not found", "a web page"),
        (b"label,a\n\xff\xfe,1\n", "not UTF-8"),
    ],
)
def test_what_is_no_table_of_pixels_is_refused(data: bytes, says: str) -> None:
    with pytest.raises(BadImages, match=says):
        read(data)


@pytest.mark.parametrize(
    ("table", "says"),
    [
        (frame(np.array([[1, np.nan]]), ["a"]), "column 'pixel1': a number expected, found 'nan'"),
        (frame(noise(2, 2), ["a", None]), "column 'label': data row 2 has no label"),
        (frame(noise(2, 2), [1.0, np.nan]), "column 'label': data row 2 has no label"),
        (frame(np.array([["x", "y"]]), ["a"]), "column 'pixel0': a number expected, found 'x'"),
    ],
)
def test_gaps_in_parquet_are_named(table: pd.DataFrame, says: str) -> None:
    with pytest.raises(BadImages, match=says):
        read(parquet(table), ".parquet")


def test_a_damaged_parquet_file_is_refused() -> None:
    with pytest.raises(BadImages, match=r"damaged Parquet|no Parquet"):
        read(parquet(frame(noise(2, 2), ["a", "b"]))[:-20], ".parquet")
