"""From what a mirror hands out (text, zip, npz, gzipped idx or csv) to content that can be hashed.

Everything here is bytes in, bytes out. A container is untrusted: no path is extracted, nothing is
unpickled, and nothing inflates beyond its limit, whatever its directory claims.

    idx:  0 0 08 ndim | dims, each uint32 big-endian | uint8 values in C order
"""

from __future__ import annotations

import gzip
import io
import math
import struct
import zipfile
import zlib
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np

Container = Literal["text", "zip", "npz", "idx.gz", "csv.gz"]

_IDX_UINT8 = b"\0\0\x08"
_NPY_HEADER_BYTES = 10_000
# Python inflates bzip2 and lzma members without a bound on one step's output.
_BOUNDED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


class BadContainer(ValueError):
    """Bytes that are not the container they should be, or that inflate beyond the limit."""


def unpack(
    container: Container, files: Sequence[bytes], parts: Sequence[str], *, member: str, limit: int
) -> dict[str, bytes]:
    """Content of one source: {part: bytes}, images and labels as idx, text with CRLF line ends.

    Arguments:
        files: the downloaded files; one, but for `idx.gz` one a part.
            A row of a `csv.gz` is one square image and its label: the parts are images and labels.
        parts: names of the parts; in an npz the members are called so.
        member: the file inside a zip.
        limit: bytes that all parts together may have.

    Raises BadContainer.
    """
    content: dict[str, bytes] = {}
    left = limit
    for index, part in enumerate(parts):
        match container:
            case "text":
                content[part] = _with_crlf(files[0])
            case "zip":
                content[part] = _with_crlf(_read_member(files[0], member, left))
            case "npz":
                npy = _read_member(files[0], f"{part}.npy", left + _NPY_HEADER_BYTES)
                content[part] = write_idx(_read_npy(npy, part))
            case "idx.gz":
                content[part] = _gunzip(files[index], part, left)
                read_idx(content[part])
            case "csv.gz":
                pixels, label = _read_square_images(_gunzip(files[0], part, limit), part)
                content[part] = write_idx(label if index else pixels)
        left -= len(content[part])
        if left < 0:
            raise BadContainer(f"{part}: more than {limit:,} bytes of content")
    return content


def write_idx(array: np.ndarray) -> bytes:
    """The idx serialisation of a uint8 array of any shape."""
    dims = struct.pack(f">{array.ndim}I", *array.shape)
    return _IDX_UINT8 + bytes([array.ndim]) + dims + array.tobytes(order="C")


def read_idx(data: bytes) -> np.ndarray:
    """The read-only uint8 array in an idx serialisation; raises BadContainer."""
    import numpy as np

    ndim = data[3] if len(data) > 3 else 0
    start = 4 + 4 * ndim
    if data[:3] != _IDX_UINT8 or len(data) < start:
        raise BadContainer(f"no idx file of uint8: it starts with {data[:4].hex(' ') or 'nothing'}")
    shape = struct.unpack_from(f">{ndim}I", data, 4)
    if len(data) - start != math.prod(shape):
        raise BadContainer(f"idx of shape {shape} with {len(data) - start:,} values")
    return np.frombuffer(data, np.uint8, offset=start).reshape(shape)


def write_arrays(idx: Mapping[str, bytes]) -> bytes:
    """An npz (stored, fixed dates) of idx serialisations: equal content gives equal bytes."""
    from engine.npz import write_npz

    file = io.BytesIO()
    write_npz(file, {part: read_idx(data) for part, data in idx.items()})
    return file.getvalue()


def _with_crlf(text: bytes) -> bytes:
    return text.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def _read_member(data: bytes, name: str, limit: int) -> bytes:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            info = archive.getinfo(name)
            if info.compress_type not in _BOUNDED:
                raise BadContainer(f"member {name}: stored or deflated expected")
            if info.file_size > limit:
                raise BadContainer(f"member {name}: {info.file_size:,} bytes, limit {limit:,}")
            with archive.open(info) as member:
                # A length makes the inflation itself bounded, even where file_size lies.
                content = member.read(limit + 1)
    except KeyError:
        raise BadContainer(f"the archive has no member {name}") from None
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError) as error:
        raise BadContainer(f"not a whole zip archive: {error}") from error
    if len(content) > limit:
        raise BadContainer(f"member {name}: more than {limit:,} bytes")
    return content


def _gunzip(data: bytes, part: str, limit: int) -> bytes:
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as file:
            content = file.read(limit + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise BadContainer(f"{part}: not a whole gzip file: {error}") from error
    if len(content) > limit:
        raise BadContainer(f"{part}: inflates to more than {limit:,} bytes")
    return content


def _read_square_images(text: bytes, part: str) -> tuple[np.ndarray, np.ndarray]:
    """(n, h, h) and (n,) uint8 of a csv without a header whose last column is the label."""
    import numpy as np

    if not text.strip():
        raise BadContainer(f"{part}: no rows")
    try:
        rows = np.loadtxt(io.BytesIO(text), np.uint8, None, delimiter=",", ndmin=2)
    except (ValueError, OverflowError) as error:
        raise BadContainer(f"{part}: not a csv of numbers from 0 to 255: {error}") from error
    side = math.isqrt(max(rows.shape[1] - 1, 0))
    if side * side + 1 != rows.shape[1] or not side:
        raise BadContainer(
            f"{part}: rows of {rows.shape[1]} fields are no square image and a label"
        )
    return rows[:, :-1].reshape(-1, side, side), rows[:, -1]


def _read_npy(data: bytes, part: str) -> np.ndarray:
    """The uint8 array of an npy file; its header is checked before anything is allocated."""
    import numpy as np

    file = io.BytesIO(data)
    try:
        version = np.lib.format.read_magic(file)
        if version != (1, 0):
            raise BadContainer(f"{part}: npy version 1.0 expected, found {version}")
        shape, fortran, dtype = np.lib.format.read_array_header_1_0(file)
    except BadContainer:
        raise
    except (ValueError, EOFError) as error:
        raise BadContainer(f"{part}: not an npy file: {error}") from error
    if dtype != np.uint8:
        raise BadContainer(f"{part}: uint8 expected, found {dtype}; objects are never unpickled")
    values = np.frombuffer(data, np.uint8, offset=file.tell())
    if values.size != math.prod(shape) or min(shape, default=0) < 0:
        raise BadContainer(f"{part}: shape {shape} with {values.size:,} values")
    return values.reshape(shape, order="F" if fortran else "C")
