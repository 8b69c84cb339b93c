"""Checking the store: every object is what its name says, every record can be read and honoured."""

from __future__ import annotations

import contextlib
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.record import Record
from engine.store import Store


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong in the store.

    Arguments:
        path: the file, relative to the store.
        fault: what is wrong with it.
        used_by: keys of the records that point at it.
    """

    path: str
    fault: str
    used_by: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The finding as plain JSON data."""
        return {"path": self.path, "fault": self.fault, "used_by": list(self.used_by)}


@dataclass
class Verification:
    """What a check of the store looked at and what it found."""

    objects: int
    records: int
    bytes: int
    findings: list[Finding]

    @property
    def sound(self) -> bool:
        """Whether nothing is wrong."""
        return not self.findings

    def to_json(self) -> dict[str, Any]:
        """The verification as plain JSON data."""
        return {
            "sound": self.sound,
            "objects": self.objects,
            "records": self.records,
            "bytes": self.bytes,
            "findings": [finding.to_json() for finding in self.findings],
        }


def verify(store: Store, repair: bool = False) -> Verification:
    """Read everything and compare it with its checksum.

    Arguments:
        repair: set damaged objects aside and drop records that cannot be honoured, so that the
            next run makes them again; without it nothing is changed.
    """
    result = Verification(0, 0, 0, [])
    users: dict[str, list[str]] = {}
    records: dict[Path, Record] = {}
    for path in sorted(store.records.glob("*")):
        result.records += 1
        try:
            record = Record.loads(path.read_bytes())
            if record.key != path.stem:
                raise ValueError(f"it belongs to {record.key}")
        except (OSError, ValueError) as error:
            result.findings.append(Finding(_name(store, path), f"garbage: {error}"))
            _drop(path, repair)
            continue
        records[path] = record
        for artifact in record.artifacts:
            users.setdefault(artifact.address, []).append(record.key)
    bad: set[str] = set()
    for path in sorted(store.objects.glob("*/*")):
        if path.name.endswith(".damaged"):
            continue
        address = path.relative_to(store.objects).as_posix()
        result.objects += 1
        fault, size = _fault(path)
        result.bytes += size
        if fault is None:
            continue
        bad.add(address)
        result.findings.append(Finding(_name(store, path), fault, tuple(users.get(address, ()))))
        if repair:
            with contextlib.suppress(OSError):
                path.replace(path.with_name(path.name + ".damaged"))
    for path, record in records.items():
        for artifact in record.artifacts:
            if artifact.address in bad:
                _drop(path, repair)
            elif fault := store.fault(artifact):
                place = f"objects/{artifact.address}"
                result.findings.append(Finding(place, f"{artifact.name}: {fault}", (record.key,)))
                _drop(path, repair)
    return result


def _fault(path: Path) -> tuple[str | None, int]:
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            size = file.tell()
    except OSError as error:
        return f"unreadable ({error.strerror})", 0
    named = path.parent.name + path.name.split(".", 1)[0]
    return (None if digest == named else "content altered or truncated"), size


def _name(store: Store, path: Path) -> str:
    return path.relative_to(store.root).as_posix()


def _drop(path: Path, repair: bool) -> None:
    if repair:
        path.unlink(missing_ok=True)
