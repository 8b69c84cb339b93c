"""Checking the store: every object is what its name says, every record can be read and honoured."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from engine.errors import StoreError
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
    storage = store.storage
    result = Verification(0, 0, 0, [])
    users: dict[str, list[str]] = {}
    records: dict[str, Record] = {}
    unfit: set[str] = set()
    for entry in storage.entries("records"):
        result.records += 1
        try:
            record = Record.loads(storage.read(entry.name))
            if record.key != PurePosixPath(entry.name).stem:
                raise ValueError(f"it belongs to {record.key}")
        except StoreError:
            raise
        except (OSError, ValueError) as error:
            result.findings.append(Finding(entry.name, f"garbage: {error}"))
            unfit.add(entry.name)
            continue
        records[entry.name] = record
        for artifact in record.artifacts:
            users.setdefault(f"objects/{artifact.address}", []).append(record.key)
    sizes: dict[str, int] = {}
    bad: set[str] = set()
    for entry in storage.entries("objects"):
        if entry.name.endswith(".damaged"):
            continue
        result.objects += 1
        fault, size = _fault(store, entry.name)
        result.bytes += size
        sizes[entry.name] = size
        if fault is None:
            continue
        bad.add(entry.name)
        result.findings.append(Finding(entry.name, fault, tuple(users.get(entry.name, ()))))
        if repair:
            storage.set_aside(entry.name)
    for path, record in records.items():
        for artifact in record.artifacts:
            place = f"objects/{artifact.address}"
            if place in bad:
                unfit.add(path)
            elif (found := sizes.get(place)) != artifact.size:
                fault = "missing" if found is None else f"{found} of {artifact.size} bytes"
                result.findings.append(Finding(place, f"{artifact.name}: {fault}", (record.key,)))
                unfit.add(path)
    if repair:
        storage.remove(sorted(unfit))
    return result


def _fault(store: Store, name: str) -> tuple[str | None, int]:
    try:
        digest, size = store.storage.digest(name)
    except StoreError:
        raise
    except OSError as error:
        return f"unreadable ({error.strerror})", 0
    parts = name.split("/")
    if len(parts) != 3:
        return "no object's name", size
    _, folder, file = parts
    named = folder + file.split(".", 1)[0]
    return (None if digest == named else "content altered or truncated"), size
