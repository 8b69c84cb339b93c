"""Images from npz and from idx: one file from both, and nothing from a container that is not whole."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Callable

import numpy as np
import pytest

from tasks import download
from tasks.containers import Container, write_idx
from tasks.datasets import Remote
from tasks.download import DownloadFailed, obtain
from tests.tasks import faulty_server as faults
from tests.tasks.faulty_server import FaultyServer
from tests.tasks.mirrors import PATIENT, digits, gz, zipped


def test_images_are_the_same_file_from_npz_and_from_idx(server: FaultyServer) -> None:
    dataset, arrays = digits(lambda path, body: server.add(path, faults.serve(body)))
    npz, idx = (dataclasses.replace(dataset, mirrors=(mirror,)) for mirror in dataset.mirrors)
    data = obtain(npz, limits=PATIENT).data
    assert data == obtain(idx, limits=PATIENT).data
    with np.load(io.BytesIO(data), allow_pickle=False) as loaded:
        assert set(loaded) == set(arrays)
        for name, array in arrays.items():
            np.testing.assert_array_equal(loaded[name], array)
            assert loaded[name].dtype == np.uint8


def test_a_gz_that_is_also_labelled_as_encoded_stays_a_gz(server: FaultyServer) -> None:
    dataset, _ = digits(
        lambda path, body: server.add(path, faults.serve_chunked(body, encoding="gzip"))
    )
    idx = dataclasses.replace(dataset, mirrors=dataset.mirrors[1:])
    assert obtain(idx, limits=PATIENT).failures == ()


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda body: body[:-9], "expected sha256"),
        (lambda _: gz(bytes(10)), "expected sha256"),
    ],
)
def test_a_container_whose_hash_is_known_is_not_even_opened(
    server: FaultyServer,
    monkeypatch: pytest.MonkeyPatch,
    spoil: Callable[[bytes], bytes],
    says: str,
) -> None:
    def put(path: str, body: bytes) -> str:
        return server.add(path, faults.serve(spoil(body) if path == "/y_train.gz" else body))

    dataset, _ = digits(put)
    monkeypatch.setattr(download, "canonical_file", lambda *_: pytest.fail("opened"))
    with pytest.raises(DownloadFailed, match=says) as caught:
        obtain(dataclasses.replace(dataset, mirrors=dataset.mirrors[1:]), limits=PATIENT)
    assert "/y_train.gz" in str(caught.value)


def pickled_npz() -> bytes:
    npz = io.BytesIO()
    np.savez(npz, x_train=np.array([print], dtype=object), y_train=np.zeros(3, np.uint8))
    return npz.getvalue()


def wrong_type_npz() -> bytes:
    npz = io.BytesIO()
    np.savez(npz, x_train=np.zeros((3, 4, 4)), y_train=np.zeros(3, np.uint8))
    return npz.getvalue()


@pytest.mark.parametrize(
    ("container", "body", "says"),
    [
        ("npz", pickled_npz(), "never unpickled"),
        ("npz", wrong_type_npz(), "uint8 expected, found float64"),
        ("npz", zipped({"x_train.npy": b"no"}), "not an npy file"),
        ("npz", zipped({"y_train.npy": b"no"}), "no member x_train.npy"),
        ("idx.gz", gz(write_idx(np.zeros((3, 4), np.uint8)))[:-9], "not a whole gzip"),
        ("idx.gz", gz(bytes(70_000_000)), "inflates to more than"),
        ("idx.gz", gz(b"hello"), "no idx file"),
        ("idx.gz", b"hello", "not a whole gzip"),
    ],
)
def test_images_in_a_bad_container_are_refused(
    server: FaultyServer, container: Container, body: bytes, says: str
) -> None:
    dataset, _ = digits(lambda path, _: server.add(path, faults.serve(body)))
    mirrors = tuple(
        dataclasses.replace(mirror, files=tuple(Remote(each.url) for each in mirror.files))
        for mirror in dataset.mirrors
        if mirror.container == container
    )
    with pytest.raises(DownloadFailed, match=says):
        obtain(dataclasses.replace(dataset, mirrors=mirrors), limits=PATIENT)
