"""Tables: the digest of their logical content, and Parquet files."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from engine.errors import StageError
from engine.recipe import canonical_json

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


_LARGE_BYTES = 4 << 20


def digest_frame(frame: pd.DataFrame) -> tuple[pa.Table, str, dict[str, str]]:
    """The Arrow table of a frame, the digest of its content, and column → dtype.

    Raises:
        StageError: it holds what Parquet would drop or change.
    """
    import pandas as pd
    import pyarrow as pa

    if not isinstance(frame, pd.DataFrame):
        raise StageError(f"return a DataFrame, not a {type(frame).__name__} (use .to_frame())")
    names = list(frame.columns)
    _check_frame(frame, names)
    sha = hashlib.sha256(b"table\0")
    columns = {}
    try:
        table = pa.Table.from_pandas(frame, preserve_index=False)
        for name in names:
            column = table.column(name).combine_chunks()
            columns[name] = _check_dtype(name, str(frame[name].dtype), column.type)
            sha.update(canonical_json([name, columns[name], len(column)]).encode() + b"\0")
            _hash_column(sha, column)
    except (pa.ArrowException, TypeError) as error:
        raise StageError(f"a column cannot be stored as Parquet: {error}") from error
    return table, sha.hexdigest(), columns


def write_table(file: BinaryIO, table: pa.Table) -> None:
    """Write a table to an open file."""
    import pyarrow.parquet as pq

    pq.write_table(table, file, compression="zstd")


def read_frame(path: Path) -> pd.DataFrame:
    """The frame in a Parquet file."""
    import pyarrow.parquet as pq

    # Not pq.read_table: it loads Arrow's data set machinery, which takes longer than most tables.
    threads = path.stat().st_size > _LARGE_BYTES
    with pq.ParquetFile(path, memory_map=True) as file:
        frame: pd.DataFrame = file.read(use_threads=threads).to_pandas(use_threads=threads)
    return frame


def _check_frame(frame: pd.DataFrame, names: list[Any]) -> None:
    """Refuse what Parquet would drop without a word."""
    import pandas as pd

    index = frame.index
    if not isinstance(index, pd.RangeIndex) or index.start != 0 or index.step != 1:
        raise StageError("a stored table has no index of its own: return frame.reset_index()")
    if not all(isinstance(n, str) for n in names) or len(set(names)) != len(names):
        raise StageError(f"a stored table has distinct text column names, not {names}")
    if not names and len(frame):
        raise StageError(f"a table of {len(frame)} rows without a column cannot be stored")
    if frame.attrs:
        raise StageError("a stored table carries no attrs: return them as an output of their own")


def _check_dtype(name: str, dtype: str, kind: pa.DataType) -> str:
    """The column's dtype after a round trip; raises StageError for numbers kept as objects."""
    import pyarrow as pa

    if dtype != "object":
        return dtype
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return "str"
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        raise StageError(
            f"column {name!r} holds {kind} values as Python objects and would come back as "
            f"numbers: convert it, e.g. frame[{name!r}].astype({str(kind)!r})"
        )
    return dtype


def _hash_column(sha: Any, column: pa.Array) -> None:
    """Feed validity and values of one column; equal for equal values in any chunking or offset."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    if isinstance(column, pa.ChunkedArray):
        column = pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)
    kind = column.type
    sha.update(f"{_kind_name(kind)}\0{len(column)}\0".encode())
    sha.update(np.asarray(column.is_valid()).tobytes())
    if pa.types.is_dictionary(kind):
        _hash_column(sha, column.dictionary)
        sha.update(bytes([bool(kind.ordered)]))
        _hash_column(sha, column.indices.cast(pa.int64()))
    elif pa.types.is_struct(kind):
        for index in range(kind.num_fields):
            _hash_column(sha, column.field(index))
    elif pa.types.is_list(kind) or pa.types.is_large_list(kind):
        lengths = pc.fill_null(pc.list_value_length(column), 0)
        sha.update(np.asarray(lengths.cast(pa.int64())).tobytes())
        _hash_column(sha, column.flatten())
    elif pa.types.is_null(kind):
        return
    elif pa.types.is_boolean(kind) or pa.types.is_primitive(kind):
        if pa.types.is_temporal(kind):
            column = column.cast(pa.int32() if kind.bit_width == 32 else pa.int64())
        zero = pa.scalar(False if pa.types.is_boolean(kind) else 0).cast(column.type)
        sha.update(np.asarray(pc.fill_null(column, zero)).tobytes())
    else:  # text and bytes, narrow or large
        binary = pc.fill_null(column.cast(pa.large_binary()), b"")
        sha.update(np.asarray(pc.binary_length(binary)).tobytes())
        offsets = np.frombuffer(binary.buffers()[1], np.int64)[binary.offset :]
        data = binary.buffers()[2]
        if data is not None and len(binary):
            sha.update(memoryview(data)[int(offsets[0]) : int(offsets[len(binary)])])


def _kind_name(kind: pa.DataType) -> str:
    """What the values are, whatever width of offsets or indices a library chose for them."""
    import pyarrow as pa

    if pa.types.is_dictionary(kind):
        return "category"
    if pa.types.is_struct(kind):
        return canonical_json([kind.field(index).name for index in range(kind.num_fields)])
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return "list"
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return "text"
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return "bytes"
    return str(kind)
