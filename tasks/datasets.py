"""The data sets by name: their canonical files, the copies on this machine, and what lists say.

The identity of a data set is its content, not its container: MNIST is right when the idx
serialisations of its four arrays hash as stated, whichever file they came in.
"""

from __future__ import annotations

import difflib
import hashlib
import importlib.util
from pathlib import Path
from typing import Any

from engine import InputError
from tasks.catalogue import (
    DATASETS,
    DIGITS_8X8,
    FASHION_MNIST,
    MNIST,
    WIFI,
    Dataset,
    Remote,
    Source,
)
from tasks.containers import BadContainer, unpack, write_arrays

__all__ = [
    "DATASETS",
    "DIGITS_8X8",
    "FASHION_MNIST",
    "MNIST",
    "WIFI",
    "Dataset",
    "Remote",
    "Source",
    "WrongContent",
    "bundled_path",
    "canonical_file",
    "describe_copy",
    "find_dataset",
    "list_datasets",
    "read_bundled",
    "verify_bundled",
]


class WrongContent(ValueError):
    """Content (or a pinned container) whose sha256 is not the known one."""


def find_dataset(name: str) -> Dataset:
    """The data set of that name; raises InputError that lists the names."""
    known = {dataset.name: dataset for dataset in DATASETS}
    if name in known:
        return known[name]
    near = difflib.get_close_matches(name.lower(), known, 1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    raise InputError(f"no data set is called {name!r}: there are {', '.join(known)}{hint}")


def canonical_file(dataset: Dataset, source: Source, files: list[bytes]) -> bytes:
    """The one canonical file of a data set, the same bytes whatever source it came from.

    Raises BadContainer or, naming the expected and the found hash, WrongContent.
    """
    names = [part for part, _ in dataset.parts]
    content = unpack(
        source.container, files, names, member=source.member, limit=dataset.content_limit
    )
    for part, expected in dataset.parts:
        found = hashlib.sha256(content[part]).hexdigest()
        if found != expected:
            raise WrongContent(f"{part}: expected sha256 {expected}, found {found}")
    return write_arrays(content) if dataset.suffix == ".npz" else content[names[0]]


def bundled_path(dataset: Dataset) -> Path | None:
    """Where the copy on this machine lies, or would lie (its first file, the others beside it); None
    where the data set has none."""
    if dataset.bundled is None:
        return None
    package, colon, inside = dataset.bundled.files[0].url.partition(":")
    if colon:
        spec = importlib.util.find_spec(package)
        places = spec.submodule_search_locations if spec else None
        return Path(places[0] if places else package, inside)
    # Worked out on each call: a constant path would tie the stage's fingerprint to this machine.
    return Path(__file__).resolve().parent.parent / "data" / package


def describe_copy(dataset: Dataset) -> tuple[str, str]:
    """For messages: where the copy on this machine lies, and how to get it (back)."""
    path = bundled_path(dataset)
    if path is None or dataset.bundled is None:
        return "", ""
    if dataset.bundled.remedy:
        return str(path), dataset.bundled.remedy
    return f"data/{path.name}", f"restore data/{path.name}: git checkout data/"


def read_bundled(dataset: Dataset) -> bytes:
    """The canonical file from the copy on this machine; raises OSError, BadContainer or WrongContent."""
    paths = _bundled_paths(dataset)
    if dataset.bundled is None or not paths:
        raise FileNotFoundError("this data set has no bundled copy")
    return canonical_file(dataset, dataset.bundled, [path.read_bytes() for path in paths])


def list_datasets() -> list[dict[str, Any]]:
    """One row a data set: name, title, rows, licence, citation, bundled (whether a copy is on this
    machine), size (its bytes or None), sha256 ({part: hash of its content}), mirrors (addresses)."""
    return [_describe(dataset) for dataset in DATASETS]


def verify_bundled(name: str) -> dict[str, Any]:
    """Hash the copy on this machine again: {name, file, size, ok, sha256 (of the file), fault}.

    Raises InputError for an unknown name, or a data set without a copy that should be here.
    """
    dataset = find_dataset(name)
    path = bundled_path(dataset)
    if path is None or dataset.bundled is None:
        raise InputError(f"{name} is not bundled: fetch it from its mirrors instead")
    remedy = describe_copy(dataset)[1]
    if dataset.bundled.remedy and not path.exists():
        fetch = "fetch it from its mirrors, or " if dataset.mirrors else ""
        raise InputError(f"{name} is not bundled: {fetch}{remedy}")
    report: dict[str, Any] = {"name": name, "file": path.name, "size": None, "sha256": None}
    try:
        data = [path.read_bytes() for path in _bundled_paths(dataset)]
        sha256 = hashlib.sha256(b"".join(data)).hexdigest()
        report |= {"size": sum(map(len, data)), "sha256": sha256}
        canonical_file(dataset, dataset.bundled, data)
    except (OSError, BadContainer, WrongContent) as error:
        return report | {"ok": False, "fault": f"{error}; {remedy}"}
    return report | {"ok": True, "fault": ""}


def _bundled_paths(dataset: Dataset) -> list[Path]:
    first = bundled_path(dataset)
    if first is None or dataset.bundled is None:
        return []
    others = [first.with_name(Path(remote.url).name) for remote in dataset.bundled.files[1:]]
    return [first, *others]


def _describe(dataset: Dataset) -> dict[str, Any]:
    paths = _bundled_paths(dataset)
    there = bool(paths) and all(path.is_file() for path in paths)
    return {
        "name": dataset.name,
        "title": dataset.title,
        "rows": dataset.rows,
        "licence": dataset.licence,
        "citation": dataset.citation,
        "bundled": there,
        "size": sum(path.stat().st_size for path in paths) if there else None,
        "sha256": dict(dataset.parts),
        "mirrors": [source.title for source in dataset.mirrors],
    }
