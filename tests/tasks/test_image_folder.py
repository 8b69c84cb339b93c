from __future__ import annotations

import logging

import pytest

from tasks.image_files import BadImages
from tasks.image_folder import check_empty, group


def test_the_first_folder_is_the_class_however_deep() -> None:
    names = ["a/1.png", "a/old/2.png", "b <i>/train/3.png"]
    assert group(names) == {"x": list(zip(names, ["a", "a", "b <i>"], strict=True))}


def test_train_and_test_are_a_division() -> None:
    assert group(["Train/a/1.png", "Train/b/2.png", "test/a/3.png"]) == {
        "x": [("Train/a/1.png", "a"), ("Train/b/2.png", "b")],
        "x_test": [("test/a/3.png", "a")],
    }


@pytest.mark.parametrize(
    "names",
    [["train/1.png", "test/2.png"], ["train/a/1.png", "test/2.png"], ["train/a/1.png", "x/2.png"]],
)
def test_classes_may_be_called_train_and_test(names: list[str]) -> None:
    assert set(group(names)) == {"x"}


@pytest.mark.parametrize(
    ("names", "says"),
    [
        ([], r"there is no picture in it \(\.png, \.jpg"),
        (["1.png", "2.png"], "2 pictures, but no sub-folders; make one folder a class"),
        (["a/1.png", "b/2.png", "3.png"], r"1 pictures lie beside the sub-folders \('3.png'\)"),
        (["train/a/1.png", "val/a/2.png"], "look like a division, not like classes"),
        (["train/a/1.png"], "look like a division"),
    ],
)
def test_other_layouts_are_refused_with_a_remedy(names: list[str], says: str) -> None:
    with pytest.raises(BadImages, match=says):
        group(names)


def test_a_class_without_pictures_is_refused_and_what_lies_there_named() -> None:
    with pytest.raises(BadImages, match=r"no picture in 'c' .* are read, there is 'c/1.tif'"):
        check_empty(["c", "a/old", "c/deep"], ["a/notes.txt", "c/1.tif"])
    check_empty(["", "a/old"], [])


def test_files_left_out_are_told_in_one_line(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        check_empty([], ["a/Thumbs.db", "a/notes.txt"])
    assert [r.getMessage() for r in caplog.records] == [
        "2 files are no pictures and left out: 'a/Thumbs.db', 'a/notes.txt'"
    ]
