"""Data sets from the first mirror that serves the right content, the bundled copy last.

Mirrors come first, so that the project also runs where `data/` was left out; a person without a
network loses next to nothing by it: a host that does not answer is asked once, and all mirrors
together have `patience` seconds where a bundled copy can stand in. The bytes are the same either way.
"""

from __future__ import annotations

import hashlib
import logging
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from engine import File, stage
from engine.errors import LatentflowError
from tasks.containers import BadContainer
from tasks.datasets import (
    Dataset,
    Source,
    WrongContent,
    bundled_path,
    canonical_file,
    describe_copy,
    find_dataset,
    read_bundled,
)
from tasks.transfer import NoAnswer, Refused, Transfer

if TYPE_CHECKING:
    from collections.abc import Callable

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Limits:
    """Seconds: `answer` until a host has resolved, connected and sent its headers, and for every
    silence after that; `mirror` for one mirror in all."""

    answer: float = 5.0
    mirror: float = 60.0


@dataclass(frozen=True)
class Obtained:
    """A canonical file, the address it came from, and what failed before that."""

    data: bytes
    source: str
    failures: tuple[str, ...]


class DownloadFailed(LatentflowError):
    """No mirror and no bundled copy had the data set; the message lists what each one did."""


@stage(packages=(), retries=2, retry_delay=2.0, timeout=120, ignore=("offline", "patience"))
def download_dataset(*, name: str = "wifi", offline: bool = False, patience: float = 20.0) -> File:
    """The verified canonical file of a data set: `wifi` a text with CRLF (62,000 bytes), images an
    npz (uint8) with x_train, y_train, x_test, y_test, or x and y where they have no test set.

    Arguments:
        offline: read the bundled copy and open no socket.
        patience: seconds for all mirrors together before the bundled copy is taken.

    Raises DownloadFailed, or InputError for an unknown name.
    """
    dataset = find_dataset(name)
    return File(
        data=obtain(dataset, offline=offline, patience=patience).data, suffix=dataset.suffix
    )


def fetch(name: str, offline: bool = False, patience: float = 20.0) -> dict[str, Any]:
    """Try the sources and report: {name, source, size, sha256 (of the canonical file), seconds,
    failures (one text a source that failed)}; raises as `download_dataset`."""
    started = time.monotonic()
    obtained = obtain(find_dataset(name), offline=offline, patience=patience)
    return {
        "name": name,
        "source": obtained.source,
        "size": len(obtained.data),
        "sha256": hashlib.sha256(obtained.data).hexdigest(),
        "seconds": round(time.monotonic() - started, 3),
        "failures": list(obtained.failures),
    }


def obtain(
    dataset: Dataset, *, offline: bool = False, patience: float = 20.0, limits: Limits = Limits()
) -> Obtained:
    """The canonical file from the first source that has the right content; raises DownloadFailed."""
    failures: list[str] = []
    silent: set[str] = set()
    copy = bundled_path(dataset)
    until = time.monotonic() + (patience if copy and copy.exists() else float("inf"))

    def failed(source: Source, fault: object, level: int = logging.INFO) -> None:
        failures.append(f"{source.title}: {fault}")
        log.log(level, "%s: %s", dataset.name, failures[-1])

    for source in () if offline else dataset.mirrors:
        host = urlsplit(source.files[0].url).netloc
        seconds = min(limits.mirror, until - time.monotonic())
        if host in silent:
            failed(source, f"skipped, {host} did not answer before")
            continue
        if seconds <= 0:
            failed(source, f"skipped, {patience:g} s of patience are used up")
            continue
        try:
            data = _ask(dataset, source, seconds, limits.answer)
        except NoAnswer as error:
            silent.add(host)
            failed(source, error)
        except WrongContent as error:
            failed(source, f"serves something else: {error}", logging.WARNING)
        except (BadContainer, OSError) as error:
            failed(source, error)
        else:
            log.info("%s: content verified, from %s", dataset.name, source.title)
            return Obtained(data, source.title, tuple(failures))
    return _fall_back(dataset, failures, offline)


def _fall_back(dataset: Dataset, failures: list[str], offline: bool) -> Obtained:
    try:
        data = read_bundled(dataset)
    except (OSError, BadContainer, WrongContent) as error:
        place, remedy = describe_copy(dataset)
        fault = error.strerror if isinstance(error, OSError) and error.strerror else error
        failures = [*failures, f"bundled copy {place}".rstrip() + f": {fault}"]
        tried = "".join(f"\n  - {failure}" for failure in failures)
        network = "run again without offline" if offline else "check the network, then run again"
        hints = [network if dataset.mirrors else "", remedy]
        raise DownloadFailed(
            f"{dataset.name}: no source has the data set whose content is known:{tried}\n"
            f"What to do: {', or '.join(filter(None, hints))}"
        ) from error
    mirrors = f"none of {len(dataset.mirrors)} mirrors had it" if dataset.mirrors else "no mirrors"
    why = "offline" if offline else mirrors
    log.info("%s: content verified, from the bundled copy (%s)", dataset.name, why)
    return Obtained(data, "bundled", tuple(failures))


def _ask(dataset: Dataset, source: Source, seconds: float, answer: float) -> bytes:
    """Fetch one source on a thread of its own and stop waiting when its time is over.

    Sockets have no time limit for resolving a name or for headers that drip in; a thread does.
    """
    import pooch  # noqa: F401 - loading it is not the host's time

    answered, finished = threading.Event(), threading.Event()
    outcome: list[bytes | Exception] = []
    deadline = time.monotonic() + seconds

    def work() -> None:
        try:
            outcome.append(_fetch(dataset, source, deadline, answer, answered.set))
        except Exception as error:  # noqa: BLE001 - handed to the thread that waits
            outcome.append(error)
        finally:
            answered.set()
            finished.set()

    threading.Thread(target=work, name=f"download {dataset.name}", daemon=True).start()
    if not answered.wait(min(answer, seconds)):
        raise NoAnswer(f"no answer within {min(answer, seconds):g} s")
    if not finished.wait(deadline - time.monotonic()):
        raise Refused(f"not done after {seconds:.3g} s")
    if isinstance(outcome[0], Exception):
        raise outcome[0]
    return outcome[0]


def _fetch(
    dataset: Dataset, source: Source, deadline: float, answer: float, on_answer: Callable[[], None]
) -> bytes:
    import pooch

    pooch.get_logger().setLevel("WARNING")  # it suggests pinning hashes that are pinned here
    files = []
    with tempfile.TemporaryDirectory(prefix="latentflow-") as scratch:
        for remote in source.files:
            transfer = Transfer(dataset.download_limit, deadline, answer, on_answer)
            known = f"sha256:{remote.sha256}" if remote.sha256 else None
            try:
                path = pooch.retrieve(
                    remote.url, known, fname="file", path=scratch, downloader=transfer
                )
            except ValueError as error:
                raise WrongContent(
                    f"{remote.url}: expected sha256 {remote.sha256}, found {transfer.sha256}"
                ) from error
            files.append(Path(path).read_bytes())
            Path(path).unlink()
    return canonical_file(dataset, source, files)
