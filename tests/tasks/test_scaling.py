from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Normalizer, StandardScaler

from engine import InputError
from tasks.scaling import SCALINGS, Scaled, Scaling, fit_scaling, scale_images, take_blocks, unscale

Images = dict[str, np.ndarray]


@pytest.fixture(scope="module")
def images() -> tuple[Images, Images]:
    """300 and 90 images of 5 × 4 pixels; one pixel is dark in training and bright in one test image,
    one training image is all dark."""
    rng = np.random.default_rng(0)
    train = rng.integers(0, 256, (300, 5, 4), dtype=np.uint8)
    test = rng.integers(0, 256, (90, 5, 4), dtype=np.uint8)
    train[:, 0, 0], test[:, 0, 0], test[7, 0, 0] = 0, 0, 255
    train[3] = 0
    return {"x": train}, {"x": test}


def scale(images: tuple[Images, Images], scaling: Scaling) -> Scaled:
    return scale_images.fn(*images, fit_scaling.fn(images[0], scaling=scaling))


REFERENCES: dict[str, Any] = {
    "standard": StandardScaler(),
    "normalise": Normalizer(),
    "standard-normalise": make_pipeline(StandardScaler(), Normalizer()),
    "normalise-standard": make_pipeline(Normalizer(), StandardScaler()),
}


@pytest.mark.parametrize("scaling", REFERENCES)
def test_scalings_are_those_of_scikit_learn(images: tuple[Images, Images], scaling: Any) -> None:
    train, test = (part["x"].reshape(len(part["x"]), -1) / 255 for part in images)
    scaled = scale(images, scaling)
    reference = REFERENCES[scaling].fit(train)
    assert scaled.train == pytest.approx(reference.transform(train), abs=2e-5)
    assert scaled.test == pytest.approx(reference.transform(test), abs=2e-5)


def test_unit_divides_by_255(images: tuple[Images, Images]) -> None:
    scaled = scale(images, "unit")
    assert scaled.train == pytest.approx(images[0]["x"].reshape(300, -1) / 255)


@pytest.mark.parametrize("scaling", SCALINGS)
def test_blocks_are_the_rows_of_the_scaled_images(
    images: tuple[Images, Images], scaling: Scaling, monkeypatch: pytest.MonkeyPatch
) -> None:
    learned = fit_scaling.fn(images[0], scaling=scaling)
    whole = scale(images, scaling).test
    monkeypatch.setattr("tasks.scaling._ROWS", 7)
    for rows in (images[1], whole):
        blocks = list(take_blocks(rows, learned))
        assert len(blocks) == 13
        assert np.concatenate(blocks) == pytest.approx(whole, abs=1e-6)


def test_images_without_a_scaling_are_divided_by_255(images: tuple[Images, Images]) -> None:
    rows = np.concatenate(list(take_blocks(images[1])))
    assert rows == pytest.approx(images[1]["x"].reshape(90, -1) / 255)


@pytest.mark.parametrize("scaling", SCALINGS)
def test_scaled_images_are_finite_float32(images: tuple[Images, Images], scaling: Scaling) -> None:
    scaled = scale(images, scaling)
    for array in (scaled.train, scaled.test):
        assert array.dtype == np.float32
        assert array.flags.c_contiguous
        assert np.isfinite(array).all()


@pytest.mark.parametrize("scaling", SCALINGS)
def test_the_way_back_finds_the_image_up_to_its_light(
    images: tuple[Images, Images], scaling: Scaling
) -> None:
    learned = fit_scaling.fn(images[0], scaling=scaling)
    back = unscale(scale(images, scaling).train[10:20], learned)
    original = images[0]["x"][10:20].reshape(10, -1)
    assert back.min() >= 0
    assert back.max() <= 255
    if scaling in ("unit", "standard"):
        assert back == pytest.approx(original, abs=0.01)
    else:
        for one, other in zip(back, original, strict=True):
            assert np.corrcoef(one, other)[0, 1] > 0.98


def test_blocks_do_not_show(images: tuple[Images, Images], monkeypatch: pytest.MonkeyPatch) -> None:
    whole = scale(images, "standard-normalise")
    monkeypatch.setattr("tasks.scaling._ROWS", 7)
    parts = scale(images, "standard-normalise")
    assert parts.train == pytest.approx(whole.train, abs=1e-6)


def test_the_same_recipe_gives_the_same_bits(images: tuple[Images, Images]) -> None:
    one, two = (scale(images, "normalise-standard") for _ in range(2))
    assert one.test.tobytes() == two.test.tobytes()


def test_an_unknown_scaling_is_named(images: tuple[Images, Images]) -> None:
    with pytest.raises(InputError, match="scaling = 'minmax': choose one of unit, standard"):
        fit_scaling.fn(images[0], scaling="minmax")  # type: ignore[arg-type]
