from __future__ import annotations

import dataclasses
import hashlib
import io
import re
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest

from engine import InputError
from tasks import datasets
from tasks.datasets import (
    DATASETS,
    DIGITS_8X8,
    FASHION_MNIST,
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
IN_DATA = [WIFI, MNIST]
PACKAGED = [FASHION_MNIST, DIGITS_8X8]
each_dataset = pytest.mark.parametrize("dataset", DATASETS, ids=lambda d: d.name)
each_in_data = pytest.mark.parametrize("dataset", IN_DATA, ids=lambda d: d.name)
each_packaged = pytest.mark.parametrize("dataset", PACKAGED, ids=lambda d: d.name)


def there(dataset: Dataset) -> Path:
    """The copy on this machine; skips the test where its package is not installed."""
    path = bundled_path(dataset)
    assert path is not None
    if not path.exists() and dataset is FASHION_MNIST:
        pytest.skip("Debian's package dataset-fashion-mnist is not installed")
    return path


@each_dataset
def test_the_catalogue_is_whole(dataset: Dataset) -> None:
    assert find_dataset(dataset.name) is dataset
    for _, sha256 in dataset.parts:
        assert re.fullmatch(r"[0-9a-f]{64}", sha256)
    for mirror in dataset.mirrors:
        assert len(mirror.files) in {1, len(dataset.parts)}
        for remote in mirror.files:
            assert urlsplit(remote.url).scheme == "https" or remote.sha256
            assert re.fullmatch(r"([0-9a-f]{64})?", remote.sha256)
    path = there(dataset)
    assert len(read_bundled(dataset)) <= dataset.content_limit
    assert path.stat().st_size <= dataset.download_limit


@each_dataset
def test_the_readme_states_content_and_licence(dataset: Dataset) -> None:
    readme = (ROOT / "data" / "README.md").read_text("utf-8")
    assert all(sha256 in readme for _, sha256 in dataset.parts)
    assert dataset.licence in readme
    assert f"`{dataset.name}`" in readme or dataset in IN_DATA


@each_in_data
def test_the_readme_states_the_hash_of_the_bundled_file(dataset: Dataset) -> None:
    readme = (ROOT / "data" / "README.md").read_text("utf-8")
    path = bundled_path(dataset)
    assert path is not None
    assert hashlib.sha256(path.read_bytes()).hexdigest() in readme
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
        == "ab8b754aec6d1875390a396bb2e61bc580ae0d801be531449a979965342a279c"
    )


def test_the_list_says_what_a_person_wants_to_know() -> None:
    wifi, mnist, *others = list_datasets()
    assert [row["name"] for row in others] == ["fashion-mnist", "digits8x8"]
    for row, dataset in zip(others, PACKAGED, strict=True):
        path = bundled_path(dataset)
        assert row["bundled"] is (path is not None and path.exists())
        assert (row["size"] is not None) is row["bundled"]
    assert (wifi["name"], wifi["rows"], wifi["licence"]) == ("wifi", 2_000, "CC BY 4.0")
    assert (wifi["bundled"], wifi["size"]) == (True, 62_000)
    assert wifi["sha256"] == dict(WIFI.parts)
    assert (mnist["name"], mnist["rows"], mnist["bundled"]) == ("mnist", 70_000, True)
    assert set(mnist["sha256"]) == {"x_train", "y_train", "x_test", "y_test"}


@each_dataset
def test_the_bundled_copies_are_verified(dataset: Dataset) -> None:
    there(dataset)
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
    with pytest.raises(InputError, match=r"there are wifi, mnist, .*; did you mean 'mnist'"):
        find_dataset("MNIST")
    with pytest.raises(InputError, match=r"there are wifi, mnist, fashion-mnist, digits8x8$"):
        find_dataset("zzz")


@each_packaged
def test_a_copy_that_a_package_should_bring_says_which(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dataset: Dataset
) -> None:
    monkeypatch.setattr(datasets, "bundled_path", lambda _: tmp_path / "none")
    assert not next(r for r in list_datasets() if r["name"] == dataset.name)["bundled"]
    with pytest.raises(InputError, match=r"is not bundled: .*install") as caught:
        verify_bundled(dataset.name)
    assert dataset.bundled is not None
    assert str(caught.value).endswith(dataset.bundled.remedy)


@each_packaged
def test_damage_in_a_package_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dataset: Dataset
) -> None:
    path = there(dataset)
    for file in path.parent.glob(path.name if dataset is DIGITS_8X8 else "*.gz"):
        (tmp_path / file.name).write_bytes(file.read_bytes()[:-9])
    monkeypatch.setattr(datasets, "bundled_path", lambda _: tmp_path / path.name)
    report = verify_bundled(dataset.name)
    assert not report["ok"]
    assert "not a whole gzip file" in report["fault"]


def test_the_8x8_digits_are_those_of_scikit_learn() -> None:
    from sklearn.datasets import load_digits

    expected = load_digits()
    with np.load(io.BytesIO(read_bundled(DIGITS_8X8))) as found:
        np.testing.assert_array_equal(found["x"], expected.images)
        np.testing.assert_array_equal(found["y"], expected.target)
    assert DIGITS_8X8.white == expected.images.max()


def test_fashion_mnist_is_what_its_publisher_packed() -> None:
    there(FASHION_MNIST)
    with np.load(io.BytesIO(read_bundled(FASHION_MNIST))) as found:
        assert found["x_train"].shape == (60_000, 28, 28)
        assert found["x_test"].shape == (10_000, 28, 28)
        assert np.bincount(found["y_train"]).tolist() == [6_000] * len(FASHION_MNIST.classes)
