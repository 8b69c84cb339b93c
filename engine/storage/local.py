"""A store's files in a folder: whole or not there, whatever kills the process that writes them."""

from __future__ import annotations

import contextlib
import hashlib
import operator
import os
import secrets
import shutil
import socket
import stat
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from io import BufferedRandom
from pathlib import Path

from engine.errors import StoreError
from engine.locks import FileLock, Tell, shared

_SMALL_BYTES = 1 << 16
_OF_FOLDERS = ("objects", "runs")  # their files lie one folder deeper: objects/ab/…, runs/<flow>/…


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of a store, or what lies in a file's place.

    Arguments:
        size: bytes.
        written: when, in seconds since 1970 on the clock of `LocalStorage.now`.
    """

    name: str
    size: int
    written: float


class LocalStorage:
    """The files of a store below one folder, made when something is first written.

    `grace`: how many seconds a collector leaves what was just written alone, where it cannot lock
    writers out. `kinds`: what a collector looks at, and in which folders.
    """

    grace = 0.0
    kinds: Mapping[str, str] = {
        "run": "runs",
        "record": "records",
        "object": "objects",
        "temporary": "tmp",
        "checkpoint": "checkpoints",
    }

    def __init__(self, root: Path) -> None:
        self.root = root.expanduser().resolve()
        self._sound: dict[str, tuple[int, int, int, int]] = {}

    @property
    def address(self) -> str:
        """What opens this storage again, in this process or another."""
        return str(self.root)

    def path(self, name: str) -> Path:
        """Where the file lies, or would lie."""
        return self.root / name

    def exists(self) -> bool:
        """Whether anything was ever written."""
        return self.root.exists()

    def now(self) -> float:
        """The time on the clock that stamps files."""
        return time.time()

    # Reading

    def examine(self, name: str, size: int) -> str | None:
        """What is wrong with a file that has so many bytes, without reading it; None if nothing."""
        try:
            found = os.stat(self.root / name)  # noqa: PTH116 - a path is made for every file otherwise
        except OSError:
            return "missing"
        if not stat.S_ISREG(found.st_mode):
            return "not a file"
        return None if found.st_size == size else f"{found.st_size} of {size} bytes"

    def prove(self, name: str, size: int, sha256: str) -> str | None:
        """The same after its content was read; what is proved lies at `path` and stays a while."""
        return self._prove_here(name, size, sha256)

    def _prove_here(self, name: str, size: int, sha256: str) -> str | None:
        fault = LocalStorage.examine(self, name, size)
        if fault is not None:
            return fault
        path = self.root / name
        try:
            found = path.stat()
            if self._sound.get(name) == _mark(found):
                return None
            with path.open("rb") as file:
                content = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            return f"unreadable ({error.strerror})"
        if content != sha256:
            return "content altered"
        self._remember(name, found)
        return None

    def _remember(self, name: str, found: os.stat_result) -> None:
        """Note that this very file was proved; any change to it changes the mark."""
        self._sound[name] = _mark(found)

    def read(self, name: str) -> bytes:
        """The content of a small file; raises FileNotFoundError or another OSError."""
        # A collector reads a hundred thousand of them: this takes half as long as a file object.
        descriptor = os.open(f"{self.root}/{name}", os.O_RDONLY | os.O_CLOEXEC)
        try:
            parts = [os.read(descriptor, _SMALL_BYTES)]
            while len(parts[-1]) == _SMALL_BYTES:
                parts.append(os.read(descriptor, _SMALL_BYTES))
        finally:
            os.close(descriptor)
        return b"".join(parts)

    def digest(self, name: str) -> tuple[str, int]:
        """sha256 and size of a file, read from where it is kept; raises OSError."""
        with (self.root / name).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest(), file.tell()

    def entries(self, folder: str, prefix: str = "") -> Iterator[Entry]:
        """What lies in a folder of the store, by name; a folder among it counts with its content.

        Arguments:
            folder: `objects`, `records`, `runs`, `tmp` or `checkpoints`.
            prefix: only names that begin so.
        """
        if folder not in _OF_FOLDERS:
            yield from self._scan(folder, prefix)
            return
        for inner in self._list(folder):
            if inner.is_dir(follow_symlinks=False):
                yield from self._scan(f"{folder}/{inner.name}", prefix)

    def names(self, folder: str) -> Iterator[str]:
        """The names of the same, which costs less."""
        for found in self._list(folder):
            name = f"{folder}/{found.name}"
            if folder not in _OF_FOLDERS:
                yield name
            elif found.is_dir(follow_symlinks=False):
                yield from (f"{name}/{inner.name}" for inner in self._list(name))

    def _scan(self, folder: str, prefix: str) -> Iterator[Entry]:
        for found in self._list(folder, prefix):
            try:
                about = found.stat(follow_symlinks=False)
            except OSError:
                continue
            size = about.st_size
            if stat.S_ISDIR(about.st_mode):
                size = sum(_file_size(p) for p in Path(found.path).rglob("*"))
            yield Entry(f"{folder}/{found.name}", size, about.st_mtime)

    def _list(self, folder: str, prefix: str = "") -> list[os.DirEntry[str]]:
        try:
            with os.scandir(f"{self.root}/{folder}") as found:
                wanted = [entry for entry in found if entry.name.startswith(prefix)]
        except OSError:
            return []
        return sorted(wanted, key=operator.attrgetter("name"))

    def surveyed(self) -> contextlib.AbstractContextManager[None]:
        """Many questions follow: their answers may all be as of the block's beginning."""
        return contextlib.nullcontext()

    # Writing

    @contextlib.contextmanager
    def temporary(self, suffix: str) -> Iterator[tuple[Path, BufferedRandom]]:
        """A new file in `tmp/`, gone when the block ends unless it was moved away."""
        folder = self.root / "tmp"
        path = folder / f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(6)}{suffix}"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with path.open("x+b") as file:
                yield path, file
        except OSError as error:
            if isinstance(error, StoreError):
                raise
            raise StoreError.because(self.root, error) from error
        finally:
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)

    def publish(self, temporary: Path, name: str) -> None:
        """Move a synced temporary file in as an object, read-only from now on."""
        temporary.chmod(0o444)
        self._move_in(temporary, name)

    def write(self, name: str, data: bytes) -> None:
        """Write a file so that a reader finds the old or the new one, whole."""
        with self.temporary(Path(name).suffix) as (temporary, file):
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
            self._move_in(temporary, name)

    def _move_in(self, temporary: Path, name: str) -> None:
        target = self.root / name
        target.parent.mkdir(parents=True, exist_ok=True)
        self._sound.pop(name, None)
        # The folder itself is not synced: a rename that a power failure undoes is a missing file,
        # which the next look-up sees, and the wait would be half of a small stage's time.
        temporary.replace(target)

    def update(self, name: str, change: Callable[[bytes], bytes]) -> None:
        """Write what `change` makes of a small file's content, empty if there is none."""
        with self.using(), FileLock(self.root / "locks" / "update.lock").hold():
            try:
                old = self.read(name)
            except FileNotFoundError:
                old = b""
            self.write(name, change(old))

    def set_aside(self, name: str) -> None:
        """Move a damaged object out of the way, so that no look-up takes it for a sound one."""
        path = self.root / name
        with contextlib.suppress(OSError):
            path.replace(path.with_name(path.name + ".damaged"))

    def remove(self, names: Iterable[str]) -> None:
        """Remove files, and folders that lie in a file's place; what is gone already is no error."""
        for name in names:
            path = self.root / name
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)

    # Locks

    def lock(self, key: str, run: str = "") -> FileLock:
        """The lock that is held while the stage with this key is computed."""
        return FileLock(self.root / "locks" / f"{key}.lock", run)

    def using(self) -> contextlib.AbstractContextManager[None]:
        """Hold off the garbage collector while a result is looked up or published."""
        return shared(self.collector_lock)

    def alone(self, on_wait: Tell) -> contextlib.AbstractContextManager[None]:
        """Keep look-ups and publications, and other collectors, out."""
        return FileLock(self.collector_lock).hold(on_wait=on_wait)

    @property
    def collector_lock(self) -> Path:
        """The file that the garbage collector locks exclusively."""
        return self.root / "locks" / "collector.lock"

    # Journals

    def follow(self, path: Path) -> Follower | None:
        """Who shows others how a journal grows; None where all can read it as it is written."""
        return None

    def gather(self, flow: str | None, newest: int | None) -> None:
        """Bring journals of runs elsewhere here."""


class Follower:
    """Shows a journal that grows here to those who look from elsewhere."""

    def end(self) -> None:
        """The journal is complete."""


def _file_size(path: Path) -> int:
    """Bytes of a file; none for a folder and for what a training has removed this moment."""
    try:
        found = path.stat()
    except OSError:
        return 0
    return found.st_size if stat.S_ISREG(found.st_mode) else 0


def _mark(found: os.stat_result) -> tuple[int, int, int, int]:
    return found.st_ino, found.st_mtime_ns, found.st_ctime_ns, found.st_size
