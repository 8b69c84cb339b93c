"""Labels of images: their text, their classes, and which images are for training and for testing."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from engine import InputError
from tasks.image_files import BadImages

if TYPE_CHECKING:
    import numpy as np


_LENGTH = 255  # as a folder's name may have


class Division(NamedTuple):
    """Which images are used: positions in their part, sorted, and the class of each (int64).

    Where the data has no test part, `test` counts in the training part too.
    """

    classes: list[str]
    train: np.ndarray
    train_codes: np.ndarray
    test: np.ndarray
    test_codes: np.ndarray


def to_texts(values: np.ndarray, name: str) -> np.ndarray:
    """Labels (n,) of numbers, text or bytes as text; raises BadImages that names the position."""
    import numpy as np

    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim != 1:
        hint = f"; of one-hot labels keep {name}.argmax(1)" if values.ndim == 2 else ""
        raise BadImages(f"{name}: one label an image expected, found shape {values.shape}{hint}")
    if values.dtype.kind in "SU":
        check_length(int(np.char.str_len(values).max(initial=0)), name)
    if values.dtype.kind == "S":
        try:
            values = np.char.decode(values, "utf-8")
        except UnicodeDecodeError as error:
            raise BadImages(
                f"{name}: labels in bytes are UTF-8, not so {error.object!r}"
            ) from error
    if values.dtype.kind == "f":
        strange = np.flatnonzero(~np.isfinite(values) | (values != np.rint(values)))
        if strange.size:
            raise BadImages(
                f"{name}: label {strange[0] + 1} is {values[strange[0]]}; whole numbers or text "
                f"expected ({strange.size:,} such labels)"
            )
        values = values.astype(np.int64)
    if values.dtype.kind not in "biuU":
        raise BadImages(f"{name}: labels are numbers or text, not {values.dtype}")
    texts = np.char.strip(values.astype(np.str_))
    empty = np.flatnonzero(texts == "")
    if empty.size:
        raise BadImages(f"{name}: label {empty[0] + 1} is empty ({empty.size:,} such labels)")
    return texts


def check_length(longest: int, name: str) -> None:
    """Refuse labels that are no names: an array of text is as wide as its longest."""
    if longest > _LENGTH:
        raise BadImages(
            f"{name}: a label has {longest:,} characters, limit {_LENGTH}; are these the labels?"
        )


def divide(
    train: np.ndarray,
    test: np.ndarray | None,
    *,
    class_names: dict[str, str],
    test_fraction: float,
    seed: int,
    limit: int | None,
) -> Division:
    """Classes in natural order of their labels, and a division into training and test images.

    Arguments:
        train: (n,) labels as text, of all images where there is no test part.
        test: (m,) labels of the data's own test part, or None: then `test_fraction` of each class,
            at least one image and never all, is drawn by `seed`.
        class_names: label → name to show; where given, for every label.
        limit: the most training images; the test images are cut in proportion, and what stays is
            drawn by `seed` in the proportions of the classes.

    Raises:
        BadImages: fewer than two classes, a class with too few images, a label without a name.
    """
    import numpy as np

    given = test is not None
    texts = np.concatenate([train, test]) if test is not None else train
    raw, inverse = np.unique(texts, return_inverse=True)
    order = sorted(range(len(raw)), key=lambda index: _natural(str(raw[index])))
    unnamed = [str(raw[index]) for index in order if str(raw[index]) not in class_names]
    if class_names and unnamed:
        raise BadImages(f"class_names has no name for the label {listing(unnamed)}")
    names = [class_names.get(str(raw[index]), str(raw[index])) for index in order]
    classes = list(dict.fromkeys(names))
    place = {name: code for code, name in enumerate(classes)}
    code_of = np.empty(len(raw), np.int64)
    code_of[order] = [place[name] for name in names]
    codes = code_of[inverse.reshape(-1)]
    _check_classes(classes, codes[: len(train)], 1 if given else 2)
    if given:
        parts = [codes[: len(train)], codes[len(train) :]]
        positions = [np.arange(len(part)) for part in parts]
        if not len(parts[1]):
            raise BadImages("the test part has no images")
    else:
        count = round(test_fraction * len(codes))
        chosen = draw(codes, min(max(count, len(classes)), len(codes) - len(classes)), seed)
        rest = np.ones(len(codes), bool)
        rest[chosen] = False
        positions = [np.flatnonzero(rest), chosen]
        parts = [codes[places] for places in positions]
    if limit is not None and limit < len(parts[0]):
        if limit < len(classes):
            raise InputError(
                f"limit = {limit}: expected at least one image for {len(classes)} classes"
            )
        share = max(len(np.unique(parts[1])), round(len(parts[1]) * limit / len(parts[0])))
        kept = [draw(part, n, seed) for part, n in zip(parts, (limit, share), strict=True)]
        positions = [places[keep] for places, keep in zip(positions, kept, strict=True)]
        parts = [part[keep] for part, keep in zip(parts, kept, strict=True)]
    return Division(classes, positions[0], parts[0], positions[1], parts[1])


def draw(codes: np.ndarray, count: int, seed: int) -> np.ndarray:
    """`count` sorted positions drawn in the proportions of the classes: of every class one at least
    and, where `count` allows and it has two, one left; count ≥ number of classes."""
    import numpy as np

    order = np.random.default_rng(seed).permutation(len(codes))
    order = order[np.argsort(codes[order], kind="stable")]
    _, starts, sizes = np.unique(codes[order], return_index=True, return_counts=True)
    size = np.repeat(sizes, sizes)
    rank = np.arange(len(codes)) - np.repeat(starts, sizes)
    turn = (rank + 0.5) / size  # equal shares of all classes come up to the same turn
    turn[rank == size - 1] = 2.0
    turn[rank == 0] = -1.0
    return np.sort(order[np.argsort(turn, kind="stable")[:count]])


def listing(names: list[str]) -> str:
    """Names for a message: quoted, the first ten, each on one line and not too long."""
    shown = ", ".join(repr(name if len(name) <= 40 else f"{name[:39]}…") for name in names[:10])
    return shown + (f" and {len(names) - 10} more" if len(names) > 10 else "")


def _check_classes(classes: list[str], codes: np.ndarray, least: int) -> None:
    import numpy as np

    if len(classes) < 2:
        raise BadImages(f"there is one class only ({listing(classes)}), at least 2 are needed")
    sizes = np.bincount(codes, minlength=len(classes))
    small = [name for name, size in zip(classes, sizes, strict=True) if size < least]
    if small and least == 2:
        raise BadImages(
            f"{len(small)} of {len(classes)} classes have one image only ({listing(small)}), at least "
            "2 are needed, one to learn from and one to test: add images or remove the class"
        )
    if small:
        raise BadImages(f"no training image has the class {listing(small)} of the test images")


def _natural(text: str) -> tuple[str, str]:
    """Sorts `9` before `10`."""
    return re.sub(r"[0-9]+", lambda digits: digits[0].zfill(20), text.casefold()), text
