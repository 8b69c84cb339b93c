"""Mirrors and their faults: the right content from the first that has it, else the bundled copy."""

from __future__ import annotations

import hashlib
import logging
import re
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tasks import datasets, download
from tasks.containers import Container
from tasks.datasets import WIFI
from tasks.download import DownloadFailed, Limits, obtain
from tests.tasks import faulty_server as faults
from tests.tasks.faulty_server import Behaviour, FaultyServer
from tests.tasks.mirrors import MEMBER, PATIENT, TEXT, wifi_at, zipped
from tests.waiting import PATIENCE, wait_for

LF_TEXT = TEXT.replace(b"\r\n", b"\n")
# How long a host may take; longer where it is this machine that is slow.
HASTE = (0.6, 6.0, 60.0)


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
    obtained = obtain(wifi_at((url, container)), limits=PATIENT)
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
    server: FaultyServer, scratch: Path, container: Container, behaviour: Behaviour, says: str
) -> None:
    bad = server.add("/wifi", behaviour)
    good = server.add("/good", faults.serve(TEXT))
    obtained = obtain(wifi_at((bad, container), (good, "text")), limits=PATIENT)
    assert obtained.data == TEXT
    assert obtained.source == good
    (failure,) = obtained.failures
    assert failure.startswith(f"{bad}: ") and says in failure
    assert list(scratch.iterdir()) == []


@pytest.mark.parametrize(
    ("behaviour", "says"),
    [
        pytest.param(faults.drip(TEXT), "too slow|not done", id="drip"),
        pytest.param(faults.drip_headers(), "no answer within 0.6 s", id="drip of headers"),
        pytest.param(faults.silent(), "no answer within 0.6 s", id="silent"),
    ],
)
def test_a_mirror_that_is_slow_is_given_up(
    server: FaultyServer, scratch: Path, behaviour: Behaviour, says: str
) -> None:
    slow = server.add("/wifi", behaviour)
    for seconds in HASTE:
        limits = Limits(answer=seconds, mirror=2 * seconds)
        obtained = obtain(wifi_at((slow, "text"), bundled=True), patience=PATIENCE, limits=limits)
        assert (obtained.data, obtained.source) == (TEXT, "bundled")
        (failure,) = obtained.failures
        if re.search(says, failure):
            break
    assert failure.startswith(f"{slow}: ") and re.search(says, failure)
    server.closing.set()  # a thread may wait for its own time limit
    wait_for("an empty folder", lambda: not any(scratch.iterdir()))


def test_wrong_content_is_warned_of_with_both_hashes(
    server: FaultyServer, caplog: pytest.LogCaptureFixture
) -> None:
    body = altered_copy()
    bad = server.add("/bad", faults.serve(body))
    gone = server.add("/gone", faults.status(404))
    with caplog.at_level(logging.INFO):
        obtain(
            wifi_at((gone, "text"), (bad, "text"), bundled=True), patience=PATIENCE, limits=PATIENT
        )
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
        obtain(wifi_at(*((url, "text") for url in urls)), limits=PATIENT)
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
    obtained = obtain(wifi_at((url, "text"), bundled=True), patience=PATIENCE, limits=PATIENT)
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


@pytest.fixture
def deaf() -> Iterator[str]:
    """A host and port that refuse every connection: taken, so that nobody else listens there."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{taken.getsockname()[1]}"


def test_a_host_that_does_not_answer_is_asked_once(server: FaultyServer, deaf: str) -> None:
    host = deaf
    good = server.add("/good", faults.serve(TEXT))
    dataset = wifi_at((f"http://{host}/a", "text"), (f"http://{host}/b", "zip"), (good, "text"))
    obtained = obtain(dataset, limits=PATIENT)
    assert obtained.source == good
    assert "cannot connect" in obtained.failures[0]
    assert f"skipped, {host} did not answer" in obtained.failures[1]


def test_a_host_that_answers_wrongly_is_asked_again(server: FaultyServer) -> None:
    bad = server.add("/bad", faults.status(500))
    good = server.add("/good", faults.serve(TEXT))
    assert obtain(wifi_at((bad, "text"), (good, "text")), limits=PATIENT).source == good


def test_a_name_server_that_hangs_costs_no_more_than_the_answer_limit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    released = threading.Event()

    def hang(*_: Any, **__: Any) -> Any:
        released.wait()
        raise socket.gaierror(-2, "released")

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    dataset = wifi_at(("http://a.invalid/x", "text"), ("http://a.invalid/y", "text"), bundled=True)
    try:
        obtained = obtain(dataset, limits=Limits(answer=0.6, mirror=PATIENCE))
    finally:
        released.set()
    assert obtained.source == "bundled"
    assert "no answer within 0.6 s" in obtained.failures[0]


def test_patience_bounds_all_mirrors_together(server: FaultyServer) -> None:
    slow = [server.add(f"/{i}", faults.drip(TEXT)) for i in range(4)]
    dataset = wifi_at(*((url, "text") for url in slow), bundled=True)
    for patience in HASTE:
        obtained = obtain(dataset, patience=patience, limits=PATIENT)
        assert obtained.source == "bundled" and len(obtained.failures) == 4
        if "did not answer" not in obtained.failures[-1]:
            break
    assert f"{patience:g} s of patience are used up" in obtained.failures[-1]


def test_without_a_bundled_copy_patience_does_not_cut_a_download_off(server: FaultyServer) -> None:
    url = server.add("/late", faults.late(faults.serve(TEXT), 0.2))
    assert obtain(wifi_at((url, "text")), patience=0.05, limits=PATIENT).data == TEXT


def test_a_redirect_with_an_endless_body_is_followed_without_reading_it(
    server: FaultyServer,
) -> None:
    good = server.add("/good", faults.serve(TEXT))
    first = server.add("/first", faults.endless(code=302, location="/good"))
    assert good
    assert obtain(wifi_at((first, "text")), limits=PATIENT).data == TEXT
