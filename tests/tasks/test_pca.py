from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from engine import InputError
from tasks.pca import fit_pca


@pytest.fixture(scope="module")
def features() -> pd.DataFrame:
    """x and y vary together, z apart and less, flat not at all."""
    rng = np.random.default_rng(0)
    along = rng.normal(0, 10, 200)
    return pd.DataFrame(
        {
            "x": along + rng.normal(0, 0.5, 200) + 1e3,
            "y": -along + rng.normal(0, 0.5, 200),
            "z": rng.normal(0, 3, 200),
            "flat": 7.0,
        }
    )


def test_components_are_unit_vectors_in_falling_order(features: pd.DataFrame) -> None:
    fit = fit_pca.fn(features)
    axes = fit.loadings.drop(columns="component").to_numpy()
    assert axes @ axes.T == pytest.approx(np.eye(4), abs=1e-9)
    assert fit.variance["ratio"].is_monotonic_decreasing
    assert fit.variance["cumulative"].iloc[-1] == pytest.approx(1)


def test_scores_are_uncorrelated_and_carry_the_variance(features: pd.DataFrame) -> None:
    fit = fit_pca.fn(features, components=3)
    covariance = np.cov(fit.scores.T)
    expected = fit.variance["ratio"] * fit.summary["total_variance"]
    assert covariance == pytest.approx(np.diag(expected), abs=1e-6)


def test_all_components_give_the_rows_back(features: pd.DataFrame) -> None:
    fit = fit_pca.fn(features)
    axes = fit.loadings.drop(columns="component").to_numpy()
    back = fit.scores.to_numpy() @ axes + features.to_numpy().mean(axis=0)
    assert back == pytest.approx(features.to_numpy(), abs=1e-8)


def test_the_largest_loading_is_positive(features: pd.DataFrame) -> None:
    for table in (features, -features):
        axes = fit_pca.fn(table).loadings.drop(columns="component").to_numpy()
        assert (axes[range(4), np.abs(axes).argmax(axis=1)] > 0).all()


def test_the_finding_names_what_components_are_made_of(features: pd.DataFrame) -> None:
    fit = fit_pca.fn(features)
    assert fit.summary["leading"][0][:2] in (["x", "y"], ["y", "x"])
    assert fit.summary["leading"][1][0] == "z"
    assert "PC2 is mainly z (+1.00)" in fit.summary["finding"]


def test_standardised_features_weigh_the_same(features: pd.DataFrame) -> None:
    scaled = features.assign(x=features["x"] * 1000)
    one, two = (fit_pca.fn(table, standardise=True) for table in (features, scaled))
    assert one.variance["ratio"].to_numpy() == pytest.approx(two.variance["ratio"].to_numpy())
    assert one.summary["total_variance"] == pytest.approx(3 * 200 / 199)


def test_few_rows_have_few_components(features: pd.DataFrame) -> None:
    assert len(fit_pca.fn(features.head(3)).variance) == 3


@pytest.mark.parametrize("components", [0, 5])
def test_an_impossible_number_is_named(features: pd.DataFrame, components: int) -> None:
    with pytest.raises(InputError, match=f"components = {components}: expected 1 to 4"):
        fit_pca.fn(features, components=components)


def test_equal_rows_are_refused() -> None:
    with pytest.raises(InputError, match="all rows are equal"):
        fit_pca.fn(pd.DataFrame({"x": [1.0, 1.0], "y": [2.0, 2.0]}))


def test_the_same_rows_give_the_same_bits(features: pd.DataFrame) -> None:
    one, two = fit_pca.fn(features), fit_pca.fn(features)
    assert one.scores.to_numpy().tobytes() == two.scores.to_numpy().tobytes()
