from __future__ import annotations

import dataclasses
import hashlib
import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from engine import InputError
from tasks import datasets
from tasks.datasets import (
    DATASETS,
    MNIST,
    WIFI,
    Dataset,
    WrongContent,
    bundled_path,
    canonical_file,
    find_dataset,
    list_datasets,
    read_bundled,
    verify_bundled,
)

ROOT = Path(__file__).parents[2]
each_dataset = pytest.mark.parametrize("dataset", DATASETS, ids=lambda d: d.name)


@each_dataset
def test_the_catalogue_is_whole(dataset: Dataset) -> None:
    assert find_dataset(dataset.name) is dataset
    for _, sha256 in dataset.parts:
        assert re.fullmatch(r"[0-9a-f]{64}", sha256)
    for mirror in dataset.mirrors:
        assert len(mirror.files) in {1, len(dataset.parts)}
        for remote in mirror.files:
            assert urlsplit(remote.url).scheme == "https"
            assert re.fullmatch(r"([0-9a-f]{64})?", remote.sha256)
    assert len(read_bundled(dataset)) <= dataset.content_limit
    path = bundled_path(dataset)
    assert path is not None
    assert path.stat().st_size <= dataset.download_limit


@each_dataset
def test_the_readme_states_provenance_hashes_and_licence(dataset: Dataset) -> None:
    readme = (ROOT / "data" / "README.md").read_text("utf-8")
    path = bundled_path(dataset)
    assert path is not None
    assert hashlib.sha256(path.read_bytes()).hexdigest() in readme
    assert all(sha256 in readme for _, sha256 in dataset.parts)
    assert dataset.licence in readme
    assert f"`{path.name}`" in readme


def test_git_leaves_the_line_ends_of_the_wifi_file_alone() -> None:
    assert "data/wifi_localization.txt -text" in (ROOT / ".gitattributes").read_text("utf-8")
    assert (ROOT / "data" / "wifi_localization.txt").read_bytes().count(b"\r\n") == WIFI.rows


def test_every_mirror_of_the_specification_is_there_in_order() -> None:
    assert [mirror.title for mirror in MNIST.mirrors] == [
        "https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz",
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
    ]
    assert [mirror.container for mirror in WIFI.mirrors] == ["zip", "text"]


def test_equal_images_are_one_file_for_ever() -> None:
    assert (
        hashlib.sha256(read_bundled(MNIST)).hexdigest()
        == "6b4fddaa762fa7e9d3e65cf3e8aed8737da0bcb26dc863b974356d9ab5273395"
    )


def test_the_list_says_what_a_person_wants_to_know() -> None:
    wifi, mnist = list_datasets()
    assert (wifi["name"], wifi["rows"], wifi["licence"]) == ("wifi", 2_000, "CC BY 4.0")
    assert (wifi["bundled"], wifi["size"]) == (True, 62_000)
    assert wifi["sha256"] == dict(WIFI.parts)
    assert (mnist["name"], mnist["rows"], mnist["bundled"]) == ("mnist", 70_000, True)
    assert set(mnist["sha256"]) == {"x_train", "y_train", "x_test", "y_test"}


@each_dataset
def test_the_bundled_copies_are_verified(dataset: Dataset) -> None:
    report = verify_bundled(dataset.name)
    assert report["ok"], report
    assert report["fault"] == ""
    assert len(report["sha256"]) == 64


@pytest.mark.parametrize("damage", ["bit", "half", "gone"])
def test_damage_is_found_and_the_remedy_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: str
) -> None:
    data = bytearray((ROOT / "data" / "wifi_localization.txt").read_bytes())
    copy = tmp_path / "wifi_localization.txt"
    if damage == "bit":
        data[31_000] ^= 1
    if damage != "gone":
        copy.write_bytes(data[: len(data) // 2] if damage == "half" else data)
    monkeypatch.setattr(datasets, "bundled_path", lambda _: copy)
    report = verify_bundled("wifi")
    assert not report["ok"]
    assert "git checkout data/" in report["fault"]
    assert list_datasets()[0]["bundled"] is (damage != "gone")


def test_a_wrong_hash_names_the_expected_and_the_found() -> None:
    assert WIFI.bundled is not None
    found = hashlib.sha256(b"hello").hexdigest()
    with pytest.raises(WrongContent, match=f"{WIFI.parts[0][1]}, found {found}"):
        canonical_file(WIFI, WIFI.bundled, [b"hello"])


def test_a_set_that_is_not_bundled_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    bare = dataclasses.replace(WIFI, name="bare", bundled=None)
    monkeypatch.setattr(datasets, "DATASETS", (bare,))
    assert list_datasets()[0]["bundled"] is False
    with pytest.raises(InputError, match="bare is not bundled: fetch it"):
        verify_bundled("bare")


def test_unknown_names_are_refused() -> None:
    with pytest.raises(InputError, match="there are wifi, mnist; did you mean 'mnist'"):
        find_dataset("MNIST")
    with pytest.raises(InputError, match=r"there are wifi, mnist$"):
        find_dataset("zzz")
