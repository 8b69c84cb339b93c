"""A small server of the report: whole files below one folder, read-only, and nothing else.

It answers GET and HEAD for files whose suffix is one of a page or figure. A name that is hidden,
climbs up, or leads out of the folder by a link is not there. On a loopback address it also refuses
requests made in another host's name, so that no web page can read the report through the browser.
"""

from __future__ import annotations

import contextlib
import html
import os
import re
import shutil
import stat
import threading
import time
from collections.abc import Iterator
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote, unquote, urlsplit

_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".gif": "image/gif",
    ".webp": "image/webp",
    ".svg": "image/svg+xml",
}
_PART = re.compile(r"[^./\\\x00-\x1f\x7f:][^/\\\x00-\x1f\x7f:]*")
_MOST_CONNECTIONS = 32
_PATIENCE_SECONDS = 10.0


def find_file(folder: Path, target: str) -> Path | None:
    """The file that a request's target names, or None: escaped names are read once, as UTF-8.

    Arguments:
        target: as it stands in the request, e.g. `/wifi.html?x=1`.
    """
    if not target.startswith("/") or target.startswith("//"):
        return None
    try:
        parts = unquote(target.partition("?")[0], errors="strict").split("/")[1:]
    except UnicodeDecodeError:
        return None
    if parts[-1] == "":
        parts[-1] = "index.html"
    if not all(_PART.fullmatch(part) for part in parts):
        return None
    try:
        root = folder.resolve(strict=True)
        path = root.joinpath(*parts).resolve(strict=True)
    except (OSError, RuntimeError, ValueError):
        return None
    inside = path.is_relative_to(root) and not any(
        part.startswith(".") for part in path.relative_to(root).parts
    )
    return path if inside and path.suffix in _TYPES and path.is_file() else None


class Pages(ThreadingHTTPServer):
    """Serves a folder's pages.

    Arguments:
        folder: need not be there yet.
        host, port: the address to bind to; port 0 takes a free one.

    Raises:
        OSError: the address cannot be bound to.
    """

    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self, folder: Path, host: str = "127.0.0.1", port: int = 0) -> None:
        self.folder = folder
        self._places = threading.BoundedSemaphore(_MOST_CONNECTIONS)
        if ":" in host:
            import socket

            self.address_family = socket.AF_INET6
        super().__init__((host, port), _Handler)
        self.host, self.port = host, int(self.server_address[1])
        self.loopback = is_loopback(host)

    @property
    def url(self) -> str:
        """Where a browser on this machine finds the pages; ends with a slash."""
        return f"http://{in_url(self.host)}:{self.port}/"

    @contextlib.contextmanager
    def running(self) -> Iterator[Pages]:
        """Serve from a thread while the block runs."""
        thread = threading.Thread(target=self.serve_forever, args=(0.2,), daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self.shutdown()
            self.server_close()
            thread.join()

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer on a thread; too many at once are turned away."""
        if self._places.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """What the thread does; its place is free afterwards."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._places.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is no event."""


def in_url(host: str) -> str:
    """How a URL names, on this machine, an address that was bound to."""
    host = {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"[{host}]" if ":" in host else host


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach an address."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


class _Handler(BaseHTTPRequestHandler):
    server: Pages
    timeout = _PATIENCE_SECONDS
    server_version = "latentflow"
    sys_version = ""

    def do_GET(self) -> None:
        self._answer(body=True)

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def _answer(self, body: bool) -> None:
        if self.server.loopback and not self._is_for_us():
            self.send_error(HTTPStatus.MISDIRECTED_REQUEST)
            return
        path = find_file(self.server.folder, self.path)
        if path is None:
            if self.path.partition("?")[0] == "/":
                self._send_list(body)
            else:
                self.send_error(HTTPStatus.NOT_FOUND)
            return
        try:
            file = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | os.O_NONBLOCK)
        except OSError:
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        with os.fdopen(file, "rb") as opened:
            self._send(path.suffix, opened, body)

    def _is_for_us(self) -> bool:
        """Whether the request names this machine; a web page's own name led elsewhere does not."""
        try:
            name = urlsplit(f"//{self.headers.get('Host', '')}").hostname
        except ValueError:
            return False
        return bool(name) and is_loopback(str(name))

    def _send(self, suffix: str, file: IO[bytes], body: bool) -> None:
        about = os.fstat(file.fileno())
        if not stat.S_ISREG(about.st_mode):
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        self._head(_TYPES[suffix], about.st_size, about.st_mtime)
        if body:
            shutil.copyfileobj(file, self.wfile)

    def _send_list(self, body: bool) -> None:
        """The pages there are, for a store whose report has no first page."""
        names = sorted(
            path.name
            for path in self.server.folder.glob("*.html")
            if find_file(self.server.folder, "/" + quote(path.name))
        )
        lines = [
            f'<li><a href="{html.escape(quote(n))}">{html.escape(n.removesuffix(".html"))}</a>'
            for n in names
        ]
        page = (
            "<!doctype html><meta charset=utf-8><title>Latentflow</title><h1>Latentflow</h1><ul>"
            + ("".join(lines) or "<li>no report yet: it is written by the first run of a flow")
            + "</ul>"
        ).encode()
        self._head(_TYPES[".html"], len(page), time.time())
        if body:
            self.wfile.write(page)

    def _head(self, type_: str, size: int, changed: float) -> None:
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", type_)
        if type_ == _TYPES[".svg"]:  # a picture may hold a script
            self.send_header("Content-Security-Policy", "sandbox")
        self.send_header("Content-Length", str(size))
        self.send_header("Last-Modified", self.date_time_string(int(changed)))
        self.send_header("Cache-Control", "no-cache")
        self.end_headers()

    def end_headers(self) -> None:
        """Every answer, errors too, tells the browser to trust it with nothing."""
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Referrer-Policy", "no-referrer")
        self.send_header("Cross-Origin-Resource-Policy", "same-origin")
        self.send_header("Content-Security-Policy", "frame-ancestors 'none'; base-uri 'none'")
        super().end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """No line for each request."""
