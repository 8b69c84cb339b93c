"""npz files whose members can be memory-mapped: stored, not deflated, and aligned.

    ┌ local header ┬ padding ┬ npy header ┬ data … ┐  one block a member, then the zip directory
                                          └ at a multiple of 64 bytes

`numpy.load` reads them like any npz.
"""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

if TYPE_CHECKING:
    import numpy as np

_ALIGN = 64
_LOCAL_HEADER = struct.Struct("<4s5H3L2H")
_PADDING_FIELD = 0xD935  # the id that Android's zipalign registered for padding
_EPOCH = (1980, 1, 1, 0, 0, 0)  # equal arrays give equal files


def write_npz(file: BinaryIO, arrays: Mapping[str, np.ndarray]) -> None:
    """Write arrays, sorted by name, to an open file at position 0; no copy of a C-ordered array."""
    import numpy as np

    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
        for name in sorted(arrays):
            # asarray, not ascontiguousarray: that one turns a 0-dimensional array into one of shape (1,)
            array = np.asarray(arrays[name])
            info = zipfile.ZipInfo(f"{name}.npy", _EPOCH)
            fixed = _LOCAL_HEADER.size + len(info.filename.encode()) + 20  # 20: zip64 sizes
            padding = -(file.tell() + fixed + 4) % _ALIGN
            info.extra = struct.pack("<HH", _PADDING_FIELD, padding) + b"\0" * padding
            with archive.open(info, "w", force_zip64=True) as member:
                np.lib.format.write_array(member, array, allow_pickle=False)


class Arrays(Mapping[str, Any]):
    """The arrays of an npz file by name, read-only and memory-mapped: a member is read when touched.

    Arguments:
        path: an npz file; deflated members (written by others) are read into memory instead.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        with zipfile.ZipFile(path) as archive:
            self._members = {
                info.filename.removesuffix(".npy"): info for info in archive.infolist()
            }

    def __getitem__(self, name: str) -> np.ndarray:
        import numpy as np

        info = self._members[name]
        with self._path.open("rb") as file:
            if info.compress_type != zipfile.ZIP_STORED:
                with zipfile.ZipFile(file) as archive, archive.open(info) as member:
                    array = np.lib.format.read_array(member, allow_pickle=False)
                    array.flags.writeable = False
                    return array
            file.seek(info.header_offset)
            header = _LOCAL_HEADER.unpack(file.read(_LOCAL_HEADER.size))
            file.seek(header[9] + header[10], 1)
            shape, fortran, dtype = _read_npy_header(file)
            offset = file.tell()
        if 0 in shape:
            return np.empty(shape, dtype)
        order = "F" if fortran else "C"
        mapped = np.memmap(self._path, dtype, "r", offset, shape or (1,), order)  # type: ignore[call-overload]
        array = np.asarray(mapped).view(np.ndarray)
        return array if shape else array.reshape(())

    def __iter__(self) -> Iterator[str]:
        return iter(self._members)

    def __len__(self) -> int:
        return len(self._members)

    def __repr__(self) -> str:
        return f"Arrays({', '.join(self._members)})"


def _read_npy_header(file: BinaryIO) -> tuple[tuple[int, ...], bool, Any]:
    import numpy as np

    version = np.lib.format.read_magic(file)
    if version == (1, 0):
        shape, fortran, dtype = np.lib.format.read_array_header_1_0(file)
    elif version == (2, 0):
        shape, fortran, dtype = np.lib.format.read_array_header_2_0(file)
    else:
        # Version 3 differs only in the header's encoding: field names beyond latin-1.
        shape, fortran, dtype = np.lib.format._read_array_header(file, version)  # type: ignore[attr-defined]
    if dtype.hasobject:
        raise ValueError("an array of Python objects would need pickle: refused")
    return shape, fortran, dtype
