"""Images in a folder with one sub-folder a class: a/1.png, a/2.png, b/1.png.

Pictures may lie deeper in a class. Two folders called train and test, with the classes inside, are
the data's own division.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tasks.image_files import SUFFIXES, BadImages, read_picture
from tasks.image_labels import listing

if TYPE_CHECKING:
    import numpy as np

log = logging.getLogger(__name__)

_SPLIT = {"train", "test"}
_SPLIT_LIKE = {"training", "testing", "val", "valid", "validation", "dev", "eval"} | _SPLIT
_STEP = 10_000
_MAX_FAULTS = 10


@dataclass(frozen=True)
class Pictures(Sequence["np.ndarray"]):
    """The pictures of these names as squares (see `to_square`), decoded when touched."""

    files: Mapping[str, bytes]
    names: list[str]
    size: int
    invert: bool
    colour: bool = False

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, index: int) -> np.ndarray:  # type: ignore[override]
        if index and index % _STEP == 0:
            log.info("%s of %s pictures read", f"{index:,}", f"{len(self):,}")
        try:
            data = self.files[self.names[index]]
            return read_picture(data, self.size, self.invert, self.colour)
        except BadImages as error:
            raise BadImages(f"{self.names[index]}: {error}") from error

    def faults(self) -> Iterator[str]:
        """What is wrong with each picture that cannot be read, by decoding all of them."""
        for index in range(len(self)):
            try:
                self[index]
            except BadImages as error:
                yield f"{error}"


def group(names: Sequence[str]) -> dict[str, list[tuple[str, str]]]:
    """(name, class) of the pictures of each part: `x`, and `x_test` where there are train and test.

    Raises BadImages where there are no sub-folders, or pictures beside them.
    """
    loose = [name for name in names if "/" not in name]
    if not names:
        raise BadImages(f"there is no picture in it ({', '.join(SUFFIXES)})")
    if len(loose) == len(names):
        raise BadImages(
            f"{len(names):,} pictures, but no sub-folders; make one folder a class and move them there"
        )
    if loose:
        raise BadImages(
            f"{len(loose):,} pictures lie beside the sub-folders ({listing(loose)}); move each into the "
            "folder of its class, or out"
        )
    tops = {name.split("/")[0] for name in names}
    nested = all(name.count("/") > 1 for name in names)
    known = {top.lower() for top in tops}
    if nested and known == _SPLIT:
        parts: dict[str, list[tuple[str, str]]] = {"x": [], "x_test": []}
        for name in names:
            top, label, _ = name.split("/", 2)
            parts["x" if top.lower() == "train" else "x_test"].append((name, label))
        return parts
    if nested and known <= _SPLIT_LIKE:
        raise BadImages(
            f"the sub-folders {listing(sorted(tops))} look like a division, not like classes; call them "
            "train and test, or name the folder of one of them"
        )
    return {"x": [(name, name.split("/")[0]) for name in names]}


def check_pictures(parts: Sequence[Pictures]) -> None:
    """Decode every picture; raises BadImages that lists those that cannot be read."""
    faults: list[str] = []
    for part in parts:
        for fault in part.faults():
            faults.append(fault)
            if len(faults) > _MAX_FAULTS:
                break
    if faults:
        more = "\n  - and more" if len(faults) > _MAX_FAULTS else ""
        listed = "".join(f"\n  - {fault}" for fault in faults[:_MAX_FAULTS])
        raise BadImages(f"pictures that cannot be read:{listed}{more}\nMend or remove them")


def check_empty(empty: Sequence[str], ignored: Sequence[str]) -> None:
    """Refuse a class without a picture; say in one line which files were left out."""
    if ignored:
        log.info("%s files are no pictures and left out: %s", len(ignored), listing([*ignored]))
    classes = [name for name in empty if name and "/" not in name]
    if classes:
        inside = [name for name in ignored if name.startswith(f"{classes[0]}/")]
        found = f", there is {listing(inside)}" if inside else ""
        raise BadImages(
            f"no picture in {listing(classes)} ({', '.join(SUFFIXES)} are read{found}); add some or "
            "remove the folder"
        )
