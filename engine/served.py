"""Where the report of a store is served: written beside the pages while somebody serves them."""

from __future__ import annotations

import contextlib
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from engine.store import Store

_NAME = "served-at.txt"
_PATIENCE_SECONDS = 1.0


@contextlib.contextmanager
def announce(store: Store, url: str) -> Iterator[None]:
    """Let runs on this store know where its report is served while the block runs.

    Arguments:
        url: of the report's folder; ends with a slash.
    """
    note = store.report / _NAME
    store.write_bytes(note, url.encode())
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            if note.read_text() == url:  # not another one's, who came later
                note.unlink()


def address_of(page: Path, store: Store) -> str:
    """The address of a page of the report, or "" if nobody serves it."""
    try:
        url = (store.report / _NAME).read_text("utf-8")
        place = page.relative_to(store.report).as_posix()
    except (OSError, ValueError):
        return ""
    if not url.startswith("http://") or not url.endswith("/") or any(c.isspace() for c in url):
        return ""
    address = url + quote(place)
    try:
        request = urllib.request.Request(address, method="HEAD")
        # A proxy in the environment must not be asked for this machine.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=_PATIENCE_SECONDS):
            return address
    except (OSError, ValueError):
        return ""
