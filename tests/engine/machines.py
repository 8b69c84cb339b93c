"""Stores in a bucket: a server for all tests of a process, a prefix for each, and what lies there."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from engine import Store
from engine.storage import bucket
from engine.storage.cached import CachedStorage
from tests.engine.s3_server import BUCKET, KEYS, Proxy, open_proxy, open_server

Machine = Callable[[str], Store]
_NUMBERS = itertools.count()


def there(store: Store) -> CachedStorage:
    assert isinstance(store.storage, CachedStorage)
    return store.storage


def in_bucket(store: Store) -> set[str]:
    return {name for name in there(store).bucket.list("") if not name.startswith("locks/")}


def overwrite(store: Store, name: str, data: bytes) -> None:
    there(store).bucket.write(name, data)


@pytest.fixture(scope="session")
def s3_port() -> Iterator[int]:
    with open_server() as port:
        yield port


@pytest.fixture
def proxy(s3_port: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    """The way to the server; stores opened from now on go through it and lose patience soon."""
    with open_proxy(s3_port) as (found, address):
        for name, value in {**KEYS, "AWS_ENDPOINT_URL": address}.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(bucket, "PATIENCE_SECONDS", 45.0)
        monkeypatch.setattr(bucket, "_LONGEST_PAUSE", 0.1)
        yield found


@pytest.fixture
def url(proxy: Proxy) -> str:
    return f"s3://{BUCKET}/store-{next(_NUMBERS)}"


@pytest.fixture
def machine(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """The store as a machine of that name opens it, with a cache of its own."""

    def open_there(name: str) -> Store:
        monkeypatch.setenv("LATENTFLOW_CACHE", str(tmp_path / name))
        return Store(url)

    return open_there
