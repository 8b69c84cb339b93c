from __future__ import annotations

import io
import logging
import shutil
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from engine import File, InputError, Store, load
from engine.session import Session
from tasks.datasets import DIGITS_8X8, FASHION_MNIST, MNIST, bundled_path, read_bundled
from tasks.images import (
    BadImages,
    Images,
    check_images,
    image_options,
    load_images,
    source_images,
)
from tests.tasks.image_samples import (
    LABELS,
    PIXELS,
    RNG,
    SOURCES,
    Data,
    as_folder,
    as_npz,
    pictures,
    run,
    store_source,
)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


@pytest.mark.parametrize("kind", SOURCES)
def test_every_source_gives_the_same_images(store: Store, tmp_path: Path, kind: str) -> None:
    images = run(store, SOURCES[kind](tmp_path))
    classes = images.about["classes"]
    assert classes == ["9", "10", "cat", "dog <b>&amp;"]
    assert (images.about["rows"], images.about["train"], images.about["test"]) == (40, 34, 6)
    assert images.about["shape"] == [12, 12]
    found = {}
    for part in (images.train, images.test):
        assert part["x"].dtype == np.uint8
        assert part["y"].dtype == np.int64
        assert set(part["y"]) == {0, 1, 2, 3}
        for pixels, code in zip(part["x"], part["y"], strict=True):
            found[pixels.tobytes()] = classes[code]
    expected = {pixels.tobytes(): str(label) for pixels, label in zip(PIXELS, LABELS, strict=True)}
    assert found == expected


@pytest.mark.parametrize("kind", SOURCES)
def test_the_check_tells_what_the_stage_will_and_twice_is_the_same(
    store: Store, tmp_path: Path, kind: str
) -> None:
    path = SOURCES[kind](tmp_path)
    told = check_images(path, size=20, name="own")
    raw = store.load(store_source(store, path))
    once, twice = (load_images.fn(raw, size=20, name="own") for _ in range(2))
    assert told.pop("test_classes") == len(set(once.test["y"]))
    assert {name: value for name, value in once.about.items() if name != "mean"} == told
    assert once.about == twice.about
    for name in ("x", "y"):
        np.testing.assert_array_equal(once.train[name], twice.train[name])
        np.testing.assert_array_equal(once.test[name], twice.test[name])


def test_a_renamed_folder_is_cached_and_another_seed_is_not(store: Store, tmp_path: Path) -> None:
    path = as_folder(tmp_path)
    first = run(store, path)
    moved = path.rename(tmp_path / "moved")
    assert pictures.plan(Data(path=str(moved)), store=store).stale == []
    assert len(pictures.plan(Data(path=str(moved), seed=1), store=store).stale) == 1
    (moved / "notes.txt").write_text("no picture")
    assert pictures.plan(Data(path=str(moved)), store=store).stale == []
    shutil.rmtree(store.root)
    again = run(store, moved)
    np.testing.assert_array_equal(first.train["x"], again.train["x"])


def dataset(name: str, **options: Any) -> Images:
    described = {d.name: d for d in (MNIST, FASHION_MNIST, DIGITS_8X8)}[name]
    path = bundled_path(described)
    if path is None or not path.exists():
        pytest.skip(f"{name} is not on this machine")
    raw = File(data=read_bundled(described), suffix=".npz")
    return load_images.fn(raw, **image_options(name), **options)


def test_mnist_keeps_its_own_division_bit_for_bit(tmp_path: Path) -> None:
    data = read_bundled(MNIST)
    path = tmp_path / "mnist.npz"
    path.write_bytes(data)
    images = load_images.fn(File(None, ".npz", path), **image_options("mnist"))
    with np.load(io.BytesIO(data)) as original:
        for part, name in ((images.train, "train"), (images.test, "test")):
            np.testing.assert_array_equal(part["x"], original[f"x_{name}"])
            np.testing.assert_array_equal(part["y"], original[f"y_{name}"])
    assert not images.train["x"].flags.owndata, "60,000 images are mapped, not copied"
    assert images.about["classes"] == list("0123456789")
    assert images.about["split"] == "the data's own"
    assert images.about["mean"] == 33.32


def test_fashion_mnist_runs_the_same_way_with_names() -> None:
    images = dataset("fashion-mnist", limit=600)
    assert images.train["x"].shape == (600, 28, 28)
    assert images.test["x"].shape == (100, 28, 28)
    assert images.about["classes"][images.train["y"][0]] in FASHION_MNIST.classes
    assert set(images.about["sizes"].values()) == {70}


