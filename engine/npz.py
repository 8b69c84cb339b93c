"""Arrays: what of them is content, and npz files whose members can be memory-mapped.

Members are stored, not deflated, and aligned, as `engine.stored_zip` writes them; numpy's own
header is a multiple of 64 bytes long, so the data is aligned too. `numpy.load` reads such files
like any npz.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Literal

from engine.errors import StageError
from engine.stored_zip import StoredZip

if TYPE_CHECKING:
    import numpy as np

_LOCAL_HEADER = struct.Struct("<4s5H3L2H")
_BLOCK_BYTES = 16 << 20


def write_npz(file: BinaryIO, arrays: Mapping[str, np.ndarray]) -> None:
    """Write arrays, sorted by name, to an open file at position 0; no copy of a C-ordered array."""
    import numpy as np

    archive = StoredZip(file)
    for name in sorted(arrays):
        member = archive.begin(f"{name}.npy")
        # asarray, not ascontiguousarray: that one turns a 0-dimensional array into one of shape (1,)
        np.lib.format.write_array(member, np.asarray(arrays[name]), allow_pickle=False)
        archive.end(member)
    archive.close()


def plain_array(name: str, array: np.ndarray) -> np.ndarray:
    """The array in this machine's byte order, with nothing beside its values; else StageError."""
    import numpy as np

    if not name or "/" in name or "\0" in name:
        raise StageError(f"an array's name is text without a slash, not {name!r}")
    if not isinstance(array, np.ndarray) or isinstance(array, np.ma.MaskedArray):
        raise StageError(
            f"{name!r} is a {type(array).__name__}: the store keeps plain arrays; "
            "store a mask, or a number beside arrays, as an array of its own"
        )
    if array.dtype.hasobject:
        raise StageError(
            f"array {name!r} has dtype {array.dtype}: the store keeps numbers and fixed-width "
            "text, never pickled objects; convert it, e.g. array.astype('U')"
        )
    if not array.dtype.isnative:
        array = array.astype(array.dtype.newbyteorder("="))
    if array.dtype.names is None:
        return array
    clean = np.zeros_like(array, subok=False)  # what lies between the fields is anything at all
    _copy_fields(clean, array)
    return clean


def _copy_fields(to: np.ndarray, values: np.ndarray) -> None:
    if values.dtype.names is None:
        to[...] = values
    for field in values.dtype.names or ():
        _copy_fields(to[field], values[field])


def hash_array(sha: Any, array: np.ndarray) -> None:
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


class Arrays(Mapping[str, Any]):
    """The arrays of an npz file by name, read-only and memory-mapped: a member is read when touched.

    Arguments:
        path: an npz file; deflated members (written by others) are read into memory instead.
    """

    def __init__(self, path: Path) -> None:
        import zipfile

        self._path = path
        with zipfile.ZipFile(path) as archive:
            self._members = {
                info.filename.removesuffix(".npy"): info for info in archive.infolist()
            }

    def __getitem__(self, name: str) -> np.ndarray:
        import zipfile

        import numpy as np

        info = self._members[name]
        with self._path.open("rb") as file:
            file.seek(info.header_offset)
            header = _LOCAL_HEADER.unpack(file.read(_LOCAL_HEADER.size))
            file.seek(header[9] + header[10], 1)
            found = _read_npy_header(file) if info.compress_type == zipfile.ZIP_STORED else None
            if found is None:
                with zipfile.ZipFile(file) as archive, archive.open(info) as member:
                    array: np.ndarray = np.lib.format.read_array(member, allow_pickle=False)
                    array.flags.writeable = False
                    return array
            shape, fortran, dtype = found
            offset = file.tell()
        order: Literal["F", "C"] = "F" if fortran else "C"
        if 0 in shape or dtype.itemsize == 0:
            empty = np.empty(shape, dtype, order)
            empty.flags.writeable = False
            return empty
        mapped = np.memmap(self._path, dtype, "r", offset, shape or (1,), order)
        array = np.asarray(mapped).view(np.ndarray)
        return array if shape else array.reshape(())

    def __iter__(self) -> Iterator[str]:
        return iter(self._members)

    def __len__(self) -> int:
        return len(self._members)

    def __repr__(self) -> str:
        return f"Arrays({', '.join(self._members)})"


def _read_npy_header(file: BinaryIO) -> tuple[tuple[int, ...], bool, Any] | None:
    """Shape, Fortran order and dtype, or None where only numpy itself can tell."""
    import numpy as np

    read = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }.get(np.lib.format.read_magic(file))
    if read is None:  # field names beyond latin-1, which no public function reads
        return None
    start = file.tell()
    try:
        shape, fortran, dtype = read(file)
    except SystemError:
        # Python 3.11 counts the depth of syntax trees for all threads together (its issue 106905):
        # of two that parse at once one may be told that it has miscounted. It is not so again.
        file.seek(start)
        shape, fortran, dtype = read(file)
    if dtype.hasobject:
        raise ValueError("an array of Python objects would need pickle: refused")
    return shape, fortran, dtype
