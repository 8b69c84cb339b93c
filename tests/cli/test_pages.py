"""The server of the report: its pages for a browser here, nothing for anybody else."""

from __future__ import annotations

import http.client
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.pages import Pages, find_file, in_url, is_loopback
from tests.waiting import wait_for

SECRET = b"the secret outside"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("store")
    report = base / "report"
    (report / "wifi").mkdir(parents=True)
    (report / "wifi.html").write_text("<h1>rooms</h1>")
    (report / "fit_kmeans[k=5].html").write_text("five")
    (report / "wifi" / "elbow.png").write_bytes(b"\x89PNG")
    (report / "wifi" / "script.svg").write_text("<svg><script>alert(1)</script></svg>")
    (report / "evil<img src=x>.html").write_text("named badly")
    (report / ".hidden.html").write_bytes(SECRET)
    (report / "notes.txt").write_bytes(SECRET)
    (report / "folder.html").mkdir()
    (base / "secret.html").write_bytes(SECRET)
    (base / "report-2").mkdir()
    (base / "report-2" / "secret.html").write_bytes(SECRET)
    (report / "link.html").symlink_to(base / "secret.html")
    (report / "out").symlink_to(base)
    (report / "loop.html").symlink_to(report / "loop.html")
    (report / "inner.html").symlink_to(report / "wifi.html")
    os.mkfifo(report / "pipe.html")
    return report


@pytest.fixture(scope="module")
def pages(folder: Path) -> Iterator[Pages]:
    with Pages(folder).running() as server:
        yield server


def ask(
    pages: Pages, target: str, method: str = "GET", host: str = "localhost"
) -> tuple[int, http.client.HTTPResponse, bytes]:
    line = http.client.HTTPConnection("127.0.0.1", pages.port, timeout=60)
    line.putrequest(method, target, skip_host=True)
    line.putheader("Host", host)
    line.endheaders()
    answer = line.getresponse()
    body = answer.read()
    line.close()
    return answer.status, answer, body


def say(pages: Pages, request: bytes) -> bytes:
    """Bytes as they are, which no client would send."""
    with socket.create_connection(("127.0.0.1", pages.port), timeout=60) as line:
        line.sendall(request)
        line.shutdown(socket.SHUT_WR)
        found = b""
        while block := line.recv(65536):
            found += block
    return found


def test_pages_and_figures_are_served(pages: Pages) -> None:
    status, answer, body = ask(pages, "/wifi.html?again=1")
    assert (status, body) == (200, b"<h1>rooms</h1>")
    assert answer.getheader("Content-Type") == "text/html; charset=utf-8"
    assert answer.getheader("X-Content-Type-Options") == "nosniff"
    assert ask(pages, "/wifi/elbow.png")[1].getheader("Content-Type") == "image/png"
    assert ask(pages, "/fit_kmeans%5Bk=5%5D.html")[2] == b"five"
    assert ask(pages, "/inner.html")[2] == b"<h1>rooms</h1>"  # a link that stays inside
    status, answer, body = ask(pages, "/wifi.html", "HEAD")
    assert (status, body, answer.getheader("Content-Length")) == (200, b"", "14")


def test_the_first_page_lists_the_others_and_escapes_their_names(pages: Pages) -> None:
    status, _, body = ask(pages, "/")
    assert status == 200
    assert b'<a href="wifi.html">wifi</a>' in body
    assert b"<img" not in body and b"evil&lt;img src=x&gt;" in body
    assert b"secret" not in body and b"hidden" not in body and b"link" not in body


