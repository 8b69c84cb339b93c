"""Data sets whose mirrors are servers of a test's own."""

from __future__ import annotations

import dataclasses
import gzip
import hashlib
import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from tasks.containers import Container, write_idx
from tasks.datasets import MNIST, WIFI, Dataset, Remote, Source
from tasks.download import Limits
from tests.waiting import PATIENCE

TEXT = (Path(__file__).parents[2] / "data" / "wifi_localization.txt").read_bytes()
MEMBER = "wifi_localization.txt"
PATIENT = Limits(answer=PATIENCE, mirror=PATIENCE)


def zipped(members: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return file.getvalue()


def wifi_at(*sources: tuple[str, Container], bundled: bool = False) -> Dataset:
    """The WIFI set with these mirrors."""
    mirrors = tuple(
        Source((Remote(url),), container, MEMBER if container == "zip" else "")
        for url, container in sources
    )
    return dataclasses.replace(WIFI, mirrors=mirrors, bundled=WIFI.bundled if bundled else None)


def digits(url_of: Callable[[str, bytes], str]) -> tuple[Dataset, dict[str, np.ndarray]]:
    """A small set of images; `url_of(path, body)` puts a file on a server."""
    rng = np.random.default_rng(0)
    arrays = {
        "x_train": rng.integers(0, 256, (30, 4, 4), dtype=np.uint8),
        "y_train": rng.integers(0, 10, 30, dtype=np.uint8),
    }
    idx = {name: write_idx(array) for name, array in arrays.items()}
    parts = tuple((name, hashlib.sha256(data).hexdigest()) for name, data in idx.items())
    npz = io.BytesIO()
    np.savez_compressed(npz, **arrays)  # type: ignore[arg-type]
    files = []
    for name, data in idx.items():
        body = gz(data)
        pinned = hashlib.sha256(body).hexdigest()
        files.append(Remote(url_of(f"/{name}.gz", body), pinned))
    mirrors = (
        Source((Remote(url_of("/digits.npz", npz.getvalue())),), "npz"),
        Source(tuple(files), "idx.gz"),
    )
    return dataclasses.replace(MNIST, parts=parts, mirrors=mirrors, bundled=None), arrays


def gz(data: bytes) -> bytes:
    """Compressed without the time, so that each test process names its tests alike."""
    return gzip.compress(data, mtime=0)
