"""One file over HTTP, cut off at a size, at a time, and after a few redirects."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable

    import requests

_REDIRECTS = 5
_BLOCK_BYTES = 1 << 16


class NoAnswer(OSError):
    """A host that could not be reached; its other mirrors are not asked."""


class Refused(OSError):
    """A host that answered, but not with a whole file in time and within its size."""


class Transfer:
    """A downloader for pooch that streams one file and knows when to stop.

    Arguments:
        limit: bytes that the file may have.
        deadline: when it must be there, on the clock of `time.monotonic`.
        answer: seconds to connect, and that the server may be silent.
        on_answer: called when headers have come.

    After a call `sha256` is that of the file. Raises NoAnswer or Refused.
    """

    def __init__(
        self, limit: int, deadline: float, answer: float, on_answer: Callable[[], None]
    ) -> None:
        self.limit, self.deadline, self.answer = limit, deadline, answer
        self.on_answer = on_answer
        self.sha256 = ""

    def __call__(self, url: str, output_file: str, _pooch: object = None) -> None:
        import requests
        import urllib3

        with requests.Session() as session:
            # Redirects are followed in _open: requests, even when told not to follow, first reads
            # the redirect's body whole, however long it is.
            session.get_redirect_target = lambda _: None  # type: ignore[method-assign, assignment]
            try:
                with self._open(session, url) as response, Path(output_file).open("wb") as file:
                    self._copy(response, file.write)
            except requests.exceptions.ConnectionError as error:
                raise NoAnswer(f"cannot connect: {_innermost(error)}") from error
            except requests.exceptions.Timeout as error:
                raise NoAnswer(f"no answer within {self.answer:g} s") from error
            except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
                raise Refused(f"{_innermost(error)}") from error

    def _open(self, session: requests.Session, url: str) -> requests.Response:
        for _ in range(_REDIRECTS + 1):
            if urlsplit(url).scheme not in {"http", "https"}:
                raise Refused(f"redirected to {url}: only http and https are followed")
            response = session.get(
                url,
                stream=True,
                allow_redirects=False,
                timeout=(self.answer, self.answer),
                headers={"Accept-Encoding": "identity"},
            )
            self.on_answer()
            if not response.is_redirect:
                if response.status_code != 200:
                    response.close()
                    raise Refused(f"HTTP {response.status_code} {response.reason}")
                return response
            response.close()
            url = urljoin(url, response.headers["location"])
        raise Refused(f"more than {_REDIRECTS} redirects")

    def _copy(self, response: requests.Response, write: Callable[[bytes], object]) -> None:
        declared = response.headers.get("content-length", "")
        if declared.isdecimal() and int(declared) > self.limit:
            raise Refused(f"announces {int(declared):,} bytes, limit {self.limit:,}")
        received, sha256 = 0, hashlib.sha256()
        # read1 hands over what is there: a full block would let a drip outwait the deadline.
        # Not decoded: a .gz that is also labelled as such must stay the file whose hash is known.
        while block := response.raw.read1(_BLOCK_BYTES, decode_content=False):
            received += len(block)
            if received > self.limit:
                raise Refused(f"sends more than {self.limit:,} bytes")
            if time.monotonic() > self.deadline:
                raise Refused(f"too slow: {received:,} bytes when the time was over")
            sha256.update(block)
            write(block)
        self.sha256 = sha256.hexdigest()


def _innermost(error: BaseException) -> str:
    """The plain cause in requests' and urllib3's nested errors."""
    while True:
        inner = getattr(error, "reason", None) or next(
            (arg for arg in error.args if isinstance(arg, BaseException)), None
        )
        if not isinstance(inner, BaseException):
            text = f"{error}" or type(error).__name__
            # urllib3 names its connection object first.
            return text.partition("): ")[2] if text.startswith("HTTP") and "): " in text else text
        error = inner