def test_the_8x8_digits_use_the_whole_range() -> None:
    images = dataset("digits8x8", size=8)
    assert (len(images.train["x"]), len(images.test["x"])) == (1_527, 270)
    assert images.train["x"].max() == 255
    larger = dataset("digits8x8")
    assert larger.train["x"].shape[1:] == (28, 28)
    np.testing.assert_array_equal(larger.train["y"], images.train["y"])


def test_no_options_for_tables() -> None:
    with pytest.raises(InputError, match="wifi is no set of images"):
        image_options("wifi")


def test_a_folder_of_colour_photos_of_all_sizes_is_read(store: Store, tmp_path: Path) -> None:
    root = tmp_path / "photos"
    for index, kind in enumerate(["jpg", "webp", "png", "gif", "bmp", "JPEG"] * 2):
        folder = root / ("warm" if index % 2 else "cold")
        folder.mkdir(parents=True, exist_ok=True)
        colour = (220, 90, 20) if index % 2 else (20, 60, 200)
        Image.new("RGB", (40 + index, 30), colour).save(folder / f"{index}.{kind}")
    images = run(store, root, size=28)
    warm = images.about["classes"].index("warm")
    for part in (images.train, images.test):
        brightness = part["x"][:, 14, 14]
        assert (brightness[part["y"] == warm] > brightness[part["y"] != warm].max()).all()


def test_colours_stay_where_they_are_asked_for(tmp_path: Path) -> None:
    for index in range(20):
        folder = tmp_path / "own" / ("red" if index % 2 else "blue")
        folder.mkdir(parents=True, exist_ok=True)
        colour = (200 + index, 20, 30) if index % 2 else (10, 20, 180 + index)
        Image.new("RGB", (30, 20), colour).save(folder / f"{index}.png")
    store = Store(tmp_path / "store")
    with Session(store).active():
        raw: Any = source_images(tmp_path / "own")
        handles: Any = load_images(raw, size=12, colour=True)
        images = Images(*(load(handle) for handle in handles))
    assert images.train["x"].shape[1:] == (12, 12, 3) == tuple(images.about["shape"])
    middle = images.train["x"][:, 6, 6]
    told = [images.about["classes"][code] for code in images.train["y"]]
    assert ["red" if r > b else "blue" for r, _, b in middle.astype(int)] == told
    assert check_images(tmp_path / "own", size=12, colour=True)["shape"] == [12, 12, 3]


def test_train_and_test_folders_are_kept(store: Store, tmp_path: Path) -> None:
    root = as_folder(tmp_path / "test")
    shutil.copytree(root, tmp_path / "all" / "train")
    for label in set(LABELS):
        first = min((root / label).glob("*.png"))
        (tmp_path / "all" / "test" / label).mkdir(parents=True)
        shutil.copy(first, tmp_path / "all" / "test" / label)
    images = run(store, tmp_path / "all")
    assert (images.about["train"], images.about["test"]) == (40, 4)
    assert images.about["split"] == "the data's own"


def test_light_paper_is_noticed(caplog: pytest.LogCaptureFixture) -> None:
    file = io.BytesIO()
    np.savez(file, x=255 - PIXELS // 4, y=LABELS)
    raw = File(data=file.getvalue(), suffix=".npz")
    with caplog.at_level(logging.WARNING):
        dark = load_images.fn(raw, size=12, invert=True)
        assert not caplog.records
        light = load_images.fn(raw, size=12)
    assert "Then set invert" in caplog.text
    np.testing.assert_array_equal(dark.train["x"], 255 - light.train["x"])


def test_too_many_large_images_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tasks import image_sources

    monkeypatch.setattr(image_sources, "MAX_BYTES", 10_000)
    root = as_folder(tmp_path)
    assert check_images(root, size=12)
    with pytest.raises(BadImages, match=r"40 images of 28 × 28 pixels .* lower size, or set limit"):
        check_images(root)
    assert check_images(root, limit=5)


def test_a_folder_is_streamed(store: Store, tmp_path: Path) -> None:
    root = tmp_path / "large"
    for index in range(24):
        folder = root / str(index % 2)
        folder.mkdir(parents=True, exist_ok=True)
        noise = RNG.integers(0, 256, (700, 700, 3), dtype=np.uint8)
        Image.fromarray(noise).save(folder / f"{index}.png", compress_level=0)
    raw = store.load(store_source(store, root))
    tracemalloc.start()
    try:
        load_images.fn(raw)
        assert tracemalloc.get_traced_memory()[1] < 12_000_000, "35 MB of pictures"
    finally:
        tracemalloc.stop()


def test_outside_a_flow_the_stage_works_on_handles(tmp_path: Path) -> None:
    images = load_images(source_images(as_npz(tmp_path)), size=12)  # type: ignore[arg-type]
    assert load(images.about)["rows"] == 40  # type: ignore[arg-type]
