"""The stage and the report of a download: without a network, under one key, by known names."""

from __future__ import annotations

import io
import socket
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine import InputError
from tasks import datasets, download
from tasks.datasets import WIFI
from tasks.download import DownloadFailed, download_dataset, fetch, obtain
from tests.tasks.mirrors import TEXT


@pytest.fixture
def no_sockets(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> Any:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.mark.usefixtures("no_sockets")
def test_offline_opens_no_socket() -> None:
    wifi = download_dataset.fn(name="wifi", offline=True)
    assert wifi.suffix == ".txt"
    assert wifi.read_bytes() == TEXT
    mnist = download_dataset.fn(name="mnist", offline=True)
    assert mnist.suffix == ".npz"
    with np.load(io.BytesIO(mnist.read_bytes()), allow_pickle=False) as arrays:
        shapes = {name: arrays[name].shape for name in arrays}
    assert shapes == {
        "x_train": (60_000, 28, 28),
        "y_train": (60_000,),
        "x_test": (10_000, 28, 28),
        "y_test": (10_000,),
    }


@pytest.mark.usefixtures("no_sockets")
def test_fetch_reports_where_the_data_came_from() -> None:
    report = fetch("wifi", offline=True)
    assert report.pop("seconds") >= 0
    assert report == {
        "name": "wifi",
        "source": "bundled",
        "size": 62_000,
        "sha256": WIFI.parts[0][1],
        "failures": [],
    }


def key(**params: Any) -> str:
    return download_dataset.recipe(download_dataset.bind((), params)).key


def test_how_it_is_fetched_does_not_enter_the_key() -> None:
    assert key(name="wifi", offline=True) == key(name="wifi", patience=1.0)
    assert key(name="wifi") != key(name="mnist")


def test_an_unknown_name_is_refused_with_the_known_ones() -> None:
    with pytest.raises(
        InputError, match=r"'wify': there are wifi, mnist, .*; did you mean 'wifi'\?"
    ):
        download_dataset.fn(name="wify", offline=True)


def test_a_set_that_a_package_brings_needs_no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> Any:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket, "socket", refuse)
    report = fetch("digits8x8")
    assert (report["source"], report["failures"]) == ("bundled", [])
    with np.load(
        io.BytesIO(download_dataset.fn(name="digits8x8", offline=True).read_bytes())
    ) as npz:
        assert npz["x"].shape == (1_797, 8, 8)


def test_a_missing_package_is_named_with_the_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (datasets, download):
        monkeypatch.setattr(module, "bundled_path", lambda _: tmp_path / "none.gz")
    with pytest.raises(DownloadFailed, match="apt install dataset-fashion-mnist") as caught:
        obtain(datasets.FASHION_MNIST, offline=True)
    assert "none.gz: No such file" in str(caught.value)
    with pytest.raises(DownloadFailed, match="What to do: install scikit-learn again"):
        obtain(datasets.DIGITS_8X8)
