"""The data sets: where they come from, what they must hash to, who made them.

The identity of a data set is its content, not its container: MNIST is right when the idx
serialisations of its four arrays hash as stated, whichever file they came in.
"""

from __future__ import annotations

import difflib
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine import InputError
from tasks.containers import BadContainer, Container, unpack, write_arrays


@dataclass(frozen=True)
class Remote:
    """One file: its address (of a bundled copy: its name) and, where known, its own sha256.

    A downloaded container whose sha256 is known is compared before it is opened.
    """

    url: str
    sha256: str = ""


@dataclass(frozen=True)
class Source:
    """One place that has the whole data set.

    Arguments:
        files: one file, or one a part in the order of the parts.
        container: how the content lies in them.
        member: the file inside a zip.
    """

    files: tuple[Remote, ...]
    container: Container
    member: str = ""

    @property
    def title(self) -> str:
        """The address that messages show."""
        first = self.files[0].url
        return first if len(self.files) == 1 else first.rpartition("/")[0] + "/"


@dataclass(frozen=True)
class Dataset:
    """A data set whose content is known by hash.

    Arguments:
        parts: (name, sha256 of the content) each; images and labels as idx, text with CRLF.
        mirrors: tried in this order.
        bundled: the copy in `data/`, tried last; None where there is none.
        suffix: of the canonical file: `.txt` as it is, `.npz` with one member a part.
        download_limit: bytes that one file may have.
        content_limit: bytes that the unpacked parts may have together.
    """

    name: str
    title: str
    rows: int
    parts: tuple[tuple[str, str], ...]
    mirrors: tuple[Source, ...]
    bundled: Source | None
    suffix: str
    licence: str
    citation: str
    download_limit: int
    content_limit: int


_UCI = "https://archive.ics.uci.edu"

WIFI = Dataset(
    name="wifi",
    title="Wireless Indoor Localization: 7 signal strengths (dBm) and a room",
    rows=2_000,
    parts=(("text", "2ae62faa28071e47b875d6bb64175238574a8d1366d1b64ab355bc1c87220294"),),
    mirrors=(
        Source(
            (Remote(f"{_UCI}/static/public/422/wireless+indoor+localization.zip"),),
            "zip",
            member="wifi_localization.txt",
        ),
        Source(
            (Remote(f"{_UCI}/ml/machine-learning-databases/00422/wifi_localization.txt"),), "text"
        ),
    ),
    bundled=Source((Remote("wifi_localization.txt"),), "text"),
    suffix=".txt",
    licence="CC BY 4.0",
    citation="Bhatt, R. (2017). Wireless Indoor Localization. UCI Machine Learning Repository. "
    "https://doi.org/10.24432/C51880",
    download_limit=1_000_000,
    content_limit=1_000_000,
)

# sha256 of the gzipped files, the same on every mirror.
_MNIST_FILES = (
    (
        "train-images-idx3-ubyte.gz",
        "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
    ),
    (
        "train-labels-idx1-ubyte.gz",
        "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
    ),
    (
        "t10k-images-idx3-ubyte.gz",
        "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
    ),
    (
        "t10k-labels-idx1-ubyte.gz",
        "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
    ),
)

MNIST = Dataset(
    name="mnist",
    title="MNIST: 60,000 + 10,000 handwritten digits, 28 × 28 grey pixels",
    rows=70_000,
    parts=(
        ("x_train", "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"),
        ("y_train", "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"),
        ("x_test", "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"),
        ("y_test", "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"),
    ),
    mirrors=(
        Source(
            (
                Remote(
                    "https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz",
                    "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1",
                ),
            ),
            "npz",
        ),
        Source(
            tuple(
                Remote(f"https://ossci-datasets.s3.amazonaws.com/mnist/{file}", sha256)
                for file, sha256 in _MNIST_FILES
            ),
            "idx.gz",
        ),
        Source(
            tuple(
                Remote(f"https://storage.googleapis.com/cvdf-datasets/mnist/{file}", sha256)
                for file, sha256 in _MNIST_FILES
            ),
            "idx.gz",
        ),
    ),
    bundled=Source((Remote("mnist.npz"),), "npz"),
    suffix=".npz",
    licence="CC BY-SA 3.0",
    citation="LeCun, Y., Cortes, C., Burges, C. J. C. (1998). The MNIST database of handwritten digits.",
    download_limit=16_000_000,
    content_limit=60_000_000,
)

DATASETS = (WIFI, MNIST)


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
    """Where the bundled copy lies; None where the data set has none."""
    # Worked out on each call: a constant path would tie the stage's fingerprint to this machine.
    folder = Path(__file__).resolve().parent.parent / "data"
    return folder / dataset.bundled.files[0].url if dataset.bundled else None


def read_bundled(dataset: Dataset) -> bytes:
    """The canonical file from the bundled copy; raises OSError, BadContainer or WrongContent."""
    path = bundled_path(dataset)
    if path is None or dataset.bundled is None:
        raise FileNotFoundError("this data set has no bundled copy")
    return canonical_file(dataset, dataset.bundled, [path.read_bytes()])


def list_datasets() -> list[dict[str, Any]]:
    """One row a data set: name, title, rows, licence, citation, bundled (bool), size (bytes of the
    bundled file or None), sha256 ({part: hash of its content}) and mirrors (addresses)."""
    return [_describe(dataset) for dataset in DATASETS]


def verify_bundled(name: str) -> dict[str, Any]:
    """Hash the bundled copy again: {name, file, size, ok, sha256 (of the file), fault}.

    Raises InputError for an unknown name or a data set without a bundled copy.
    """
    dataset = find_dataset(name)
    path = bundled_path(dataset)
    if path is None:
        raise InputError(f"{name} is not bundled: fetch it from its mirrors instead")
    report: dict[str, Any] = {"name": name, "file": path.name, "size": None, "sha256": None}
    try:
        data = path.read_bytes()
        report |= {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        read_bundled(dataset)
    except (OSError, BadContainer, WrongContent) as error:
        return report | {"ok": False, "fault": f"{error}; restore it: git checkout data/"}
    return report | {"ok": True, "fault": ""}


def _describe(dataset: Dataset) -> dict[str, Any]:
    path = bundled_path(dataset)
    there = path is not None and path.is_file()
    return {
        "name": dataset.name,
        "title": dataset.title,
        "rows": dataset.rows,
        "licence": dataset.licence,
        "citation": dataset.citation,
        "bundled": there,
        "size": path.stat().st_size if path is not None and there else None,
        "sha256": dict(dataset.parts),
        "mirrors": [source.title for source in dataset.mirrors],
    }
