from __future__ import annotations

import dataclasses
import gzip
import hashlib
import io
import logging
import socket
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine import InputError
from tasks import datasets, download
from tasks.containers import Container, write_idx
from tasks.datasets import MNIST, WIFI, Dataset, Remote, Source
from tasks.download import DownloadFailed, Limits, download_dataset, fetch, obtain
from tests.tasks import faulty_server as faults
from tests.tasks.faulty_server import Behaviour, FaultyServer

TEXT = (Path(__file__).parents[2] / "data" / "wifi_localization.txt").read_bytes()
LF_TEXT = TEXT.replace(b"\r\n", b"\n")
LIMITS = Limits(answer=0.6, mirror=1.5)
MEMBER = "wifi_localization.txt"


@pytest.fixture
def server() -> Iterator[FaultyServer]:
    with FaultyServer() as running:
        yield running


@pytest.fixture(autouse=True)
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Temporary files go where the test can see what is left of them; no proxy comes between."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    monkeypatch.setenv("NO_PROXY", "*")
    return folder


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
        body = gzip.compress(data)
        pinned = hashlib.sha256(body).hexdigest()
        files.append(Remote(url_of(f"/{name}.gz", body), pinned))
    mirrors = (
        Source((Remote(url_of("/digits.npz", npz.getvalue())),), "npz"),
        Source(tuple(files), "idx.gz"),
    )
    return dataclasses.replace(MNIST, parts=parts, mirrors=mirrors, bundled=None), arrays


@pytest.mark.parametrize(
    ("container", "behaviour"),
    [
        pytest.param("text", faults.serve(TEXT), id="plain"),
        pytest.param("text", faults.serve(LF_TEXT), id="LF instead of CRLF"),
        pytest.param("text", faults.serve(TEXT, declared=-1), id="no Content-Length"),
        pytest.param("text", faults.serve_chunked(TEXT), id="chunked"),
        pytest.param("zip", faults.serve(zipped({"x": b"", MEMBER: TEXT})), id="zip"),
        pytest.param("zip", faults.serve(zipped({MEMBER: LF_TEXT})), id="zip with LF"),
        pytest.param("text", faults.late(faults.serve(TEXT), 0.1), id="a little late"),
    ],
)
def test_right_content_is_accepted_in_any_container(
    server: FaultyServer, container: Container, behaviour: Behaviour
) -> None:
    url = server.add("/wifi", behaviour)
    obtained = obtain(wifi_at((url, container)), limits=LIMITS)
    assert obtained.data == TEXT
    assert obtained.source == url
    assert obtained.failures == ()


def test_the_lf_form_is_the_known_one() -> None:
    known = "76121abf412b961f474e72baa8a802241f3032e85590c6680dd5280b1af8e0ab"
    assert hashlib.sha256(LF_TEXT).hexdigest() == known


def altered_copy() -> bytes:
    """2,001 rows, as one copy that is about."""
    return TEXT + TEXT.splitlines(keepends=True)[0]


