"""The vote of neighbours on a class."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np


def count_votes(voters: np.ndarray, classes: int) -> np.ndarray:
    """How many voters of each row are of each class, int64 (s, classes); argmax: the lower code on a tie.

    Arguments:
        voters: whole numbers (s, k), codes of the classes, 0 to `classes` - 1.
    """
    import numpy as np

    rows = len(voters)
    flat = np.arange(rows)[:, None] * classes + voters
    return np.bincount(flat.ravel(), minlength=rows * classes).reshape(rows, classes)
