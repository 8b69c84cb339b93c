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

from engine.artifact import SUFFIX, Artifact
from engine.errors import InputError, StageError
from engine.npz import Arrays, hash_array, plain_array, write_npz
from engine.recipe import canonical, canonical_json

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

_PICTURES = {"png": b"\x89PNG\r\n\x1a\n", "gif": b"GIF8", "svg": b"<"}


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
    if isinstance(value, Mapping) and any(_is_array(v) for v in value.values()):
        return _encode_arrays(value, single=False)
    return _encode_json(value)


def decode(artifact: Artifact, path: Path) -> Any:
    """The value in an undamaged object file."""
    if artifact.format == "npz":
        arrays = Arrays(path)
        return arrays["array"] if artifact.spec.get("single") else arrays
    if artifact.format == "parquet":
        from engine.parquet import read_frame

        return read_frame(path)
    if artifact.format == "json":
        return json.loads(path.read_text("utf-8"))
    if artifact.format in _PICTURES:
        return Picture(path.read_bytes(), artifact.format, str(artifact.spec.get("alt", "")))
    return File(None, artifact.suffix, path)


def _is_array(value: Any) -> bool:
    return type(value).__module__.split(".")[0] == "numpy" and getattr(value, "ndim", 0) > 0


def _encode_arrays(arrays: Mapping[str, np.ndarray], single: bool) -> Encoded:
    sha = hashlib.sha256(b"arrays\0")
    if not single and [*arrays] == ["array"]:
        sha.update(b"dict\0")  # else it had the digest of the array alone, which is not the same
    members: dict[str, Any] = {}
    plain: dict[str, np.ndarray] = {}
    for name in sorted(arrays, key=str):
        if not isinstance(name, str):
            raise StageError(f"an array's name is text, not {name!r}")
        array = plain[name] = plain_array(name, arrays[name])
        dtype = array.dtype.str if array.dtype.names is None else str(array.dtype.descr)
        sha.update(canonical_json([name, dtype, list(array.shape)]).encode() + b"\0")
        hash_array(sha, array)
        members[name] = {"dtype": str(array.dtype), "shape": list(array.shape)}
    spec = {"arrays": members, "single": single}
    return Encoded("npz", ".npz", sha.hexdigest(), spec, lambda f: write_npz(f, plain))


def _encode_frame(frame: pd.DataFrame) -> Encoded:
    from engine.parquet import digest_frame, write_table

    table, digest, columns = digest_frame(frame)
    spec = {"columns": columns, "rows": len(frame)}
    return Encoded("parquet", ".parquet", digest, spec, lambda f: write_table(f, table))


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
    if not SUFFIX.fullmatch(file.suffix):
        raise StageError(f"a file's suffix is like .csv (a to z, 0 to 9), not {file.suffix!r}")
    digest = file_digest(hashlib.sha256(data).hexdigest(), file.suffix)
    return Encoded("file", file.suffix, digest, {"bytes": len(data)}, lambda f: _write(f, data))


def file_digest(sha256: str, suffix: str) -> str:
    """The digest of a `File`: of its content and its suffix, for a reader may go by either."""
    return hashlib.sha256(f"file\0{suffix}\0{sha256}".encode()).hexdigest()


def _write(file: BinaryIO, data: bytes) -> None:
    file.write(data)
