"""From the bytes of a .csv, .tsv, .txt or .parquet file to a frame of text or numbers.

The bytes come from anyone: a pickle, an archive, a web page or binary data is told from a table
before a parser sees it.
"""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from engine import InputError

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

MAX_BYTES = 256 << 20
MAX_COLUMNS = 2_000

_SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab"}
_SUFFIXES = (".csv", ".tsv", ".txt", ".parquet")
_SAMPLE_LINES = 50
# First bytes of what is often mistaken for a table; protocols 0 and 1 of pickle have no mark.
_OTHERS = {
    b"PK\x03\x04": "a zip archive (.xlsx files are such); export the sheet as CSV",
    b"\x1f\x8b": "a gzip file; unpack it first",
    b"\x89HDF": "an HDF5 file; save the table as CSV or Parquet",
    b"\x93NUMPY": "a NumPy file; save the table as CSV or Parquet",
    b"\xd0\xcf\x11\xe0": "an old Excel file; export the sheet as CSV",
    b"\xff\xfe": "UTF-16 text; save it as UTF-8",
    b"\xfe\xff": "UTF-16 text; save it as UTF-8",
}


class BadTable(InputError):
    """A table that cannot be used: where the fault is and what to do about it."""


def read_frame(
    data: bytes, suffix: str, names: list[str] | None, label: str, max_rows: int
) -> pd.DataFrame:
    """The table, columns in the file's order: all text (text files) or as typed (Parquet).

    Column names are stripped, and may still be empty or doubled. Raises BadTable.
    """
    if suffix.lower() not in _SUFFIXES:
        raise BadTable(f"a table ends in {', '.join(_SUFFIXES)}, not in {suffix or 'nothing'!r}")
    if len(data) > MAX_BYTES:
        raise BadTable(f"{len(data):,} bytes, limit {MAX_BYTES:,}; take a sample of it")
    if not data.strip():
        raise BadTable("the file is empty")
    if data[:1] == b"\x80" and data[1:2] in b"\x02\x03\x04\x05":
        raise BadTable(
            "this is a pickle, which is never loaded since loading runs code; save the table as CSV "
            "or Parquet"
        )
    if data[:4] == b"PAR1":
        return _read_parquet(data, names, max_rows)
    if suffix.lower() == ".parquet":
        raise BadTable("this is no Parquet file; save the table again, or end its name in .csv")
    _check_text(data)
    return _read_text(data, names, label, max_rows)


def shorten(text: str) -> str:
    """The text in quotes, on one line and at most 40 characters long."""
    return repr(text if len(text) <= 40 else text[:39] + "…")


def _check_text(data: bytes) -> None:
    for mark, what in _OTHERS.items():
        if data.startswith(mark):
            raise BadTable(f"this is {what}")
    nul = data.find(b"\0")
    if nul >= 0:
        raise BadTable(f"byte {nul:,} is NUL: this is no text; save the table as CSV in UTF-8")
    try:
        start = data.decode("utf-8-sig")[:1_000].lstrip().lower()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise BadTable(
            f"line {line} is not UTF-8 (byte {data[error.start]:#04x}); save the table as CSV in UTF-8"
        ) from error
    if start.startswith(("<!doctype html", "<html")):
        raise BadTable("this is a web page, not a table; download the file itself")


