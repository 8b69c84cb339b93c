"""An S3 server in a process of its own on loopback, and a proxy before it that does harm.

store ──▸ Proxy: cuts, loses, alters, delays, refuses ──▸ moto's server
"""

from __future__ import annotations

import contextlib
import http.client
import os
import random
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

BUCKET = "shelf"
KEYS = {
    "AWS_ACCESS_KEY_ID": "somebody",
    "AWS_SECRET_ACCESS_KEY": "nothing",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
}
BUSY = b"<?xml version='1.0'?><Error><Code>SlowDown</Code><Message>slow down</Message></Error>"
DENIED = b"<?xml version='1.0'?><Error><Code>AccessDenied</Code><Message>no</Message></Error>"


@contextlib.contextmanager
def open_server() -> Iterator[int]:
    """moto's server for the length of a `with` block, with an empty bucket; yields its port."""
    root = Path(__file__).parent.parent.parent
    command = [sys.executable, "-m", "tests.engine.s3_server"]
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command, stdin=pipe, stdout=pipe, cwd=root, env={**os.environ, **KEYS}
    ) as child:
        assert child.stdout
        try:
            yield int(child.stdout.readline())
        finally:
            child.kill()


@dataclass
class Fault:
    """One kind of harm to the next requests that match.

    Arguments:
        kind: `busy` (503), `denied` (403), `closed` (before an answer), `lost` (the request is
            obeyed, its answer lost), `cut` (half of the answer arrives), `altered` (a bit of it is
            flipped), `half` (half of what is uploaded arrives), `slow` (the answer takes a while).
        request: a pattern to be found in `METHOD /path`.
        times: how often.
    """

    kind: str
    request: str = "."
    times: int = 1


@dataclass
class Proxy:
    """Stands between a store and the server; its faults may be changed at any time."""

    upstream: int
    faults: list[Fault] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)
    chaos: Callable[[str], str] = lambda request: ""
    harm: list[str] = field(default_factory=list)
    mutex: threading.Lock = field(default_factory=threading.Lock)

    def fail(self, kind: str, request: str = ".", times: int = 1) -> None:
        """Do that harm to the next requests that match."""
        self.faults.append(Fault(kind, request, times))

    def choose(self, request: str) -> str:
        """The harm that is done to a request, empty for none."""
        with self.mutex:
            self.seen.append(request)
            for fault in self.faults:
                if fault.times and re.search(fault.request, request):
                    fault.times -= 1
                    return fault.kind
            if kind := self.chaos(request):
                self.harm.append(kind)
            return kind

    def stormy(self, seed: int, rate: float) -> None:
        """From now on harm that share of all requests, each in some way."""
        dice = random.Random(seed)
        kinds = ["busy", "closed", "lost", "cut", "altered", "half", "slow"]
        self.chaos = lambda request: dice.choice(kinds) if dice.random() < rate else ""

    @property
    def spent(self) -> bool:
        """Whether all the harm that was asked for has been done."""
        return not any(fault.times for fault in self.faults)


@contextlib.contextmanager
def open_proxy(upstream: int) -> Iterator[tuple[Proxy, str]]:
    """A proxy before the server for the length of a `with` block; yields it and its address."""
    proxy = Proxy(upstream)

    class Handler(_Handler):
        behind = proxy

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield proxy, f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    behind: Proxy
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def handle_one_request(self) -> None:
        with contextlib.suppress(OSError, http.client.HTTPException):
            super().handle_one_request()

    def _pass_on(self) -> None:
        self.close_connection = True
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        kind = self.behind.choose(f"{self.command} {self.path}")
        if kind in ("busy", "denied"):
            status, text = (503, BUSY) if kind == "busy" else (403, DENIED)
            self.wfile.write(_head(status, [("Content-Type", "application/xml")], len(text)) + text)
            return
        if kind == "closed":
            return
        if kind == "half" and body:
            self._send_half(body)
            return
        status, headers, answer = self._ask(body)
        if kind == "slow":
            time.sleep(0.3)
        if kind == "lost":
            return
        if kind == "altered" and self.command == "GET" and answer:
            at = len(answer) // 2
            answer = answer[:at] + bytes([answer[at] ^ 1]) + answer[at + 1 :]
            headers = [(n, v) for n, v in headers if "checksum" not in n.lower()]
        length = next((int(v) for n, v in headers if n.lower() == "content-length"), len(answer))
        head = _head(status, [h for h in headers if h[0].lower() not in _OWN], length)
        whole = head + (b"" if self.command == "HEAD" else answer)
        self.wfile.write(whole[: len(head) + len(answer) // 2] if kind == "cut" else whole)

    do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = _pass_on  # noqa: N815 - the base's names

    def _ask(self, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        line = http.client.HTTPConnection("127.0.0.1", self.behind.upstream, timeout=30)
        headers = {n: v for n, v in self.headers.items() if n.lower() not in _OWN}
        try:
            line.request(self.command, self.path, body or None, headers)
            answer = line.getresponse()
            return answer.status, answer.getheaders(), answer.read()
        finally:
            line.close()

    def _send_half(self, body: bytes) -> None:
        with socket.create_connection(("127.0.0.1", self.behind.upstream)) as line:
            head = f"{self.command} {self.path} HTTP/1.1\r\n" + "".join(
                f"{name}: {value}\r\n" for name, value in self.headers.items()
            )
            line.sendall(head.encode() + b"\r\n" + body[: len(body) // 2])

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's own name
        """Say nothing."""


_OWN = ("connection", "transfer-encoding", "content-length", "keep-alive")


def _head(status: int, headers: list[tuple[str, str]], length: int) -> bytes:
    lines = [f"HTTP/1.1 {status} {http.client.responses[status]}"]
    lines += [f"{name}: {value}" for name, value in headers]
    lines += [f"Content-Length: {length}", "Connection: close"]
    return "\r\n".join([*lines, "", ""]).encode()


def _serve() -> None:
    import logging

    from moto.server import ThreadedMotoServer
    from werkzeug.serving import WSGIRequestHandler

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    WSGIRequestHandler.disable_nagle_algorithm = True
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    _, port = server.get_host_and_port()
    line = http.client.HTTPConnection("127.0.0.1", port)
    line.request("PUT", f"/{BUCKET}")
    assert line.getresponse().status == 200
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    _serve()
