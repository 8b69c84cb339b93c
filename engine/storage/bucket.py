"""A bucket behind fsspec: few verbs, each tried again for a bounded time, with errors that teach.

What is read is not trusted here: whoever reads compares it with a checksum.
"""

from __future__ import annotations

import itertools
import logging
import os
import random
import re
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

from engine.errors import InputError, StoreError

log = logging.getLogger(__name__)

PATIENCE_SECONDS = 60.0
_TRIES = 9
_LONGEST_PAUSE = 5.0
_CHUNK_BYTES = 16 << 20  # read by one request
_PART_BYTES = 32 << 20  # uploaded by one request; S3 takes 10,000 of them
_URL = re.compile(r"s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])((?:/[A-Za-z0-9_.=-]+)*)/*")

# Whoever may write to the bucket must not choose where files lie on the machines that read it.
_NAME = re.compile(r"(?!.*(?:^|/)\.{1,2}(?:/|$))[A-Za-z0-9_.=-]+(?:/[A-Za-z0-9_.=-]+)*")

# What a server answers although the same request may succeed a moment later.
_PASSING = {
    *("BadDigest", "ConditionalRequestConflict", "IncompleteBody", "InternalError"),
    *("OperationAborted", "RequestTimeout", "ServiceUnavailable", "SlowDown"),
    "XAmzContentSHA256Mismatch",
    "NoSuchUpload",  # it was completed, and the answer was lost
}
_REFUSED = {"PreconditionFailed", "412"}

_CLIENTS: dict[tuple[Any, ...], Any] = {}
_ASKED = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_PROFILE")


@dataclass(frozen=True, slots=True)
class Found:
    """An object of the bucket: its bytes, when it was written on the server's clock, its tag."""

    size: int
    written: float
    tag: str


