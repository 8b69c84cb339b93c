"""A folder from outside as one artifact: which names hold which bytes, packed into one file.

    pictures/            ┌ a/1.png ┬ a/2.png ┬ b/1.png ┬ directory ┐
    ├─ a/ 1.png 2.png  ▸ └─ a zip: sorted, stored, without dates ──┘ .folder
    └─ b/ 1.png

Times, modes and the folder's own name are no content: a copy or a renamed folder is the same one.
"""

from __future__ import annotations

import hashlib
import os
import stat
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from engine.artifact import Artifact
from engine.errors import InputError
from engine.formats import Encoded
from engine.recipe import canonical_json
from engine.store import Store

SUFFIX = ".folder"

_EPOCH = (1980, 1, 1, 0, 0, 0)
_SEEN_ENTRIES = 1_000_000
_DEPTH = 20
# macOS puts this one beside what it zips; its files are no content.
_LITTER = "__MACOSX"


@dataclass(frozen=True)
class Limits:
    """What a folder may have: files, bytes in all of them, bytes in one."""

    files: int = 200_000
    total: int = 2 << 30
    file: int = 64 << 20


@dataclass(frozen=True)
class Folder(Mapping[str, bytes]):
    """The files of a folder on disk by name (`a/1.png`), in order; a file is read when touched.

    Arguments:
        root: the folder.
        files: name → path.
        suffixes: of the files taken.
        ignored: names of files with another suffix, hidden ones left out.
        empty: names of the folders below which no file was taken.
    """

    root: Path
    files: Mapping[str, Path]
    suffixes: tuple[str, ...]
    limits: Limits
    ignored: tuple[str, ...] = ()
    empty: tuple[str, ...] = ()

    def __getitem__(self, name: str) -> bytes:
        path = self.files[name]
        try:
            with path.open("rb") as file:
                data = file.read(self.limits.file + 1)
        except OSError as error:
            raise InputError(f"{path} cannot be read ({error.strerror})") from error
        if len(data) > self.limits.file:
            raise InputError(f"{path} grew while it was read: try again")
        return data

    def __iter__(self) -> Iterator[str]:
        return iter(self.files)

    def __len__(self) -> int:
        return len(self.files)


class PackedFolder(Mapping[str, bytes]):
    """The same read from the file that `put_folder` wrote; raises InputError for any other file."""

    def __init__(self, path: Path, limits: Limits = Limits()) -> None:
        self._limits = limits
        try:
            self._archive = zipfile.ZipFile(path)
        except (zipfile.BadZipFile, OSError) as error:
            raise InputError(f"{path.name} is no packed folder: {error}") from error
        self._members = {info.filename: info for info in self._archive.infolist()}

    def __getitem__(self, name: str) -> bytes:
        info = self._members[name]
        if info.compress_type != zipfile.ZIP_STORED:
            raise InputError(f"{name}: a packed folder stores its files, this one is deflated")
        if info.file_size > self._limits.file:
            raise InputError(
                f"{name} has {info.file_size:,} bytes, limit {self._limits.file:,}: take a smaller file"
            )
        try:
            return self._archive.read(info)
        except (zipfile.BadZipFile, EOFError, RuntimeError) as error:
            raise InputError(f"{name}: damaged in the packed folder: {error}") from error

    def __iter__(self) -> Iterator[str]:
        return iter(self._members)

    def __len__(self) -> int:
        return len(self._members)


def list_folder(path: Path, suffixes: Sequence[str], limits: Limits = Limits()) -> Folder:
    """The files with one of these suffixes (`.png`, any case) at any depth, sorted by name.

    Hidden files and folders are left out. A link is followed to a file inside the folder only.

    Raises:
        InputError: no such folder, unreadable, a link that leads outside or to a folder, a pipe or
            device, a name that is no UTF-8, too many files or too large ones.
    """
    try:
        there = path.exists()
    except OSError as error:
        reason = f"{path} cannot be a folder ({error.strerror}): check the path"
        raise InputError(reason) from None
    if not there:
        raise InputError(f"there is no folder {path} (looked from {Path.cwd()})")
    if not path.is_dir():
        raise InputError(f"{path} is not a folder")
    wanted = tuple(sorted(suffix.lower() for suffix in suffixes))
    walk = _Walk(path, path.resolve(), wanted, limits)
    walk.visit("", path)
    files = {name: walk.files[name] for name in sorted(walk.files)}
    ignored, empty = tuple(sorted(walk.ignored)), tuple(sorted(walk.empty))
    return Folder(path, files, wanted, limits, ignored, empty)


