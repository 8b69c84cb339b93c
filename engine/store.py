"""The store: immutable objects named by their content, and records that point at them.

    objects/ab/cdef….npz    named by the sha256 of the file: every object proves itself
    records/<key>.json      recipe → artifacts, with a checksum
    runs/<flow>/<run>.jsonl one journal a run
    locks/  tmp/  checkpoints/  report/

Everything is written to `tmp/` first, synced and moved in by one rename, so that a process
killed at any moment leaves whole files or none. Where the files lie, in a folder or in a bucket
that several machines share, is the matter of `engine.storage`.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import shutil
import stat
from collections.abc import Iterator
from io import BufferedRandom, BufferedReader
from pathlib import Path
from typing import Any

from engine import formats
from engine.artifact import SUFFIX, Artifact
from engine.errors import DamagedObject, InputError, StoreError
from engine.locks import FileLock
from engine.record import Record, check_key
from engine.storage import open_storage

log = logging.getLogger(__name__)

_ROOT = Path(__file__).resolve().parent.parent
_COPY_BYTES = 4 << 20


def project_root() -> Path:
    """The folder of the project that this engine belongs to."""
    return _ROOT


def default_address() -> str | Path:
    """`LATENTFLOW_STORE`, a folder or an `s3://bucket/prefix`; else `artifacts/` in the project."""
    return os.environ.get("LATENTFLOW_STORE") or _ROOT / "artifacts"


def code_cache() -> Path:
    """`LATENTFLOW_CODE_CACHE`, else `.code_cache/` in the project.

    Summaries of source files lie there, as bytecode lies in `__pycache__`: whatever the store,
    the same file is read once.
    """
    return Path(os.environ.get("LATENTFLOW_CODE_CACHE") or _ROOT / ".code_cache")


class Store:
    """Reads and writes artifacts and records.

    Arguments:
        address: a folder, made when something is first written, or an `s3://bucket/prefix`, whose
            objects are kept in a local folder too.
    """

    def __init__(self, address: str | Path | None = None) -> None:
        self.storage = open_storage(address or default_address())
        self.root = self.storage.root
        self.objects = self.root / "objects"
        self.records = self.root / "records"
        self.runs = self.root / "runs"
        self.checkpoints = self.root / "checkpoints"
        self.report = self.root / "report"

    @property
    def address(self) -> str:
        """What opens this store again, in this process or on another machine."""
        return self.storage.address

    def __reduce__(self) -> tuple[type[Store], tuple[str]]:
        return type(self), (self.address,)

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
            self.storage.publish(temporary, _name(artifact))
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
                self.storage.publish(temporary, _name(artifact))
        return artifact

    def fault(self, artifact: Artifact, deep: bool = False) -> str | None:
        """What is wrong with the artifact's object, or None.

        Arguments:
            deep: read the content too; without it, presence and size are looked at.
        """
        if deep:
            return self.storage.prove(_name(artifact), artifact.size, artifact.sha256)
        return self.storage.examine(_name(artifact), artifact.size)

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
        self.storage.set_aside(_name(artifact))

    # Records

    def record_path(self, key: str) -> Path:
        """Where the record with this key lies, or would lie."""
        return self.records / f"{check_key(key)}.json"

    def read_record(self, key: str) -> Record | None:
        """The record, or None if there is none; raises ValueError if it is garbage."""
        try:
            data = self.storage.read(f"records/{check_key(key)}.json")
        except FileNotFoundError:
            return None
        except StoreError:
            raise  # not the record is at fault
        except OSError as error:
            raise ValueError(f"it cannot be read ({error.strerror})") from error
        record = Record.loads(data)
        if record.key != key:
            raise ValueError(f"it belongs to {record.key}")
        return record

    def records_of(self, stage: str) -> Iterator[Record]:
        """The records of a stage that can be read, in no order."""
        for entry in self.storage.entries("records", f"{stage}-"):
            with contextlib.suppress(ValueError):
                record = self.read_record(Path(entry.name).stem)
                if record is not None and record.recipe.stage == stage:
                    yield record

    def write_record(self, record: Record) -> None:
        """Publish a record; its objects must be there already."""
        self.storage.write(f"records/{check_key(record.key)}.json", record.dumps())

    # Files

    def write_bytes(self, path: Path, data: bytes) -> None:
        """Write a file of the store so that a reader finds the old or the new one, whole."""
        self.storage.write(path.relative_to(self.root).as_posix(), data)

    def temporary(
        self, suffix: str
    ) -> contextlib.AbstractContextManager[tuple[Path, BufferedRandom]]:
        """A new file in `tmp/`, gone when the block ends unless it was moved away."""
        return self.storage.temporary(suffix)

    # Locks

    def lock(self, key: str, run: str = "") -> FileLock:
        """The lock that is held while the stage with this key is computed."""
        return self.storage.lock(check_key(key), run)

    def using(self) -> contextlib.AbstractContextManager[None]:
        """Hold off the garbage collector while a result is looked up or published."""
        return self.storage.using()

    @property
    def collector_lock(self) -> Path:
        """The file that the garbage collector locks exclusively."""
        return self.storage.collector_lock


def _name(artifact: Artifact) -> str:
    return f"objects/{artifact.address}"


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
    except InputError:
        raise
    except (OSError, ValueError) as error:  # below a file, too long, a NUL in it
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{str(path)!r} cannot be a file ({reason}): check the path") from None
