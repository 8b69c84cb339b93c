from __future__ import annotations

import io
import logging
import shutil
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from engine import File, InputError, Store
from tasks.images import BadImages, check_images, load_images
from tests.tasks.image_samples import LABELS, PIXELS, as_folder, as_npz, run, save
from tests.tasks.test_image_files import huge_png


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def _broken(name: str, data: bytes) -> Callable[[Path], object]:
    return lambda root: (root / "cat" / name).write_bytes(data)


def _bomb(root: Path) -> None:
    (root / "cat" / "bomb.png").write_bytes(huge_png(60_000, 60_000))


def _sparse(root: Path) -> None:
    with (root / "cat" / "big.bmp").open("wb") as file:
        file.truncate(2 << 30)


def _cut(root: Path) -> None:
    file = io.BytesIO()
    Image.fromarray(np.kron(PIXELS[0], np.ones((9, 9), np.uint8))).save(file, "JPEG")
    (root / "cat" / "cut.jpg").write_bytes(file.getvalue()[:-300])


def _single(root: Path) -> None:
    (root / "rare").mkdir()
    shutil.copy(min((root / "cat").glob("*")), root / "rare")


def _keep_one_class(root: Path) -> None:
    for label in set(LABELS) - {"cat"}:
        shutil.rmtree(root / label)


def _empty(root: Path) -> None:
    shutil.rmtree(root)
    root.mkdir()


def _flatten(root: Path) -> None:
    for path in list(root.glob("*/*.png")):
        path.rename(root / path.name)
    for path in list(root.iterdir()):
        if path.is_dir():
            path.rmdir()