def put_folder(store: Store, folder: Folder, copy: bool = True) -> Artifact:
    """The folder as one artifact, known by its names and contents, and packed into the store.

    Arguments:
        copy: False only identifies it.

    Raises:
        InputError: a file cannot be read, or changed meanwhile.
        StoreError: the store cannot be written.
    """
    sink = _Sink()
    digest = _pack(folder, sink)
    spec = {"bytes": sink.size, "files": len(folder), "suffixes": list(folder.suffixes)}
    name = folder.root.resolve().name
    artifact = Artifact(name, digest, sink.sha.hexdigest(), "file", SUFFIX, sink.size, spec)
    if not copy or store.fault(artifact) is None:
        return artifact

    def write(file: BinaryIO) -> None:
        _pack(folder, _Sink(file))

    if store.put_encoded(name, Encoded("file", SUFFIX, digest, spec, write)) != artifact:
        raise InputError(f"{folder.root} changed while it was read: try again")
    return artifact


@dataclass
class _Walk:
    top: Path
    root: Path
    suffixes: tuple[str, ...]
    limits: Limits
    files: dict[str, Path] = field(default_factory=dict)
    ignored: list[str] = field(default_factory=list)
    empty: list[str] = field(default_factory=list)
    entries: int = 0
    total: int = 0

    def visit(self, name: str, folder: Path) -> None:
        before = len(self.files)
        if name.count("/") >= _DEPTH:
            raise InputError(f"{folder} lies more than {_DEPTH} folders deep: is it the right one?")
        try:
            with os.scandir(folder) as found:
                entries = sorted(found, key=lambda entry: entry.name)
        except OSError as error:
            raise InputError(f"{folder} cannot be read ({error.strerror})") from error
        self.entries += len(entries)
        if self.entries > _SEEN_ENTRIES:
            raise InputError(
                f"{self.top} has more than {_SEEN_ENTRIES:,} entries: is this the right folder?"
            )
        for entry in entries:
            if entry.name.startswith(".") or entry.name == _LITTER:
                continue
            inner = f"{name}/{entry.name}" if name else entry.name
            if entry.is_dir(follow_symlinks=False):
                self.visit(inner, Path(entry.path))
            elif entry.is_symlink() and Path(entry.path).is_dir():
                raise InputError(f"{entry.path} is a link to a folder: copy the folder itself here")
            elif not entry.name.lower().endswith(self.suffixes):
                self.ignored.append(inner)
            else:
                self.take(inner, Path(entry.path), entry.is_symlink())
        if len(self.files) == before:
            self.empty.append(name)

    def take(self, name: str, path: Path, linked: bool) -> None:
        # realpath, unlike resolve, does not stumble over a link to itself
        if linked and not Path(os.path.realpath(path)).is_relative_to(self.root):
            raise InputError(f"{path} is a link to a file outside the folder: copy the file here")
        try:
            name.encode()
            found = path.stat()
        except UnicodeEncodeError:
            raise InputError(f"{name!r} in {self.top} is no UTF-8 name: rename it") from None
        except OSError as error:
            raise InputError(f"{path} cannot be read ({error.strerror})") from error
        if not stat.S_ISREG(found.st_mode):
            raise InputError(f"{path} is no file but a pipe, socket or device: remove it")
        if found.st_size > self.limits.file:
            raise InputError(f"{path} has {found.st_size:,} bytes, limit {self.limits.file:,}")
        self.files[name] = path
        self.total += found.st_size
        if len(self.files) > self.limits.files or self.total > self.limits.total:
            raise InputError(
                f"{self.top} has more than {self.limits.files:,} files or {self.limits.total:,} bytes "
                "to read: take a sample of it"
            )


class _Sink:
    """Hashes and counts what is written; it cannot seek, so a zip is the same to disk and to none."""

    def __init__(self, file: BinaryIO | None = None) -> None:
        self.sha = hashlib.sha256()
        self.size = 0
        self._file = file

    def write(self, data: bytes) -> int:
        self.sha.update(data)
        self.size += len(data)
        if self._file is not None:
            self._file.write(data)
        return len(data)

    def flush(self) -> None:
        if self._file is not None:
            self._file.flush()


def _pack(folder: Folder, sink: _Sink) -> str:
    """Write the packed folder; returns the digest of its content, whatever zip version wrote it."""
    sha = hashlib.sha256(b"folder\0")
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_STORED) as archive:  # type: ignore[call-overload]
        for name, data in folder.items():
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), data)
            sha.update(canonical_json([name, hashlib.sha256(data).hexdigest()]).encode() + b"\0")
    return sha.hexdigest()
