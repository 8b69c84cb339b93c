"""One file format for each kind of value, and the digest of its logical content.

| value                      | format  | loaded as                               |
|----------------------------|---------|-----------------------------------------|
| array                      | npz     | the array, read-only, memory-mapped     |
| dict of arrays             | npz     | `Arrays`, the same lazily by name       |
| pandas DataFrame           | parquet | DataFrame                               |
| dict, list, number, text   | json    | the same; keys sorted                   |
| `Picture`                  | png …   | `Picture`                               |
| `File`                     | file    | `File` with a path                      |

Nothing is ever pickled.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from engine.artifact import Artifact
from engine.errors import InputError, StageError
from engine.npz import Arrays, write_npz
from engine.recipe import canonical, canonical_json

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    import pyarrow as pa

_PICTURES = {"png": b"\x89PNG\r\n\x1a\n", "gif": b"GIF8", "svg": b"<"}
_BLOCK_BYTES = 16 << 20


@dataclass(frozen=True)
class Picture:
    """An image file in memory.

    Arguments:
        data: the encoded file.
        format: `png`, `svg` or `gif`.
        alt: what the picture shows, one sentence computed from the numbers in it.
    """

    data: bytes
    format: str = "png"
    alt: str = ""

    def __post_init__(self) -> None:
        start = _PICTURES.get(self.format)
        if start is None:
            raise StageError(f"a picture is png, svg or gif, not {self.format!r}")
        if not self.data.lstrip().startswith(start):
            raise StageError(f"these {len(self.data)} bytes are no {self.format} file")


@dataclass(frozen=True)
class File:
    """Any other file: given to the store as bytes, handed back as a path.

    Arguments:
        data: the content, or None when it lies at `path`.
        suffix: the file's ending, e.g. `.csv`.
        path: where the content lies; a file of the store is read-only.
    """

    data: bytes | None = None
    suffix: str = ".bin"
    path: Path | None = None

    def read_bytes(self) -> bytes:
        """The whole content."""
        if self.data is not None:
            return self.data
        if self.path is None:
            raise StageError("a File has either data or a path")
        return self.path.read_bytes()


@dataclass(frozen=True)
class Encoded:
    """A value ready to be stored: its format, logical digest, spec and writer."""

    format: str
    suffix: str
    digest: str
    spec: Mapping[str, Any]
    write: Callable[[BinaryIO], None]


def encode(value: Any) -> Encoded:
    """Choose the format of a value; raises StageError for what the store cannot keep."""
    kind = type(value).__module__.split(".")[0]
    if isinstance(value, Picture):
        return _encode_picture(value)
    if isinstance(value, File):
        return _encode_file(value)
    if kind == "numpy" and hasattr(value, "ndim") and value.ndim > 0:
        return _encode_arrays({"array": value}, single=True)
    if kind == "pandas":
        return _encode_frame(value)
    if isinstance(value, Mapping) and value and all(_is_array(v) for v in value.values()):
        return _encode_arrays(value, single=False)
    return _encode_json(value)


def decode(artifact: Artifact, path: Path) -> Any:
    """The value in an undamaged object file."""
    if artifact.format == "npz":
        arrays = Arrays(path)
        return arrays["array"] if artifact.spec.get("single") else arrays
    if artifact.format == "parquet":
        import pyarrow.parquet as pq

        return pq.read_table(path, memory_map=True).to_pandas()
    if artifact.format == "json":
        return json.loads(path.read_text("utf-8"))
    if artifact.format in _PICTURES:
        return Picture(path.read_bytes(), artifact.format, str(artifact.spec.get("alt", "")))
    return File(None, artifact.suffix, path)


def _is_array(value: Any) -> bool:
    return type(value).__module__.split(".")[0] == "numpy" and getattr(value, "ndim", 0) > 0


def _encode_arrays(arrays: Mapping[str, np.ndarray], single: bool) -> Encoded:
    sha = hashlib.sha256(b"arrays\0")
    members: dict[str, Any] = {}
    for name in sorted(arrays):
        array = arrays[name]
        if not isinstance(name, str) or not name or "/" in name or "\0" in name:
            raise StageError(f"an array's name is text without a slash, not {name!r}")
        if array.dtype.hasobject:
            raise StageError(
                f"array {name!r} has dtype {array.dtype}: the store keeps numbers and fixed-width "
                "text, never pickled objects; convert it, e.g. array.astype('U')"
            )
        array = array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))
        dtype = array.dtype.str if array.dtype.names is None else str(array.dtype.descr)
        sha.update(canonical_json([name, dtype, list(array.shape)]).encode() + b"\0")
        _hash_array(sha, array)
        members[name] = {"dtype": str(array.dtype), "shape": list(array.shape)}
    spec = {"arrays": members, "single": single}
    native = {
        n: a if a.dtype.isnative else a.astype(a.dtype.newbyteorder("=")) for n, a in arrays.items()
    }
    return Encoded("npz", ".npz", sha.hexdigest(), spec, lambda f: write_npz(f, native))


def _hash_array(sha: Any, array: np.ndarray) -> None:
    """Feed C-ordered bytes; an array in another order is copied block by block, never whole."""
    import numpy as np

    if array.size == 0:
        return
    if array.flags.c_contiguous:
        sha.update(array.reshape(-1).view(np.uint8))
        return
    rows = max(1, _BLOCK_BYTES // max(1, array.nbytes // array.shape[0]))
    for start in range(0, array.shape[0], rows):
        block = np.ascontiguousarray(array[start : start + rows])
        sha.update(block.reshape(-1).view(np.uint8))


def _encode_frame(frame: pd.DataFrame) -> Encoded:
    import pandas as pd
    import pyarrow as pa

    if not isinstance(frame, pd.DataFrame):
        raise StageError(f"return a DataFrame, not a {type(frame).__name__} (use .to_frame())")
    if not isinstance(frame.index, pd.RangeIndex) or frame.index.start != 0:
        raise StageError("a stored table has no index of its own: return frame.reset_index()")
    names = list(frame.columns)
    if not all(isinstance(n, str) for n in names) or len(set(names)) != len(names):
        raise StageError(f"a stored table has distinct text column names, not {names}")
    try:
        table = pa.Table.from_pandas(frame, preserve_index=False)
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise StageError(f"a column cannot be stored as Parquet: {error}") from error
    sha = hashlib.sha256(b"table\0")
    columns = {}
    for name in names:
        column = table.column(name).combine_chunks()
        columns[name] = str(frame[name].dtype)
        sha.update(canonical_json([name, columns[name], len(column)]).encode() + b"\0")
        _hash_column(sha, column)

    def write(file: BinaryIO) -> None:
        import pyarrow.parquet as pq

        pq.write_table(table, file, compression="zstd")

    spec = {"columns": columns, "rows": len(frame)}
    return Encoded("parquet", ".parquet", sha.hexdigest(), spec, write)


def _hash_column(sha: Any, column: pa.Array) -> None:
    """Feed validity and values of one column; equal for equal values in any chunking or offset."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    if isinstance(column, pa.ChunkedArray):
        column = pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)
    kind = column.type
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