def test_an_own_first_page_comes_before_the_list(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("home")
    with Pages(tmp_path).running() as pages:
        assert ask(pages, "/")[2] == b"home"


@pytest.mark.parametrize(
    "target",
    [
        "/../secret.html",
        "/wifi/../../secret.html",
        "/%2e%2e/secret.html",
        "/%2e%2e%2fsecret.html",
        "/..%2fsecret.html",
        "/%252e%252e/secret.html",
        "/..%5csecret.html",
        "/..\\secret.html",
        "/%c0%ae%c0%ae/secret.html",
        "/%ff.html",
        "/../report-2/secret.html",
        "/wifi.html%00.png",
        "/wifi.html/",
        "/wifi.html/../wifi.html",
        "/./wifi.html",
        "/wifi//elbow.png",
        "/link.html",
        "/out/secret.html",
        "/loop.html",
        "/pipe.html",
        "/folder.html",
        "/.hidden.html",
        "/notes.txt",
        "/wifi",
        "/wifi/",
        "/nothing.html",
        "/etc/passwd",
        "http://localhost/wifi.html",
        "*",
        "/" + "a" * 5000 + ".html",
        "/" + "a/" * 2000 + "b.html",
        "/C:/secret.html",
    ],
)
def test_what_is_not_below_the_folder_is_not_there(pages: Pages, target: str) -> None:
    status, _, body = ask(pages, target)
    assert status == 404 and SECRET not in body


@given(st.text(alphabet=st.sampled_from(list("./\\%2efc0wiht ml\0:")), max_size=40))
def test_no_target_leads_out(folder: Path, text: str) -> None:
    found = find_file(folder, "/" + text)
    assert found is None or (found.is_relative_to(folder) and found.read_bytes() != SECRET)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "CONNECT"])
def test_nothing_can_be_changed(pages: Pages, method: str) -> None:
    assert ask(pages, "/wifi.html", method)[0] == 501


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example:80", "", "[::1", "a b"])
def test_a_request_in_another_name_is_refused(pages: Pages, host: str) -> None:
    status, _, body = ask(pages, "/wifi.html", host=host)
    assert status == 421 and b"rooms" not in body


def test_the_names_of_this_machine_are_taken(pages: Pages) -> None:
    for host in ("localhost", f"localhost:{pages.port}", "127.0.0.1:1", "[::1]:80"):
        assert ask(pages, "/wifi.html", host=host)[0] == 200


@pytest.mark.parametrize(
    "request_",
    [
        b"GET\r\n\r\n",
        b"\x00\xff\x16\x03\x01\r\n\r\n",
        b"GET /wifi.html HTTP/9.9\r\n\r\n",
        b"GET /" + b"a" * 70000 + b" HTTP/1.1\r\n\r\n",
        b"GET /wifi.html HTTP/1.1\r\n" + b"X: y\r\n" * 500 + b"\r\n",
        b"GET /wifi.html HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    ],
)
def test_what_is_no_request_gets_no_page(pages: Pages, request_: bytes) -> None:
    assert b"rooms" not in say(pages, request_)
    assert ask(pages, "/wifi.html")[0] == 200


def test_clients_that_say_nothing_do_not_keep_others_out_for_long(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cli.pages._Handler.timeout", 0.3)
    with Pages(folder).running() as pages:
        idle = [socket.create_connection(("127.0.0.1", pages.port)) for _ in range(60)]
        wait_for("a page", lambda: ask(pages, "/wifi.html")[0] == 200)
        for line in idle:
            line.close()


def test_only_this_machine_unless_told_otherwise(folder: Path) -> None:
    pages = Pages(folder)
    assert pages.server_address[0] == "127.0.0.1"
    pages.server_close()
    assert is_loopback("::1") and is_loopback("127.8.8.8") and is_loopback("localhost")
    assert not is_loopback("0.0.0.0") and not is_loopback("example.org")


def test_a_picture_runs_no_script(pages: Pages):
    policies = ask(pages, "/wifi/script.svg")[1].headers.get_all("Content-Security-Policy") or []
    assert "sandbox" in policies and len(policies) == 2
    assert "sandbox" not in str(ask(pages, "/wifi.html")[1].headers)


@pytest.mark.parametrize(
    ("host", "named"),
    [
        ("", "127.0.0.1"),
        ("0.0.0.0", "127.0.0.1"),
        ("::", "[::1]"),
        ("::1", "[::1]"),
        ("localhost", "localhost"),
    ],
)
def test_an_address_of_any_kind_can_stand_in_a_url(host: str, named: str):
    assert in_url(host) == named == urlsplit(f"http://{in_url(host)}:4200/api").netloc[:-5]
