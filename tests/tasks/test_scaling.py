from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Normalizer, StandardScaler

from engine import InputError
from tasks.scaling import SCALINGS, Scaling, fit_scaling, unscale

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


REFERENCES: dict[str, Any] = {
    "standard": StandardScaler(),
    "normalise": Normalizer(),
    "standard-normalise": make_pipeline(StandardScaler(), Normalizer()),
    "normalise-standard": make_pipeline(Normalizer(), StandardScaler()),
}


@pytest.mark.parametrize("scaling", REFERENCES)
def test_scalings_are_those_of_scikit_learn(images: tuple[Images, Images], scaling: Any) -> None:
    train, test = (part["x"].reshape(len(part["x"]), -1) / 255 for part in images)
    scaled = fit_scaling.fn(*images, scaling=scaling)
    reference = REFERENCES[scaling].fit(train)
    assert scaled.train == pytest.approx(reference.transform(train), abs=2e-5)
    assert scaled.test == pytest.approx(reference.transform(test), abs=2e-5)


def test_unit_divides_by_255(images: tuple[Images, Images]) -> None:
    scaled = fit_scaling.fn(*images, scaling="unit")
    assert scaled.train == pytest.approx(images[0]["x"].reshape(300, -1) / 255)


@pytest.mark.parametrize("scaling", SCALINGS)
def test_the_test_images_teach_nothing(images: tuple[Images, Images], scaling: Scaling) -> None:
    train, test = images
    one = fit_scaling.fn(train, test, scaling=scaling)
    other = fit_scaling.fn(train, {"x": 255 - test["x"]}, scaling=scaling)
    assert one.train.tobytes() == other.train.tobytes()
    assert {n: v.tobytes() for n, v in one.parameters.items()} == {
        n: v.tobytes() for n, v in other.parameters.items()
    }


@pytest.mark.parametrize("scaling", SCALINGS)
def test_scaled_images_are_finite_float32(images: tuple[Images, Images], scaling: Scaling) -> None:
    scaled = fit_scaling.fn(*images, scaling=scaling)
    for array in (scaled.train, scaled.test):
        assert array.dtype == np.float32
        assert array.flags.c_contiguous
        assert np.isfinite(array).all()


@pytest.mark.parametrize("scaling", SCALINGS)
def test_the_way_back_finds_the_image_up_to_its_light(
    images: tuple[Images, Images], scaling: Scaling
) -> None:
    scaled = fit_scaling.fn(*images, scaling=scaling)
    back = unscale(scaled.train[10:20], scaling, scaled.parameters)
    original = images[0]["x"][10:20].reshape(10, -1)
    assert back.min() >= 0
    assert back.max() <= 255
    if scaling in ("unit", "standard"):
        assert back == pytest.approx(original, abs=0.01)
    else:
        for one, other in zip(back, original, strict=True):
            assert np.corrcoef(one, other)[0, 1] > 0.98


def test_blocks_do_not_show(images: tuple[Images, Images], monkeypatch: pytest.MonkeyPatch) -> None:
    whole = fit_scaling.fn(*images, scaling="standard-normalise")
    monkeypatch.setattr("tasks.scaling._ROWS", 7)
    parts = fit_scaling.fn(*images, scaling="standard-normalise")
    assert parts.train == pytest.approx(whole.train, abs=1e-6)


def test_the_same_recipe_gives_the_same_bits(images: tuple[Images, Images]) -> None:
    one, two = (fit_scaling.fn(*images, scaling="normalise-standard") for _ in range(2))
    assert one.test.tobytes() == two.test.tobytes()


def test_an_unknown_scaling_is_named(images: tuple[Images, Images]) -> None:
    with pytest.raises(InputError, match="scaling = 'minmax': choose one of unit, standard"):
        fit_scaling.fn(*images, scaling="minmax")  # type: ignore[arg-type]