def _encode_json(value: Any) -> Encoded:
    try:
        plain = canonical(value, "output")
    except InputError as error:
        raise StageError(f"{error}") from error
    text = canonical_json(plain)
    digest = hashlib.sha256(b"json\0" + text.encode()).hexdigest()
    keys = list(plain) if isinstance(plain, dict) else None
    spec = {"keys": keys} if keys is not None else {"type": type(plain).__name__}
    pretty = json.dumps(plain, indent=1, ensure_ascii=False, sort_keys=True) + "\n"
    return Encoded("json", ".json", digest, spec, lambda f: _write(f, pretty.encode()))


def _encode_picture(picture: Picture) -> Encoded:
    sha = hashlib.sha256(f"picture\0{picture.format}\0{picture.alt}\0".encode())
    sha.update(picture.data)
    spec: dict[str, Any] = {"alt": picture.alt}
    if picture.format == "png":
        spec["width"] = int.from_bytes(picture.data[16:20], "big")
        spec["height"] = int.from_bytes(picture.data[20:24], "big")
    return Encoded(
        picture.format,
        f".{picture.format}",
        sha.hexdigest(),
        spec,
        lambda f: _write(f, picture.data),
    )


def _encode_file(file: File) -> Encoded:
    data = file.read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    return Encoded("file", file.suffix, digest, {"bytes": len(data)}, lambda f: _write(f, data))


def _write(file: BinaryIO, data: bytes) -> None:
    file.write(data)
