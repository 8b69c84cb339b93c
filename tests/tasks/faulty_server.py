"""A real HTTP server on this machine whose every address misbehaves in its own way."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Behaviour = Callable[[BaseHTTPRequestHandler], None]


class FaultyServer:
    """Serves `routes` (path -> behaviour) on 127.0.0.1 and counts what was asked in `hits`."""

    def __init__(self) -> None:
        self.routes: dict[str, Behaviour] = {}
        self.hits: list[str] = []
        self.closing = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.hits.append(self.path)
                with contextlib.suppress(OSError):
                    outer.routes.get(self.path, status(404))(self)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._server.block_on_close = False
        self._server.closing = self.closing  # type: ignore[attr-defined]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def add(self, path: str, behaviour: Behaviour) -> str:
        """Let a path behave so; its address."""
        self.routes[path] = behaviour
        return self.address + path

    def __enter__(self) -> FaultyServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _head(request: BaseHTTPRequestHandler, length: int | None, code: int = 200) -> None:
    request.send_response(code)
    if length is not None:
        request.send_header("Content-Length", str(length))
    request.end_headers()


def _closing(request: BaseHTTPRequestHandler, seconds: float) -> bool:
    return bool(request.server.closing.wait(seconds))  # type: ignore[attr-defined]


def serve(body: bytes, *, declared: int | None = None) -> Behaviour:
    """The body, honestly or with another Content-Length (-1: none at all)."""

    def behave(request: BaseHTTPRequestHandler) -> None:
        length = len(body) if declared is None else declared
        _head(request, None if length < 0 else length)
        request.wfile.write(body)

    return behave


def serve_chunked(body: bytes, *, encoding: str = "") -> Behaviour:
    """The body in chunks of HTTP/1.1, on request labelled with a Content-Encoding."""

    def behave(request: BaseHTTPRequestHandler) -> None:
        request.protocol_version = "HTTP/1.1"
        request.close_connection = True
        request.send_response(200)
        request.send_header("Transfer-Encoding", "chunked")
        if encoding:
            request.send_header("Content-Encoding", encoding)
        request.end_headers()
        for start in range(0, len(body), 7_000):
            block = body[start : start + 7_000]
            request.wfile.write(b"%x\r\n%s\r\n" % (len(block), block))
        request.wfile.write(b"0\r\n\r\n")

    return behave


def status(code: int) -> Behaviour:
    """An HTTP error."""
    return lambda request: request.send_error(code)


def cut(body: bytes, after: int) -> Behaviour:
    """Announces the whole body, sends a part and hangs up."""
    return serve(body[:after], declared=len(body))


def drip(body: bytes, pause: float = 0.05) -> Behaviour:
    """A byte at a time: no single wait is ever long."""

    def behave(request: BaseHTTPRequestHandler) -> None:
        _head(request, len(body))
        for byte in body:
            request.wfile.write(bytes([byte]))
            if _closing(request, pause):
                return

    return behave


def drip_headers(pause: float = 0.05) -> Behaviour:
    """Headers that never end."""

    def behave(request: BaseHTTPRequestHandler) -> None:
        request.wfile.write(b"HTTP/1.0 200 OK\r\nX-Patience: ")
        while not _closing(request, pause):
            request.wfile.write(b"x")

    return behave


def endless(*, declared: int | None = None, code: int = 200, location: str = "") -> Behaviour:
    """A body without end, and without or with a lying Content-Length."""

    def behave(request: BaseHTTPRequestHandler) -> None:
        request.send_response(code)
        if declared is not None:
            request.send_header("Content-Length", str(declared))
        if location:
            request.send_header("Location", location)
        request.end_headers()
        while not _closing(request, 0):
            request.wfile.write(b"\0" * 65_536)

    return behave


def silent() -> Behaviour:
    """Takes the request and says nothing."""

    def behave(request: BaseHTTPRequestHandler) -> None:
        _closing(request, 30)

    return behave


def redirect(location: str) -> Behaviour:
    """Sends on to another address."""

    def behave(request: BaseHTTPRequestHandler) -> None:
        request.send_response(302)
        request.send_header("Location", location)
        request.end_headers()

    return behave


def late(behaviour: Behaviour, seconds: float) -> Behaviour:
    """The same, but only after a while."""

    def behave(request: BaseHTTPRequestHandler) -> None:
        time.sleep(seconds)
        behaviour(request)

    return behave
