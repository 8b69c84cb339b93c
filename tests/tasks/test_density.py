from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd
import pytest

from engine import InputError
from tasks.density import estimate_densities


def _table(**columns: np.ndarray) -> tuple[pd.DataFrame, pd.DataFrame]:
    features = pd.DataFrame(columns)
    return features, pd.DataFrame({"label": ["a"] * len(features)})


def _two_heaps(rows: int = 400) -> np.ndarray:
    rng = np.random.default_rng(0)
    return np.concatenate([rng.normal(-50, 2, rows), rng.normal(-20, 2, rows // 4)])


def test_a_density_integrates_to_one() -> None:
    features, labels = _table(x=_two_heaps())
    curves = estimate_densities.fn(features, labels).curves
    assert np.trapezoid(curves["density"], curves["value"]) == pytest.approx(1, abs=0.002)


@pytest.mark.parametrize("bandwidth", ["scott", "silverman"])
def test_two_heaps_give_two_peaks_the_larger_first(
    bandwidth: Literal["scott", "silverman"],
) -> None:
    features, labels = _table(x=_two_heaps())
    fit = estimate_densities.fn(features, labels, bandwidth=bandwidth)
    assert list(fit.peaks["rank"]) == [1, 2]
    assert list(fit.peaks["value"]) == pytest.approx([-50, -20], abs=1)
    assert "x in a (-5" in fit.summary["finding"]


def test_one_heap_gives_one_peak() -> None:
    features, labels = _table(x=np.random.default_rng(1).normal(0, 1, 500))
    fit = estimate_densities.fn(features, labels)
    assert len(fit.peaks) == 1
    assert fit.summary["several"] == []
    assert "single peak" in fit.summary["finding"]


def test_whole_numbers_do_not_show_as_a_comb() -> None:
    values = np.round(np.random.default_rng(2).normal(-60, 1.0, 20_000))
    features, labels = _table(x=values)
    assert len(estimate_densities.fn(features, labels).peaks) == 1


def test_constants_and_single_rows_have_a_peak_at_their_value() -> None:
    features = pd.DataFrame(
        {"flat": [7.0] * 6, "zero": [0.0] * 6, "spread": [1, 2, 3, 4, 5, 900.0]}
    )
    labels = pd.DataFrame({"label": ["a"] * 5 + ["b"]})
    fit = estimate_densities.fn(features, labels)
    assert np.isfinite(fit.curves["density"]).all()
    first = fit.peaks[fit.peaks["rank"] == 1].set_index(["feature", "label"])["value"]
    assert first["flat", "a"] == pytest.approx(7, abs=0.01)
    assert first["zero", "b"] == pytest.approx(0, abs=0.01)
    assert first["spread", "b"] == pytest.approx(900, rel=0.01)


def test_the_classes_of_a_feature_share_their_grid() -> None:
    features, _ = _table(x=_two_heaps())
    labels = pd.DataFrame({"label": np.where(features["x"] < -30, "left", "right")})
    curves = estimate_densities.fn(features, labels, grid=64).curves
    left, right = (part["value"].to_numpy() for _, part in curves.groupby("label"))
    assert len(left) == 64
    assert (left == right).all()


def test_an_unknown_bandwidth_is_named() -> None:
    features, labels = _table(x=_two_heaps())
    with pytest.raises(InputError, match="bandwidth = 'wide'"):
        estimate_densities.fn(features, labels, bandwidth="wide")  # type: ignore[arg-type]
