from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA

from engine import InputError
from tasks.components import Components, back_project, fit_components, project
from tasks.scaling import fit_scaling, scale_images


@pytest.fixture(scope="module")
def points() -> np.ndarray:
    array: np.ndarray = load_digits().data.astype(np.float32)
    return array


@pytest.fixture(scope="module")
def fit(points: np.ndarray) -> Components:
    return fit_components.fn(points[:1500])


def test_components_are_those_of_scikit_learn(points: np.ndarray, fit: Components) -> None:
    reference = PCA(10, svd_solver="full").fit(points[:1500].astype(np.float64))
    found = fit.basis["components"][:10]
    signs = np.sign((found * reference.components_).sum(axis=1))[:, None]
    assert found * signs == pytest.approx(reference.components_, abs=1e-4)
    assert fit.curve["ratio"].to_numpy()[:10] == pytest.approx(
        reference.explained_variance_ratio_, abs=1e-6
    )
    assert fit.curve["cumulative"].iloc[-1] == pytest.approx(1)


def test_the_largest_loading_is_positive(fit: Components) -> None:
    axes = fit.basis["components"]
    assert (axes[np.arange(len(axes)), np.abs(axes).argmax(axis=1)] > 0).all()


def test_axes_are_orthonormal_float32(fit: Components) -> None:
    axes = fit.basis["components"]
    assert axes.dtype == np.float32
    assert axes @ axes.T == pytest.approx(np.eye(len(axes)), abs=1e-5)


def test_needed_counts_components_to_a_share(fit: Components) -> None:
    cumulative = fit.curve["cumulative"].to_numpy()
    assert fit.summary["needed"]["0.9"] == int((cumulative < 0.9).sum()) + 1
    assert "90 % in" in fit.summary["finding"]


def test_projection_by_count_equals_centred_rows_times_axes(
    points: np.ndarray, fit: Components
) -> None:
    train, test = points[:1500], points[1500:]
    found = project.fn(train, test, fit.basis, components=12)
    axes = fit.basis["components"][:12].astype(np.float64)
    assert found.test.dtype == np.float32
    assert found.test == pytest.approx((test - train.mean(axis=0)) @ axes.T, abs=1e-3)
    assert np.abs(found.train.mean(axis=0)).max() < 1e-3


@pytest.mark.parametrize("share", [0.3, 0.8, 0.95, 0.999999])
def test_projection_by_variance_takes_the_least_number(
    points: np.ndarray, fit: Components, share: float
) -> None:
    summary = project.fn(points[:10], points[:5], fit.basis, components=share).summary
    count = summary["components"]
    cumulative = fit.curve["cumulative"].to_numpy()
    assert summary["explained"] == pytest.approx(cumulative[count - 1], abs=1e-5)
    assert cumulative[count - 1] >= share - 1e-6
    assert count == 1 or cumulative[count - 2] < share


@pytest.mark.parametrize("components", [0, -1, 65, 2.5])
def test_impossible_counts_are_explained(
    points: np.ndarray, fit: Components, components: float
) -> None:
    with pytest.raises(InputError, match=f"components = {components}"):
        project.fn(points[:9], points[:9], fit.basis, components=components)


def test_all_components_bring_the_rows_back(points: np.ndarray, fit: Components) -> None:
    found = project.fn(points[:20], points[:20], fit.basis, components=64).train
    assert back_project(found, fit.basis) == pytest.approx(points[:20], abs=1e-2)


def test_images_are_scaled_on_the_way() -> None:
    rng = np.random.default_rng(0)
    train, test = ({"x": rng.integers(0, 256, (n, 4, 3), dtype=np.uint8)} for n in (200, 50))
    learned = fit_scaling.fn(train, scaling="standard-normalise")
    scaled = scale_images.fn(train, test, learned)
    fit, reference = fit_components.fn(train, learned), fit_components.fn(scaled.train)
    assert fit.basis["components"].tobytes() == reference.basis["components"].tobytes()
    found = project.fn(train, test, fit.basis, learned, components=5)
    expected = project.fn(scaled.train, scaled.test, fit.basis, components=5)
    assert found.test == pytest.approx(expected.test, abs=1e-6)
    assert found.summary == expected.summary


def test_the_same_recipe_gives_the_same_bits(points: np.ndarray, fit: Components) -> None:
    again = fit_components.fn(points[:1500])
    assert again.basis["components"].tobytes() == fit.basis["components"].tobytes()
    assert again.summary == fit.summary


def test_fewer_rows_than_dimensions_are_enough(points: np.ndarray) -> None:
    fit = fit_components.fn(points[:12])
    assert fit.curve["cumulative"].iloc[10] == pytest.approx(1, abs=1e-5)


def test_rows_without_variance_are_refused() -> None:
    with pytest.raises(InputError, match="all rows are equal"):
        fit_components.fn(np.ones((5, 3), dtype=np.float32))
    with pytest.raises(InputError, match="at least 2 training rows; there is 1"):
        fit_components.fn(np.ones((1, 3), dtype=np.float32))


def test_rows_too_wide_for_a_covariance_are_refused() -> None:
    with pytest.raises(InputError, match="make the images smaller"):
        fit_components.fn(np.zeros((2, 9000), dtype=np.float32))
