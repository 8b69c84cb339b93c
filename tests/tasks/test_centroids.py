from __future__ import annotations

import numpy as np
import pytest

from tasks.centroids import invert_centroids
from tasks.components import fit_components, project
from tasks.scaling import SCALINGS, Scaling, fit_scaling, scale_images


@pytest.fixture(scope="module")
def train() -> dict[str, np.ndarray]:
    """200 images of 7 × 5 pixels: a bright bar in one of five columns, and noise."""
    rng = np.random.default_rng(0)
    x = rng.integers(0, 30, (200, 7, 5), dtype=np.uint8)
    x[np.arange(200), :, np.arange(200) % 5] = 200
    return {"x": x}


@pytest.mark.parametrize("scaling", SCALINGS)
@pytest.mark.parametrize("components", [None, 6])
def test_a_centroid_comes_back_as_the_picture_it_stands_for(
    train: dict[str, np.ndarray], scaling: Scaling, components: int | None
) -> None:
    learned = fit_scaling.fn(train, scaling=scaling)
    points, basis = scale_images.fn(train, train, learned).train, None
    if components:
        basis = fit_components.fn(train, learned).basis
        points = project.fn(train, train, basis, learned, components=components).train
    centroids = np.stack([points[column::5].mean(axis=0) for column in range(5)])
    pictures = invert_centroids.fn(centroids, learned, {"shape": [7, 5]}, basis)
    assert pictures.shape == (5, 7, 5)
    assert pictures.dtype == np.uint8
    means = np.stack([train["x"][column::5].mean(axis=0) for column in range(5)])
    assert pictures.astype(float) == pytest.approx(means, abs=25)
    for column, picture in enumerate(pictures):
        assert picture.mean(axis=0).argmax() == column