def _read_text(data: bytes, names: list[str] | None, label: str, max_rows: int) -> pd.DataFrame:
    import pandas as pd

    separator = _find_separator(data[:1_000_000].decode("utf-8-sig", "ignore"))
    header = names is None
    try:
        frame = pd.read_csv(
            io.BytesIO(data),
            encoding="utf-8-sig",
            sep=separator,
            header=None,
            dtype="str",
            na_filter=False,
            nrows=max_rows + 1 + header,
        )
    except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        fault = str(error).strip().removeprefix("Error tokenizing data. C error: ")
        raise BadTable(
            f"not a table with the {_SEPARATORS[separator]} as separator: {fault}; every row needs "
            "the same number of fields, and text with a separator in it needs quotes"
        ) from error
    if frame.shape[1] > MAX_COLUMNS:
        raise BadTable(f"{frame.shape[1]:,} columns, limit {MAX_COLUMNS:,}; leave some out")
    if names is None:
        columns = [str(cell).strip() for cell in frame.iloc[0]]
        if label not in columns and all(_is_number(column) for column in columns):
            raise BadTable(
                "the first line holds numbers only: there is no header; add a first line with the "
                "columns' names, or give the parameter names"
            )
        frame = frame.iloc[1:].reset_index(drop=True)
    else:
        columns = _complete(names, label, frame.shape[1])
        if all(str(cell).strip() in columns for cell in frame.iloc[0]):
            raise BadTable("the first line is a header: leave out the parameter names")
    frame.columns = pd.Index(columns)
    _check_rows(len(frame), max_rows)
    return frame


def _complete(names: list[str], label: str, width: int) -> list[str]:
    names = [name.strip() for name in names]
    if label not in names and len(names) == width - 1:
        return [*names, label]
    if len(names) != width:
        raise BadTable(f"{width} columns, but names has {len(names)}; one name a column is needed")
    return names


def _find_separator(start: str) -> str:
    """The separator that splits the first lines into the same number of fields, the larger the better;
    where none does, the one with the most fields in the first line."""
    lines = [line for line in start.splitlines() if line.strip()][:_SAMPLE_LINES]

    def score(separator: str) -> tuple[bool, int]:
        try:
            widths = [len(row) for row in csv.reader(lines, delimiter=separator)]
        except csv.Error:
            return False, 1
        return len(set(widths)) == 1 and widths[0] > 1, widths[0]

    best = max(_SEPARATORS, key=score)
    if score(best)[1] < 2:
        raise BadTable(
            f"one column only: none of {', '.join(_SEPARATORS.values())} separates the first line "
            f"{shorten(lines[0])}"
        )
    return best


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _read_parquet(data: bytes, names: list[str] | None, max_rows: int) -> pd.DataFrame:
    import pandas as pd
    import pyarrow as pa
    import pyarrow.parquet as pq

    if names is not None:
        raise BadTable("a Parquet file names its columns: leave out the parameter names")
    try:
        file = pq.ParquetFile(pa.BufferReader(data))
        meta = file.metadata
        # The directory tells the size beforehand: a small file may inflate to a very large one.
        _check_rows(meta.num_rows, max_rows)
        groups = [meta.row_group(index) for index in range(meta.num_row_groups)]
        inflated = sum(group.total_byte_size for group in groups)
        if inflated > MAX_BYTES or meta.num_columns > MAX_COLUMNS:
            raise BadTable(
                f"{inflated:,} bytes in {meta.num_columns:,} columns; limits are {MAX_BYTES:,} bytes "
                f"and {MAX_COLUMNS:,} columns"
            )
        table = file.read()
        table.validate(full=True)  # text that is no UTF-8 would only fail much later
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise BadTable(f"damaged Parquet file: {error}; save the table again") from error
    for field in table.schema:
        if not _is_plain(field.type):
            raise BadTable(
                f"column {field.name!r} holds {field.type}; numbers and text are read: save it as such, "
                "or leave it out"
            )
    # A pandas index that was saved along is no signal.
    keep = [i for i, name in enumerate(table.column_names) if not name.startswith("__index_level_")]
    columns = {i: table.column(i).to_pandas() for i in keep}
    frame = pd.DataFrame(columns)
    frame.columns = pd.Index([table.column_names[i].strip() for i in keep])
    return frame


def _is_plain(kind: pa.DataType) -> bool:
    import pyarrow as pa

    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    binary = pa.types.is_binary(kind) or pa.types.is_large_binary(kind)
    return not (binary or pa.types.is_fixed_size_binary(kind) or pa.types.is_nested(kind))


def _check_rows(rows: int, max_rows: int) -> None:
    if rows < 1:
        raise BadTable("there is a header, but no row of data")
    if rows > max_rows:
        raise BadTable(
            f"more than {max_rows:,} rows; take a sample, or raise the parameter max_rows"
        )
