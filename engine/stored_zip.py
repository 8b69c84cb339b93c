"""Writes zip files of stored members, byte for byte the same on every Python.

`zipfile` changed what it writes between patch releases; equal arrays must give equal files. The
form is that of a zip64 archive throughout (PKWARE's APPNOTE.TXT 6.3.9, sections 4.3.7 to 4.3.16):

    ┌ local header ┬ padding ┬ data ┐ … ┬ directory ┬ zip64 end ┬ its locator ┬ end ┐
                             └ at a multiple of 64 bytes
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass, field
from typing import BinaryIO

ALIGN = 64

_VERSION = 45  # the least that knows zip64
_MADE_BY = 3 << 8 | _VERSION  # as on Unix
_DATE = 1 << 5 | 1  # 1 January 1980, midnight: no archive holds an earlier time
_UTF8 = 0x800
_FULL = 0xFFFFFFFF  # the number stands in the zip64 field
_MODE = 0o600 << 16
_ZIP64_FIELD = 1
_PADDING_FIELD = 0xD935  # the id that Android's zipalign registered
_LOCAL = struct.Struct("<4sHHHHHLLLHH")
_CENTRAL = struct.Struct("<4sHHHHHHLLLHHHHHLL")


@dataclass
class _Entry:
    name: bytes
    flags: int
    offset: int
    size: int = 0
    crc: int = 0


@dataclass
class Member:
    """The data of one member as it is written; its size and checksum are kept."""

    file: BinaryIO
    size: int = 0
    crc: int = 0

    def write(self, data: bytes | bytearray | memoryview) -> int:
        """Append bytes."""
        view = memoryview(data).cast("B")
        self.file.write(view)
        self.size += view.nbytes
        self.crc = zlib.crc32(view, self.crc)
        return view.nbytes


@dataclass
class StoredZip:
    """An archive under way in an open, seekable file at position 0; `close` completes it."""

    file: BinaryIO
    _entries: list[_Entry] = field(default_factory=list)

    def begin(self, name: str) -> Member:
        """Start a member; its data begins at a multiple of 64 bytes."""
        try:
            encoded, flags = name.encode("ascii"), 0
        except UnicodeEncodeError:
            encoded, flags = name.encode("utf-8"), _UTF8
        entry = _Entry(encoded, flags, self.file.tell())
        self._entries.append(entry)
        self.file.write(self._local(entry))
        return Member(self.file)

    def end(self, member: Member) -> None:
        """Finish the member begun last: write its size and checksum into its header."""
        entry = self._entries[-1]
        entry.size, entry.crc = member.size, member.crc
        here = self.file.tell()
        self.file.seek(entry.offset)
        self.file.write(self._local(entry))
        self.file.seek(here)

    def close(self) -> None:
        """Write the directory."""
        start = self.file.tell()
        for entry in self._entries:
            sizes = struct.pack("<HHQQQ", _ZIP64_FIELD, 24, entry.size, entry.size, entry.offset)
            self.file.write(
                _CENTRAL.pack(
                    *(b"PK\x01\x02", _MADE_BY, _VERSION, entry.flags, 0, 0, _DATE, entry.crc),
                    *(_FULL, _FULL, len(entry.name), len(sizes), 0, 0, 0, _MODE, _FULL),
                )
            )
            self.file.write(entry.name + sizes)
        end, count = self.file.tell(), len(self._entries)
        self.file.write(
            struct.pack(
                "<4sQHHLLQQQQ",
                *(b"PK\x06\x06", 44, _MADE_BY, _VERSION, 0, 0, count, count, end - start, start),
            )
        )
        self.file.write(struct.pack("<4sLQL", b"PK\x06\x07", 0, end, 1))
        last = (b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, _FULL, _FULL, 0)
        self.file.write(struct.pack("<4sHHHHLLH", *last))

    def _local(self, entry: _Entry) -> bytes:
        sizes = struct.pack("<HHQQ", _ZIP64_FIELD, 16, entry.size, entry.size)
        before = entry.offset + _LOCAL.size + len(entry.name) + len(sizes) + 4
        padding = -before % ALIGN
        extra = sizes + struct.pack("<HH", _PADDING_FIELD, padding) + b"\0" * padding
        header = _LOCAL.pack(
            *(b"PK\x03\x04", _VERSION, entry.flags, 0, 0, _DATE, entry.crc, _FULL, _FULL),
            *(len(entry.name), len(extra)),
        )
        return header + entry.name + extra