FAULTS: list[Any] = [
    pytest.param("text", faults.status(404), "HTTP 404 Not Found", id="404"),
    pytest.param("text", faults.status(500), "HTTP 500", id="500"),
    pytest.param("text", faults.cut(TEXT, 30_000), "30000 bytes read, 32000 more", id="cut"),
    pytest.param("text", faults.serve(b"hello"), "something else", id="wrong bytes"),
    pytest.param("text", faults.serve(b""), "something else", id="empty"),
    pytest.param("text", faults.serve(altered_copy()), "something else", id="2001 rows"),
    pytest.param("text", faults.drip(TEXT), "too slow|not done", id="drip"),
    pytest.param("text", faults.drip_headers(), "no answer within", id="drip of headers"),
    pytest.param("text", faults.silent(), "no answer within", id="silent"),
    pytest.param("text", faults.endless(), "sends more than 1,000,000 bytes", id="endless"),
    pytest.param(
        "text", faults.endless(declared=10**10), "announces 10,000,000,000 bytes", id="10 GB"
    ),
    pytest.param("text", faults.endless(declared=62_000), "something else", id="says it is small"),
    pytest.param("text", faults.serve(TEXT, declared=100), "something else", id="length too small"),
    pytest.param("text", faults.redirect("/wifi"), "more than 5 redirects", id="redirect loop"),
    pytest.param("text", faults.redirect("file:///etc/passwd"), "only http", id="to a file"),
    pytest.param("zip", faults.serve(zipped({"a": TEXT})), "no member wifi", id="no member"),
    pytest.param("zip", faults.serve(TEXT), "not a whole zip", id="no zip"),
    pytest.param("zip", faults.serve(zipped({MEMBER: TEXT})[:-40]), "not a whole zip", id="half"),
    pytest.param(
        "zip", faults.serve(zipped({MEMBER: bytes(50_000_000)})), "50,000,000 bytes", id="zip bomb"
    ),
    pytest.param(
        "zip", faults.serve(zipped({"../" + MEMBER: TEXT})), "no member wifi", id="path in zip"
    ),
]


@pytest.mark.parametrize(("container", "behaviour", "says"), FAULTS)
def test_after_a_fault_the_next_mirror_is_asked(
    server: FaultyServer,
    scratch: Path,
    container: Container,
    behaviour: Behaviour,
    says: str,
) -> None:
    bad = server.add("/wifi", behaviour)
    with FaultyServer() as other:
        good = other.add("/good", faults.serve(TEXT))
        started = time.monotonic()
        obtained = obtain(wifi_at((bad, container), (good, "text")), limits=LIMITS)
        assert time.monotonic() - started < 5
    assert obtained.data == TEXT
    assert obtained.source == good
    (failure,) = obtained.failures
    assert failure.startswith(f"{bad}: ")
    assert any(part in failure for part in says.split("|")), failure
    if "no answer" not in says:  # there a thread may still wait for its own time limit
        until = time.monotonic() + 3
        while any(scratch.iterdir()) and time.monotonic() < until:
            time.sleep(0.05)
        assert list(scratch.iterdir()) == []


def test_wrong_content_is_warned_of_with_both_hashes(
    server: FaultyServer, caplog: pytest.LogCaptureFixture
) -> None:
    body = altered_copy()
    bad = server.add("/bad", faults.serve(body))
    gone = server.add("/gone", faults.status(404))
    with caplog.at_level(logging.INFO):
        obtain(wifi_at((gone, "text"), (bad, "text"), bundled=True), limits=LIMITS)
    (warning,) = [r.getMessage() for r in caplog.records if r.levelno >= logging.WARNING]
    assert bad in warning
    assert WIFI.parts[0][1] in warning
    assert hashlib.sha256(body).hexdigest() in warning
    assert "bundled copy" in caplog.records[-1].getMessage()


def test_one_error_lists_what_every_mirror_did(server: FaultyServer) -> None:
    urls = [
        server.add(f"/{i}", behaviour)
        for i, behaviour in enumerate(
            [faults.status(404), faults.serve(b"x"), faults.endless(), faults.redirect("/3")]
        )
    ]
    with pytest.raises(DownloadFailed) as caught:
        obtain(wifi_at(*((url, "text") for url in urls)), limits=LIMITS)
    lines = str(caught.value).splitlines()
    assert lines[0].startswith("wifi: no source has")
    for url, line, says in zip(
        urls, lines[1:], ["HTTP 404", "expected sha256", "more than", "redirects"], strict=False
    ):
        assert url in line
        assert says in line
    assert "no bundled copy" in lines[-2]
    assert lines[-1].startswith("What to do: ")


def test_when_all_mirrors_fail_the_bundled_copy_is_taken(server: FaultyServer) -> None:
    url = server.add("/gone", faults.status(503))
    obtained = obtain(wifi_at((url, "text"), bundled=True), limits=LIMITS)
    assert obtained.data == TEXT
    assert obtained.source == "bundled"
    assert "HTTP 503" in obtained.failures[0]


