"""Random divisions of rows into training and test rows, in the proportions of the classes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np


def stratified_splits(
    labels: np.ndarray, splits: int, test_fraction: float, seed: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield `splits` pairs of positions (training, test), drawn anew for each split.

    The rows may be sorted by class. Where the fraction would give fewer test rows than there are
    classes, as many as classes are taken, and the same for the training rows.

    Arguments:
        labels: (n,).

    Raises:
        InputError: a parameter is out of its range, or a class has a single row.
    """
    import numpy as np
    from sklearn.model_selection import StratifiedShuffleSplit

    if splits < 1:
        raise InputError(f"splits = {splits}: expected at least 1")
    if not 0 < test_fraction < 1:
        raise InputError(f"test_fraction = {test_fraction}: expected more than 0 and less than 1")
    names, sizes = np.unique(labels, return_counts=True)
    if sizes.min() < 2:
        raise InputError(
            f"class {names[sizes.argmin()]} has 1 row, at least 2 are needed: one to learn from, "
            "one to test; merge or remove the class"
        )
    test_rows = round(test_fraction * len(labels))
    test_rows = min(max(test_rows, len(names)), len(labels) - len(names))
    shuffle = StratifiedShuffleSplit(splits, test_size=test_rows, random_state=seed)
    for train, test in shuffle.split(np.zeros(len(labels)), labels):
        yield np.sort(train), np.sort(test)
