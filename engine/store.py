"""The store: immutable objects named by their content, and records that point at them.

    objects/ab/cdef….npz    named by the sha256 of the file: every object proves itself
    records/<key>.json      recipe → artifacts, with a checksum
    runs/<flow>/<run>.jsonl one journal a run
    locks/  tmp/  checkpoints/  report/

Everything is written to `tmp/` first, synced and moved in by one rename, so that a process
killed at any moment leaves whole files or none.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import secrets
import shutil
import socket
import stat
from collections.abc import Iterator
from io import BufferedRandom, BufferedReader
from pathlib import Path
from typing import Any

from engine import formats
from engine.artifact import SUFFIX, Artifact
from engine.errors import DamagedObject, InputError, StoreError
from engine.locks import FileLock, shared
from engine.record import Record, check_key

log = logging.getLogger(__name__)

_ROOT = Path(__file__).resolve().parent.parent
_COPY_BYTES = 4 << 20


def project_root() -> Path:
    """The folder of the project that this engine belongs to."""
    return _ROOT


def default_root() -> Path:
    """`LATENTFLOW_STORE`, else `artifacts/` in the project."""
    return Path(os.environ.get("LATENTFLOW_STORE") or _ROOT / "artifacts").expanduser().resolve()


def code_cache() -> Path:
    """`LATENTFLOW_CODE_CACHE`, else `.code_cache/` in the project.

    Summaries of source files lie there, as bytecode lies in `__pycache__`: whatever the store,
    the same file is read once.
    """
    return Path(os.environ.get("LATENTFLOW_CODE_CACHE") or _ROOT / ".code_cache")


class Store:
    """Reads and writes artifacts and records below one folder.

    Arguments:
        root: the folder; made when something is first written.
    """

    def __init__(self, root: Path | None = None) -> None:
        self.root = (root or default_root()).resolve()
        self.objects = self.root / "objects"
        self.records = self.root / "records"
        self.runs = self.root / "runs"
        self.checkpoints = self.root / "checkpoints"
        self.report = self.root / "report"
        self._sound: dict[Path, tuple[int, int, int, int]] = {}

    # Objects

    def path_of(self, artifact: Artifact) -> Path:
        """Where the artifact's object lies, or would lie."""
        return self.objects / artifact.address

    def put(self, name: str, value: Any) -> Artifact:
        """Store a value and return its handle; a value already there is written over, unharmed.

        Raises:
            StageError: the value is of no kind that the store keeps.
            StoreError: the disk is full or cannot be written.
        """
        return self.put_encoded(name, formats.encode(value))

    def put_encoded(self, name: str, encoded: formats.Encoded) -> Artifact:
        """Store what a writer writes; raises as `put`, and whatever the writer raises."""
        with self.temporary(encoded.suffix) as (temporary, file):
            encoded.write(file)
            sha256, size = _sync_and_hash(file)
            artifact = Artifact(
                name=name,
                digest=encoded.digest,
                sha256=sha256,
                format=encoded.format,
                suffix=encoded.suffix,
                size=size,
                spec=encoded.spec,
            )
            self._publish(temporary, self.path_of(artifact), read_only=True)
        return artifact

    def put_file(self, path: Path, max_bytes: int, copy: bool = True) -> Artifact:
        """A file from outside, known by its content and copied into the store.

        Arguments:
            copy: False only identifies it.

        Raises:
            InputError: it is missing, no regular file, unreadable or larger than `max_bytes`.
        """
        suffix = path.suffix.lower() if SUFFIX.fullmatch(path.suffix.lower()) else ".bin"
        with _open_outside(path, max_bytes) as source:
            sha256 = hashlib.file_digest(source, "sha256").hexdigest()
            size = os.fstat(source.fileno()).st_size
            digest = formats.file_digest(sha256, suffix)
            artifact = Artifact(path.name, digest, sha256, "file", suffix, size, {"bytes": size})
            if not copy or self.fault(artifact) is None:
                return artifact
            source.seek(0)
            with self.temporary(suffix) as (temporary, file):
                shutil.copyfileobj(source, file, _COPY_BYTES)
                if _sync_and_hash(file) != (sha256, size):
                    raise InputError(f"{path} changed while it was read: try again")
                self._publish(temporary, self.path_of(artifact), read_only=True)
        return artifact

    def fault(self, artifact: Artifact, deep: bool = False) -> str | None:
        """What is wrong with the artifact's object, or None.

        Arguments:
            deep: read the content too; without it, presence and size are looked at.
        """
        path = self.path_of(artifact)
        try:
            found = path.stat()
        except OSError:
            return "missing"
        if not stat.S_ISREG(found.st_mode):
            return "not a file"
        if found.st_size != artifact.size:
            return f"{found.st_size} of {artifact.size} bytes"
        if not deep:
            return None
        mark = (found.st_ino, found.st_mtime_ns, found.st_ctime_ns, found.st_size)
        if self._sound.get(path) == mark:
            return None
        try:
            with path.open("rb") as file:
                content = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            return f"unreadable ({error.strerror})"
        if content != artifact.sha256:
            return "content altered"
        self._sound[path] = mark
        return None

    def open(self, artifact: Artifact) -> Path:
        """The path of the artifact's object, after its content was proved undamaged.

        Raises:
            DamagedObject: it is missing, truncated or altered.
        """
        fault = self.fault(artifact, deep=True)
        if fault is not None:
            raise DamagedObject(str(self.path_of(artifact)), fault, artifact.sha256)
        return self.path_of(artifact)

    def load(self, artifact: Artifact) -> Any:
        """The artifact's value; raises DamagedObject, never returns damaged content."""
        return formats.decode(artifact, self.open(artifact))

    def set_aside(self, artifact: Artifact) -> None:
        """Move a damaged object out of the way, so that no lookup takes it for a sound one."""
        path = self.path_of(artifact)
        with contextlib.suppress(OSError):
            path.replace(path.with_name(path.name + ".damaged"))

    # Records

    def record_path(self, key: str) -> Path:
        """Where the record with this key lies, or would lie."""
        return self.records / f"{check_key(key)}.json"

    def read_record(self, key: str) -> Record | None:
        """The record, or None if there is none; raises ValueError if it is garbage."""
        try:
            data = self.record_path(key).read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise ValueError(f"it cannot be read ({error.strerror})") from error
        record = Record.loads(data)
        if record.key != key:
            raise ValueError(f"it belongs to {record.key}")
        return record

    def records_of(self, stage: str) -> Iterator[Record]:
        """The records of a stage that can be read, in no order."""
        for path in self.records.glob(f"{stage}-*.json"):
            with contextlib.suppress(ValueError):
                record = self.read_record(path.stem)
                if record is not None and record.recipe.stage == stage:
                    yield record

    def write_record(self, record: Record) -> None:
        """Publish a record; its objects must be there already."""
        self.write_bytes(self.record_path(record.key), record.dumps())

    # Files

    def write_bytes(self, path: Path, data: bytes) -> None:
        """Write a file of the store so that a reader finds the old or the new one, whole."""
        with self.temporary(path.suffix) as (temporary, file):
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
            self._publish(temporary, path)

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

    def _publish(self, temporary: Path, target: Path, read_only: bool = False) -> None:
        if read_only:
            temporary.chmod(0o444)
        target.parent.mkdir(parents=True, exist_ok=True)
        self._sound.pop(target, None)
        # The folder itself is not synced: a rename that a power failure undoes is a missing file,
        # which the next look-up sees, and the wait would be half of a small stage's time.
        temporary.replace(target)

    # Locks

    def lock(self, key: str, run: str = "") -> FileLock:
        """The lock that is held while the stage with this key is computed."""
        return FileLock(self.root / "locks" / f"{check_key(key)}.lock", run)

    def using(self) -> contextlib.AbstractContextManager[None]:
        """Hold off the garbage collector while a result is looked up or published."""
        return shared(self.collector_lock)

    @property
    def collector_lock(self) -> Path:
        """The file that the garbage collector locks exclusively."""
        return self.root / "locks" / "collector.lock"


def _sync_and_hash(file: BufferedRandom) -> tuple[str, int]:
    file.flush()
    os.fsync(file.fileno())
    file.seek(0)
    return hashlib.file_digest(file, "sha256").hexdigest(), os.fstat(file.fileno()).st_size


def _open_outside(path: Path, max_bytes: int) -> BufferedReader:
    """Open a user's file for reading, refusing what is no file or too large."""
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            raise InputError(f"{path} is not a file")
        if found.st_size > max_bytes:
            raise InputError(
                f"{path} has {found.st_size} bytes; at most {max_bytes} are read from outside"
            )
        return path.open("rb")
    except FileNotFoundError:
        raise InputError(f"there is no file {path} (looked from {Path.cwd()})") from None
    except PermissionError:
        raise InputError(f"{path} may not be read: check its permissions") from None