class Bucket:
    """The objects of a bucket below a prefix, by names like `objects/ab/cdef….npz`.

    Where the server is and who asks it is told as to any client of S3: AWS_ENDPOINT_URL,
    AWS_ACCESS_KEY_ID, AWS_PROFILE and so on.

    Arguments:
        url: `s3://bucket/prefix`.

    Raises:
        InputError: it is no such address.
        StoreError: (every method) the server refused, or could not be reached for a minute.
    """

    def __init__(self, url: str) -> None:
        match = _URL.fullmatch(url)
        parts = match[2].split("/") if match else []
        if match is None or {".", ".."} & set(parts):
            raise InputError(
                f"{url} is no store: expected a folder or s3://bucket/prefix "
                "(letters, digits, and - _ . = in the prefix)"
            )
        self.url = f"s3://{match[1]}{match[2]}"
        self._bucket = match[1]
        self._base = f"{match[1]}{match[2]}"
        self._clock: float | None = None

    def now(self) -> float:
        """The time on the server's clock, in seconds since 1970."""
        if self._clock is None:
            self._clock = self._offset()
        return time.time() + self._clock

    # Reading

    def stat(self, name: str) -> Found | None:
        """What is known of an object without reading it, None if there is none."""
        try:
            found = self._call(name, "info", self._path(name))
        except FileNotFoundError:
            return None
        return _found(found) if found["type"] == "file" else None

    def read(self, name: str) -> bytes:
        """A small object; raises FileNotFoundError."""
        data: bytes = self._call(name, "cat_file", self._path(name))
        return data

    def pieces(self, name: str, size: int) -> Iterator[bytes]:
        """An object of that size piece by piece; a cut connection costs one piece.

        Raises:
            FileNotFoundError: there is none, or it is shorter.
        """
        for start in range(0, size, _CHUNK_BYTES):
            end = min(start + _CHUNK_BYTES, size)
            data: bytes = self._call(name, "cat_file", self._path(name), start=start, end=end)
            if len(data) != end - start:
                raise FileNotFoundError(f"{self.url}/{name} has no bytes {start} to {end}")
            yield data

    def list(self, prefix: str) -> dict[str, Found]:
        """Name → object for all names that begin so, in order; strange names are left out."""
        folder, _, start = prefix.rpartition("/")
        path = self._path(folder)
        try:
            found = self._call(prefix, "find", path, prefix=start, detail=True)
        except FileNotFoundError:
            return {}
        cut = len(self._base) + 1
        return {
            path[cut:]: _found(found[path])
            for path in sorted(found)
            if path.startswith(f"{self._base}/{prefix}") and _NAME.fullmatch(path[cut:])
        }

    # Writing

    def write(self, name: str, data: bytes) -> str:
        """Write a small object, whole or not at all; returns its tag."""
        return _tag(self._call(name, "pipe_file", self._path(name), data))

    def create(self, name: str, data: bytes) -> str | None:
        """Write it unless it is there; returns its tag, or None if it was.

        Whose answer was lost may be told that it was there, too: look at what is there.
        """
        try:
            return _tag(self._call(name, "pipe_file", self._path(name), data, mode="create"))
        except FileExistsError:
            return None

    def replace(self, name: str, data: bytes, tag: str) -> str | None:
        """Write it if it is still what has this tag; returns the new tag, or None if it is not."""
        try:
            return _tag(self._call(name, "pipe_file", self._path(name), data, IfMatch=tag))
        except (FileExistsError, FileNotFoundError):
            return None

    def upload(self, file: Path, name: str, over: bool = False) -> bool:
        """Write an object from a file; False if one was there and it was not to be written over."""
        mode = "overwrite" if over else "create"
        sizes: dict[str, Any] = {"chunksize": _PART_BYTES, "max_concurrency": 2}
        kind = {"ContentType": "application/octet-stream"}  # else it is guessed from the name
        try:
            self._call(name, "put_file", str(file), self._path(name), mode=mode, **sizes, **kind)
        except FileExistsError:
            return False
        return True

    def remove(self, names: Iterable[str]) -> None:
        """Remove objects; what is gone already is no error."""
        paths = [self._path(name) for name in names]
        for batch in (paths[i : i + 1000] for i in range(0, len(paths), 1000)):
            try:
                self._call(f"{len(batch)} objects", "rm", batch)
            except FileNotFoundError:
                continue

    # Parts

    def _path(self, name: str) -> str:
        return f"{self._base}/{name}"

    def _client(self) -> Any:
        """The one of this process for the server and keys that the environment names."""
        asked = (os.getpid(), *(os.environ.get(name) for name in _ASKED))
        if asked not in _CLIENTS:
            import fsspec

            config = {
                "retries": {"total_max_attempts": 1},  # this class tries again, nobody below it
                "connect_timeout": 10,
                "read_timeout": 30,
            }
            try:
                made = fsspec.filesystem(
                    "s3", use_listings_cache=False, skip_instance_cache=True, config_kwargs=config
                )
            except ImportError:
                raise InputError(
                    f"the store {self.url} needs the package s3fs: python -m pip install -e '.[s3]'"
                ) from None
            made.retries = 1
            _CLIENTS[asked] = made
        return _CLIENTS[asked]

    def _offset(self) -> float:
        before = time.time()
        answer = self._call("", "call_s3", "head_bucket", Bucket=self._bucket)
        date = answer["ResponseMetadata"]["HTTPHeaders"].get("date")
        if date is None:
            return 0.0
        # The server tells whole seconds: on average it is half a second later than it says.
        return parsedate_to_datetime(date).timestamp() + 0.5 - (before + time.time()) / 2

    def _call(self, name: str, verb: str, *args: Any, **options: Any) -> Any:
        act: Callable[..., Any] = getattr(self._client(), verb)
        deadline = time.monotonic() + PATIENCE_SECONDS
        for number in itertools.count(1):
            try:
                return act(*args, **options)
            except Exception as error:
                code = _code(error)
                if code in _REFUSED or isinstance(error, FileExistsError):
                    raise FileExistsError(name) from error
                absent = isinstance(error, FileNotFoundError) or code == "InvalidRange"
                if absent and code not in ("NoSuchBucket", "NoSuchUpload"):
                    raise FileNotFoundError(f"{self.url}/{name}") from error
                pause = random.uniform(0.5, 1.0) * min(0.1 * 2**number, _LONGEST_PAUSE)
                late = time.monotonic() + pause > deadline or number == _TRIES
                if late or not _may_pass(error, code):
                    raise self._error(name, error, code, number) from error
                log.debug("%s of %s/%s: %s; once more", verb, self.url, name, error)
                time.sleep(pause)
        raise AssertionError("unreachable")

    def _error(self, name: str, error: Exception, code: str, tries: int) -> StoreError:
        what = f"the store {self.url}"
        if code == "NoSuchBucket":
            return StoreError(f"{what}: there is no bucket {self._bucket}: create it first")
        if isinstance(error, PermissionError) or "Credentials" in type(error).__name__:
            return StoreError(
                f"{what} refuses access to {name or 'the bucket'} ({error}): "
                "check AWS_ACCESS_KEY_ID, AWS_PROFILE and the bucket's policy"
            )
        told = str(error) or type(error).__name__
        return StoreError(
            f"{what} cannot be reached ({told}; {tries} {'try' if tries == 1 else 'tries'}): "
            "check the network and AWS_ENDPOINT_URL; nothing finished is lost, run again"
        )


def _found(info: dict[str, Any]) -> Found:
    return Found(int(info["size"]), info["LastModified"].timestamp(), str(info.get("ETag") or ""))


def _tag(answer: Any) -> str:
    return str((answer or {}).get("ETag", ""))


def _code(error: BaseException) -> str:
    for each in (error, error.__cause__):
        response = getattr(each, "response", None)
        if isinstance(response, dict):
            return str(response.get("Error", {}).get("Code", ""))
    return ""


def _may_pass(error: Exception, code: str) -> bool:
    """Whether the server, or the way to it, may do better the next time."""
    if code:
        return code in _PASSING or code.startswith("5")
    import botocore.exceptions

    if isinstance(error, botocore.exceptions.BotoCoreError):
        broken = (
            botocore.exceptions.HTTPClientError,
            botocore.exceptions.ConnectionError,
            botocore.exceptions.ResponseStreamingError,
        )
        return isinstance(error, broken)
    # Among others aiohttp's: a body that ended early, a connection that was reset.
    return not isinstance(error, TypeError | ValueError | AttributeError | PermissionError)
