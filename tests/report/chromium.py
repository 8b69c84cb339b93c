"""Headless Chromium, driven over its own debugging protocol: what a page logs, asks for, shows."""

from __future__ import annotations

import base64
import contextlib
import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from websockets.sync.client import connect

from tests.waiting import PATIENCE, wait_for

if TYPE_CHECKING:
    from websockets.sync.connection import Connection

PROGRAM = shutil.which("chromium") or shutil.which("chromium-browser")
_QUIET = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    # Keys and clicks that come before the first picture are heard, and no page sleeps.
    "--allow-pre-commit-input",
    "--disable-renderer-backgrounding",
    "--disable-background-timer-throttling",
    "--remote-debugging-port=0",
)


class _Gone(Exception):
    """The page went away while it was asked: another one comes."""


class Tab:
    """One page in the browser; events are kept in `events`."""

    def __init__(self, socket: Connection) -> None:
        self._socket = socket
        self._number = 0
        self.events: list[dict[str, Any]] = []

    def send(self, method: str, **params: Any) -> dict[str, Any]:
        """Call a method of the protocol and return its result.

        Raises:
            _Gone: the page that was asked went away meanwhile.
        """
        self._number += 1
        self._socket.send(json.dumps({"id": self._number, "method": method, "params": params}))
        while True:
            message = json.loads(self._socket.recv(timeout=PATIENCE))
            if message.get("id") == self._number:
                text = message.get("error", {}).get("message", "")
                if "context" in text or "navigated" in text:
                    raise _Gone(text)
                assert not text, message
                return dict(message["result"])
            self.events.append(message)

    def open(
        self, page: Path | str, width: int = 1200, dark: bool = False, height: int = 900
    ) -> None:
        """Open a file or an address and wait until its page stands in the place of the last one."""
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.send(f"{domain}.enable")
        phone = width < 600
        self.send(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=2 if phone else 1,
            mobile=phone,
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.send("Emulation.setEmulatedMedia", features=[scheme])
        address = page.as_uri() if isinstance(page, Path) else page
        self.wait("window.isLast = true")
        self.send("Page.navigate", url=address)
        self.wait("!window.isLast && document.readyState === 'complete'")

    def wait(self, condition: str) -> Any:
        """Wait until a JavaScript expression is true, whatever becomes of the page; its value then."""
        said = ""

        def value() -> Any:
            nonlocal said
            try:
                return self.evaluate(condition)
            except (_Gone, AssertionError) as error:  # an element that is not there yet
                said = f": {error}"

        try:
            return wait_for(condition, value)
        except AssertionError as error:
            raise AssertionError(f"{error}{said}") from None

    def evaluate(self, script: str) -> Any:
        """The value of a JavaScript expression."""
        result = self.send(
            "Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in result, result["exceptionDetails"]
        return result["result"].get("value")

    def press(self, key: str, code: int) -> None:
        """Press and release a key."""
        for kind in ("keyDown", "keyUp"):
            self.send(
                "Input.dispatchKeyEvent",
                type=kind,
                key=key,
                code=key,
                windowsVirtualKeyCode=code,
                text="\r" if key == "Enter" and kind == "keyDown" else "",
            )

    def screenshot(self, path: Path, whole: bool = True) -> None:
        """Save what is shown as PNG; `whole` takes all of the page, not only the window."""
        shot = self.send("Page.captureScreenshot", captureBeyondViewport=whole)
        path.write_bytes(base64.b64decode(shot["data"]))

    def complaints(self) -> list[str]:
        """Errors and warnings on the console, and exceptions."""
        found = []
        for event in self.events:
            what = event.get("params", {})
            if event.get("method") == "Runtime.exceptionThrown":
                found.append(json.dumps(what["exceptionDetails"]))
            elif event.get("method") == "Runtime.consoleAPICalled":
                found.append(json.dumps(what["args"]))
            elif event.get("method") == "Log.entryAdded":
                found.append(what["entry"]["text"])
        return found

    def requests(self) -> list[str]:
        """Addresses that the page asked for."""
        return [
            event["params"]["request"]["url"]
            for event in self.events
            if event.get("method") == "Network.requestWillBeSent"
        ]


@contextlib.contextmanager
def browse(profile: Path) -> Iterator[Tab]:
    """A running browser with an empty profile in this new folder; ended with the block."""
    assert PROGRAM is not None
    command = [PROGRAM, *_QUIET, f"--user-data-dir={profile}", "about:blank"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            with connect(_address(profile, process), max_size=None, proxy=None) as socket:
                yield Tab(socket)
        finally:
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()


def _address(profile: Path, process: subprocess.Popen[bytes]) -> str:
    """The address of the first tab, once the browser says its port."""
    from urllib.request import ProxyHandler, build_opener

    note = profile / "DevToolsActivePort"

    def found() -> str:
        assert process.poll() is None, f"Chromium ended with status {process.returncode}"
        with contextlib.suppress(ValueError, IndexError, StopIteration):
            port = note.read_text("utf-8").split()[0]
            # A proxy in the environment must not be asked for this machine.
            ask = build_opener(ProxyHandler({})).open
            with ask(f"http://127.0.0.1:{port}/json", timeout=30) as answer:
                tabs = json.load(answer)
            return str(next(t for t in tabs if t["type"] == "page")["webSocketDebuggerUrl"])
        return ""

    return str(wait_for("Chromium", found))