@pytest.mark.parametrize("damage", [TEXT[:-1], TEXT.replace(b"-64", b"-46", 1), None])
def test_a_damaged_bundled_copy_is_never_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: bytes | None
) -> None:
    copy = tmp_path / MEMBER
    if damage is not None:
        copy.write_bytes(damage)
    for module in (datasets, download):
        monkeypatch.setattr(module, "bundled_path", lambda _: copy)
    with pytest.raises(DownloadFailed, match=r"restore data/wifi_localization\.txt") as caught:
        obtain(WIFI, offline=True)
    if damage is not None:
        assert WIFI.parts[0][1] in str(caught.value)
        assert hashlib.sha256(damage).hexdigest() in str(caught.value)


def closed_port() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{free.getsockname()[1]}"


def test_a_host_that_does_not_answer_is_asked_once(server: FaultyServer) -> None:
    host = closed_port()
    good = server.add("/good", faults.serve(TEXT))
    dataset = wifi_at((f"http://{host}/a", "text"), (f"http://{host}/b", "zip"), (good, "text"))
    obtained = obtain(dataset, limits=LIMITS)
    assert obtained.source == good
    assert "cannot connect" in obtained.failures[0]
    assert f"skipped, {host} did not answer" in obtained.failures[1]


def test_a_host_that_answers_wrongly_is_asked_again(server: FaultyServer) -> None:
    bad = server.add("/bad", faults.status(500))
    good = server.add("/good", faults.serve(TEXT))
    assert obtain(wifi_at((bad, "text"), (good, "text")), limits=LIMITS).source == good


def test_a_name_server_that_hangs_costs_no_more_than_the_answer_limit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    released = threading.Event()

    def hang(*_: Any, **__: Any) -> Any:
        released.wait(20)
        raise socket.gaierror(-2, "released")

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    dataset = wifi_at(("http://a.invalid/x", "text"), ("http://a.invalid/y", "text"), bundled=True)
    started = time.monotonic()
    obtained = obtain(dataset, limits=LIMITS)
    elapsed = time.monotonic() - started
    released.set()
    assert obtained.source == "bundled"
    assert "no answer within 0.6 s" in obtained.failures[0]
    assert elapsed < 3


def test_patience_bounds_all_mirrors_together(server: FaultyServer) -> None:
    slow = [server.add(f"/{i}", faults.drip(TEXT)) for i in range(4)]
    started = time.monotonic()
    obtained = obtain(
        wifi_at(*((url, "text") for url in slow), bundled=True), patience=0.6, limits=LIMITS
    )
    assert time.monotonic() - started < 3
    assert obtained.source == "bundled"
    assert len(obtained.failures) == 4
    assert "0.6 s of patience are used up" in obtained.failures[-1]


def test_without_a_bundled_copy_patience_does_not_cut_a_download_off(server: FaultyServer) -> None:
    url = server.add("/late", faults.late(faults.serve(TEXT), 0.2))
    assert obtain(wifi_at((url, "text")), patience=0.05, limits=LIMITS).data == TEXT


def test_a_redirect_with_an_endless_body_is_followed_without_reading_it(
    server: FaultyServer,
) -> None:
    good = server.add("/good", faults.serve(TEXT))
    first = server.add("/first", faults.endless(code=302, location="/good"))
    assert good
    started = time.monotonic()
    assert obtain(wifi_at((first, "text")), limits=LIMITS).data == TEXT
    assert time.monotonic() - started < 3


def test_images_are_the_same_file_from_npz_and_from_idx(server: FaultyServer) -> None:
    dataset, arrays = digits(lambda path, body: server.add(path, faults.serve(body)))
    npz, idx = (dataclasses.replace(dataset, mirrors=(mirror,)) for mirror in dataset.mirrors)
    data = obtain(npz, limits=LIMITS).data
    assert data == obtain(idx, limits=LIMITS).data
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
    assert obtain(idx, limits=LIMITS).failures == ()


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
        obtain(dataclasses.replace(dataset, mirrors=dataset.mirrors[1:]), limits=LIMITS)
    assert "/y_train.gz" in str(caught.value)


