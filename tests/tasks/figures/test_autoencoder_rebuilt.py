"""Which unseen images are shown beside their copies."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tasks.figures.autoencoder_rebuilt import COLUMNS, plot_reconstructions


@pytest.mark.parametrize(("rows", "blocks"), [(COLUMNS, 2), (20, 3), (40, 3)])
def test_no_image_is_drawn_at_random_twice(rows: int, blocks: int) -> None:
    # Every image is a plane of one grey value, by which it is known again.
    x = np.repeat(np.arange(1, rows + 1, dtype=np.uint8), 64).reshape(rows, 8, 8)
    errors = pd.DataFrame({"row": range(rows), "bce": 0.1, "floor": 0.05})
    figure = plot_reconstructions(x, errors, {"x": x, "y": np.arange(rows) % 3})
    (axes,) = figure.get_axes()
    tops: dict[float, list[int]] = {}
    for image in axes.images:
        value = int(np.asarray(image.get_array())[0, 0])
        tops.setdefault(round(image.get_extent()[3], 3), []).append(value)
    originals = [shown for _, shown in sorted(tops.items())][::3]
    assert len(originals) == blocks
    drawn = [value for shown in originals[:-1] for value in shown]
    assert len(drawn) == len(set(drawn)) == min(rows, (blocks - 1) * COLUMNS)
