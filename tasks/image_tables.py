"""Images in a table: a row an image, a column a pixel (rows of pixels first), one column the label."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from tasks.image_files import BadImages
from tasks.image_labels import check_length, listing, to_texts
from tasks.table_files import BadTable, read_frame

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

SUFFIXES = (".csv", ".tsv", ".txt", ".parquet")

_MAX_ROWS = 1_000_000


def read_pixel_table(
    data: bytes, suffix: str, label: str, header: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Pixels (n, d) float32 in the order of the columns, and labels (n,) as text.

    Arguments:
        label: the column that holds the class.
        header: whether the first line of a text file names the columns; where it does not, the
            label comes first.

    Raises BadImages, which names column, row and fault.
    """
    import numpy as np

    try:
        if suffix.lower() == ".parquet" or header:
            _check_header(data, suffix)
            frame = read_frame(data, suffix, None, label, _MAX_ROWS)
        else:
            frame = read_frame(data, suffix, _name_columns(data, label), label, _MAX_ROWS)
    except BadTable as error:
        raise BadImages(f"{error}") from error
    columns = list(frame.columns)
    if columns.count(label) != 1:
        near = difflib.get_close_matches(label, columns, 1, cutoff=0.5)
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise BadImages(
            f"one column called {label!r} expected, there are {listing(columns)}; {hint}Name the "
            "column that holds the class with the parameter label"
        )
    place = columns.index(label)
    texts = _read_labels(frame.iloc[:, place], label)
    pixels = np.empty((len(columns) - 1, len(frame)), np.float32)
    for row, index in zip(pixels, (i for i in range(len(columns)) if i != place), strict=True):
        row[:] = _read_pixels(frame.iloc[:, index])
    return pixels.T, texts


def _first_line(data: bytes) -> list[str]:
    line = data.lstrip()[:100_000].decode("utf-8-sig", "ignore").partition("\n")[0]
    separator = max(",;\t", key=line.count)
    return [field.strip().strip('"') for field in line.split(separator)]


def _check_header(data: bytes, suffix: str) -> None:
    fields = _first_line(data) if suffix.lower() != ".parquet" else []
    if len(fields) > 1 and all(field.replace(".", "", 1).isdigit() for field in fields):
        raise BadImages(
            "the first line holds numbers only: there is no header; where the label comes first, set "
            "header to false, else add a first line with the columns' names"
        )


def _name_columns(data: bytes, label: str) -> list[str]:
    return [label, *(f"pixel {index}" for index in range(1, len(_first_line(data))))]


def _read_labels(column: pd.Series, name: str) -> np.ndarray:
    import numpy as np
    import pandas as pd

    missing = np.flatnonzero(column.isna())
    if missing.size:
        raise BadImages(
            f"column {name!r}: data row {missing[0] + 1} has no label ({missing.size:,} such rows)"
        )
    if pd.api.types.is_numeric_dtype(column.dtype):
        return to_texts(column.to_numpy(), f"column {name!r}")
    texts = column.astype("str")
    check_length(int(texts.str.len().max()), f"column {name!r}")
    return to_texts(np.array(texts.tolist(), np.str_), f"column {name!r}")


def _read_pixels(column: pd.Series) -> np.ndarray:
    """float64; text is parsed as a whole where possible, which is much faster than value by value."""
    import numpy as np
    import pandas as pd
    import pyarrow as pa

    if pd.api.types.is_numeric_dtype(column.dtype):
        values = column.to_numpy("float64", na_value=np.nan)
    else:
        try:
            values = pa.array(column).cast(pa.float64()).to_numpy(zero_copy_only=False)
        except pa.ArrowException:
            text = column.astype("str").str.strip()
            values = pd.to_numeric(text, errors="coerce").to_numpy("float64", na_value=np.nan)
    strange = np.flatnonzero(~np.isfinite(values))
    if strange.size:
        raise BadImages(
            f"column {column.name!r}: a number expected, found {listing([str(column.iloc[strange[0]])])} "
            f"in data row {strange[0] + 1} ({strange.size:,} such rows); mend or remove them, or leave "
            "the column out if it is no pixel"
        )
    return values