def pickled_npz() -> bytes:
    npz = io.BytesIO()
    np.savez(npz, x_train=np.array([print], dtype=object), y_train=np.zeros(3, np.uint8))
    return npz.getvalue()


def wrong_type_npz() -> bytes:
    npz = io.BytesIO()
    np.savez(npz, x_train=np.zeros((3, 4, 4)), y_train=np.zeros(3, np.uint8))
    return npz.getvalue()


def gz(data: bytes) -> bytes:
    """Compressed without the time, so that each test process names its tests alike."""
    return gzip.compress(data, mtime=0)


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
        obtain(dataclasses.replace(dataset, mirrors=mirrors), limits=LIMITS)


@pytest.fixture
def no_sockets(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> Any:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.mark.usefixtures("no_sockets")
def test_offline_opens_no_socket() -> None:
    wifi = download_dataset.fn(name="wifi", offline=True)
    assert wifi.suffix == ".txt"
    assert wifi.read_bytes() == TEXT
    mnist = download_dataset.fn(name="mnist", offline=True)
    assert mnist.suffix == ".npz"
    with np.load(io.BytesIO(mnist.read_bytes()), allow_pickle=False) as arrays:
        shapes = {name: arrays[name].shape for name in arrays}
    assert shapes == {
        "x_train": (60_000, 28, 28),
        "y_train": (60_000,),
        "x_test": (10_000, 28, 28),
        "y_test": (10_000,),
    }


@pytest.mark.usefixtures("no_sockets")
def test_fetch_reports_where_the_data_came_from() -> None:
    report = fetch("wifi", offline=True)
    assert report.pop("seconds") >= 0
    assert report == {
        "name": "wifi",
        "source": "bundled",
        "size": 62_000,
        "sha256": WIFI.parts[0][1],
        "failures": [],
    }


def key(**params: Any) -> str:
    return download_dataset.recipe(download_dataset.bind((), params)).key


def test_how_it_is_fetched_does_not_enter_the_key() -> None:
    assert key(name="wifi", offline=True) == key(name="wifi", patience=1.0)
    assert key(name="wifi") != key(name="mnist")


def test_a_plan_loads_no_network_and_no_arrays() -> None:
    code = (
        "import sys, tasks.download, tasks.tables\n"
        "heavy = {'numpy', 'pandas', 'pooch', 'pyarrow', 'requests', 'urllib3'}\n"
        "sys.exit(repr(sorted(heavy & set(sys.modules))) if heavy & set(sys.modules) else 0)"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_an_unknown_name_is_refused_with_the_known_ones() -> None:
    with pytest.raises(
        InputError, match=r"'wify': there are wifi, mnist, .*; did you mean 'wifi'\?"
    ):
        download_dataset.fn(name="wify", offline=True)


def test_a_set_that_a_package_brings_needs_no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> Any:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket, "socket", refuse)
    report = fetch("digits8x8")
    assert (report["source"], report["failures"]) == ("bundled", [])
    with np.load(
        io.BytesIO(download_dataset.fn(name="digits8x8", offline=True).read_bytes())
    ) as npz:
        assert npz["x"].shape == (1_797, 8, 8)


def test_a_missing_package_is_named_with_the_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (datasets, download):
        monkeypatch.setattr(module, "bundled_path", lambda _: tmp_path / "none.gz")
    with pytest.raises(DownloadFailed, match="apt install dataset-fashion-mnist") as caught:
        obtain(datasets.FASHION_MNIST, offline=True)
    assert "none.gz: No such file" in str(caught.value)
    with pytest.raises(DownloadFailed, match="What to do: install scikit-learn again"):
        obtain(datasets.DIGITS_8X8)
