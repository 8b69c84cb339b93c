"""Arrays of images and labels in an npz that anyone may have made: nothing in it is trusted."""

from __future__ import annotations

import io
import math
import zipfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

from tasks.image_files import MAX_BYTES, BadImages
from tasks.image_labels import listing

if TYPE_CHECKING:
    import numpy as np

_LAYOUTS = (("x_train", "y_train"), ("x", "y"))
_BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    OSError,
    RuntimeError,
    NotImplementedError,
    ValueError,
    TypeError,
    SyntaxError,
)


def read_npz(file: Path | bytes) -> dict[str, np.ndarray]:
    """Arrays x, y and, where the file has them, x_test and y_test; stored ones are memory-mapped.

    x_train and y_train are taken for x and y. Nothing is unpickled, and nothing is read before its
    header has said that it is no larger than `MAX_BYTES`. Raises BadImages.
    """
    _refuse_others(file[:8] if isinstance(file, bytes) else _start(file))
    try:
        with zipfile.ZipFile(io.BytesIO(file) if isinstance(file, bytes) else file) as archive:
            members = {i.filename.removesuffix(".npy"): i for i in archive.infolist()}
            names = _choose(set(members))
            left = MAX_BYTES
            for name in names.values():
                left -= _check_header(archive, members[name], name)
                if left < 0:
                    raise BadImages(f"more than {MAX_BYTES:,} bytes of arrays; take a sample")
            return {ours: _read(archive, members[name], file) for ours, name in names.items()}
    except BadImages:
        raise
    except _BROKEN as error:
        raise BadImages(f"not a whole npz file: {error}; save it again with numpy.savez") from error


def _start(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(8)


def _refuse_others(start: bytes) -> None:
    if start[:1] == b"\x80" and start[1:2] in b"\x02\x03\x04\x05":
        raise BadImages("this is a pickle, which is never loaded since loading runs code")
    if start[:6] == b"\x93NUMPY":
        raise BadImages("this is a single array; save images and labels with numpy.savez(x=…, y=…)")
    if start[:2] != b"PK":
        raise BadImages("this is no npz file; save the arrays with numpy.savez(x=…, y=…)")


def _choose(members: set[str]) -> dict[str, str]:
    for images, labels in _LAYOUTS:
        if images in members and labels in members:
            tests = {"x_test", "y_test"} & members
            if len(tests) == 1:
                raise BadImages(f"there is {tests.pop()} alone; x_test and y_test come together")
            return {"x": images, "y": labels, **{name: name for name in sorted(tests)}}
    raise BadImages(
        f"arrays called x and y (or x_train and y_train) expected, there is "
        f"{listing(sorted(members)) or 'none'}; numpy.savez(file, x=images, y=labels) names them"
    )


def _check_header(archive: zipfile.ZipFile, info: zipfile.ZipInfo, name: str) -> int:
    """The bytes of an array, after its header was found plain and in accord with the archive."""
    import numpy as np

    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) or info.flag_bits & 1:
        raise BadImages(f"{name} is encrypted or packed in an unusual way; save it again")
    with archive.open(info) as member:
        version = np.lib.format.read_magic(member)
        read = {
            (1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0,
        }.get(version)
        if read is None:
            raise BadImages(f"{name}: numbers expected, found a structured array")
        shape, _, dtype = read(member)
        if dtype.hasobject:
            raise BadImages(
                f"{name} holds Python objects, which would need pickle: refused, since loading runs "
                f"code; save numbers, e.g. {name}=numpy.stack(…).astype('uint8')"
            )
        size = math.prod(shape) * dtype.itemsize
        if min(shape, default=0) < 0 or size > MAX_BYTES:
            raise BadImages(f"{name}: shape {shape} of {dtype}, limit {MAX_BYTES:,} bytes")
        if info.file_size != member.tell() + size:
            raise BadImages(
                f"{name}: its header says shape {shape} of {dtype}, {size:,} bytes; there are "
                f"{info.file_size - member.tell():,}"
            )
    return size


def _read(archive: zipfile.ZipFile, info: zipfile.ZipInfo, file: Path | bytes) -> np.ndarray:
    import numpy as np

    from engine.npz import Arrays

    if info.compress_type == zipfile.ZIP_STORED and isinstance(file, Path):
        mapped: np.ndarray = Arrays(file)[info.filename.removesuffix(".npy")]
        return mapped
    with archive.open(info) as member:
        array: np.ndarray = np.lib.format.read_array(member, allow_pickle=False)
        return array