FAULTS: dict[str, tuple[Callable[[Path], Any], str]] = {
    "broken png": (_broken("bad.png", b"\x89PNG\r\n\x1a\nrubbish"), r"cat/bad\.png: "),
    "text": (
        _broken("text.png", b"hello"),
        r"cat/text\.png: this is no picture, it starts with 'hello'",
    ),
    "empty file": (_broken("none.gif", b""), r"cat/none\.gif: the file is empty"),
    "truncated jpeg": (_cut, r"cat/cut\.jpg: damaged or cut off \(.*truncated"),
    "bomb": (_bomb, r"cat/bomb\.png: its header asks for too much"),
    "2 GB": (_sparse, r"cat/big\.bmp has 2,147,483,648 bytes, limit"),
    "one image": (_single, "1 of 5 classes have one image only .'rare'."),
    "one class": (_keep_one_class, "one class only"),
    "no sub-folders": (_flatten, "40 pictures, but no sub-folders"),
    "empty class": (lambda r: (r / "new").mkdir(), "no picture in 'new'"),
    "loose": (
        lambda r: shutil.copy(r / "cat" / "000.png", r),
        "lie beside the sub-folders .'000.png'.",
    ),
    "link": (lambda r: (r / "cat" / "l.png").symlink_to("/etc/hostname"), "outside the folder"),
    "nothing": (_empty, "there is no picture in it"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_faulty_folder_is_refused_before_any_stage(
    store: Store, tmp_path: Path, name: str
) -> None:
    root = as_folder(tmp_path)
    spoil, says = FAULTS[name]
    spoil(root)
    tracemalloc.start()
    try:
        with pytest.raises(InputError, match=says) as caught:
            run(store, root)
        assert tracemalloc.get_traced_memory()[1] < 80_000_000
    finally:
        tracemalloc.stop()
    assert str(root) in str(caught.value)
    assert not list(store.root.glob("objects/*/*"))
    assert not list(store.root.glob("runs/*/*"))


def test_all_broken_pictures_are_listed_at_once(tmp_path: Path) -> None:
    root = as_folder(tmp_path)
    for index in range(3):
        (root / "cat" / f"bad{index}.png").write_bytes(b"x")
    with pytest.raises(BadImages) as caught:
        check_images(root)
    assert [line.split(":")[0] for line in str(caught.value).splitlines()[1:4]] == [
        f"  - cat/bad{index}.png" for index in range(3)
    ]
    for index in range(30):
        (root / "cat" / f"bad{index}.png").write_bytes(b"x")
    with pytest.raises(BadImages, match="and more"):
        check_images(root)


def test_litter_is_ignored_with_one_line(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    root = as_folder(tmp_path)
    for name in (".DS_Store", "Thumbs.db", "cat/.DS_Store", "cat/Thumbs.db", "cat/._000.png"):
        (root / name).write_bytes(b"x")
    (root / "__MACOSX" / "cat").mkdir(parents=True)
    (root / "__MACOSX" / "cat" / "000.png").write_bytes(b"x")
    with caplog.at_level(logging.INFO):
        assert check_images(root)["rows"] == 40
    (line,) = [record.getMessage() for record in caplog.records]
    assert line == "2 files are no pictures and left out: 'Thumbs.db', 'cat/Thumbs.db'"


FILES: dict[str, tuple[dict[str, Any], str]] = {
    "counts": ({"x": PIXELS, "y": LABELS[:-1]}, "x has 40 images and y 39 labels"),
    "test counts": (
        {"x": PIXELS, "y": LABELS, "x_test": PIXELS, "y_test": LABELS[1:]},
        "x_test has 40 images and y_test 39 labels",
    ),
    "objects": ({"x": PIXELS, "y": LABELS.astype(object)}, "pickle: refused"),
    "nan": ({"x": np.where(PIXELS == 0, np.nan, PIXELS), "y": LABELS}, "holds NaN"),
    "negative": ({"x": PIXELS.astype(int) - 1, "y": LABELS}, "holds -1"),
    "too bright": ({"x": PIXELS * 2.0, "y": LABELS}, "pixels are 0 to 255"),
    "one class": ({"x": PIXELS, "y": np.zeros(40)}, "one class only"),
    "single": ({"x": PIXELS, "y": np.arange(40) // 39}, "one image only .'1'."),
}


@pytest.mark.parametrize("name", FILES)
def test_a_faulty_npz_is_refused_before_any_stage(store: Store, tmp_path: Path, name: str) -> None:
    arrays, says = FILES[name]
    path = save(tmp_path / "own.npz", **arrays)
    with pytest.raises(BadImages, match=says) as caught:
        run(store, path)
    assert str(caught.value).startswith(f"{path}: ")
    assert not store.root.exists()


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("none.npz", "no such file or folder"),
        ("none", "no such file or folder"),
        ("a.png", r"images come as \.npz, \.csv"),
        ("a.zip", "one sub-folder a class, not as .zip"),
        ("a", "a file without suffix"),
        ("a.folder", "no packed folder"),
    ],
)
def test_other_files_are_refused_with_what_is_read(tmp_path: Path, name: str, says: str) -> None:
    if not name.startswith("none"):
        (tmp_path / name).write_bytes(b"x")
    with pytest.raises(InputError, match=says):
        check_images(tmp_path / name)


@pytest.mark.parametrize("single", ["x", "y"])
def test_a_single_value_is_no_array_of_images_or_labels(tmp_path: Path, single: str) -> None:
    arrays: dict[str, Any] = {"x": np.zeros((6, 8, 8), np.uint8), "y": np.arange(6) % 2}
    np.savez(tmp_path / "own.npz", **{**arrays, single: np.array(5)})
    with pytest.raises(BadImages, match=rf"own\.npz: {single} is a single value, shape \(\)"):
        check_images(tmp_path / "own.npz")


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"size": 3}, "size = 3: expected 4 to 256"),
        ({"size": 257}, "size = 257"),
        ({"test_fraction": 1.0}, "test_fraction = 1.0: expected more than 0 and less than 1"),
        ({"white": 0.0}, "white = 0.0: expected more than 0"),
        ({"white": float("nan")}, "white = nan"),
        ({"limit": 1}, "limit = 1: expected at least 2"),
        ({"limit": 3}, "limit = 3: expected at least one image for 4 classes"),
        ({"seed": -1}, "seed = -1"),
        ({"height": 0}, "height = 0"),
    ],
)
def test_impossible_parameters_name_the_value_and_the_range(
    tmp_path: Path, options: dict[str, Any], says: str
) -> None:
    path = as_npz(tmp_path)
    with pytest.raises(InputError, match=says):
        check_images(path, **options)
    with pytest.raises(InputError, match=says):
        load_images.fn(File(None, ".npz", path), **options)
