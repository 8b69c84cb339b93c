from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import InputError
from tasks.choice import choose_k, find_knee

KS = [2, 3, 4, 5, 6, 7]


def _scan(**changes: list[float]) -> pd.DataFrame:
    columns: dict[str, list[Any]] = {
        "k": list(KS),
        "inertia": [1000.0, 500.0, 100.0, 90.0, 80.0, 70.0],
        "silhouette": [0.3, 0.5, 0.7, 0.5, 0.4, 0.3],
        "calinski_harabasz": [100.0, 200.0, 900.0, 400.0, 300.0, 200.0],
        "davies_bouldin": [0.9, 0.8, 0.3, 0.8, 0.9, 1.0],
    }
    return pd.DataFrame({**columns, **changes})


def _uniform(curve: list[float] | None = None, references: int = 3) -> pd.DataFrame:
    curve = curve or [3000.0, 2500.0, 2100.0, 1800.0, 1600.0, 1450.0]
    rows = [
        {"k": k, "reference": number, "inertia": value * (1 + 0.01 * number)}
        for number in range(references)
        for k, value in zip(KS, curve, strict=True)
    ]
    return pd.DataFrame(rows)


def _stability(best: int = 4) -> pd.DataFrame:
    rows = [(k, r, 1.0 if k == best else 0.6) for k in KS for r in range(3)]
    return pd.DataFrame(rows, columns=["k", "resample", "ari"])


def test_agreement_is_said() -> None:
    choice = choose_k.fn(_scan(), _uniform(), _stability())
    assert choice["best"] == dict.fromkeys(choice["best"], 4)
    assert choice["knee"] == 4
    assert choice["agreement"] is True
    assert "all prefer 4 clusters" in choice["sentence"]
    assert "knee of the inertia curve lies at k = 4" in choice["sentence"]


def test_disagreement_is_said_with_the_values() -> None:
    scan = _scan(silhouette=[0.3, 0.5, 0.6, 0.7, 0.4, 0.3])
    choice = choose_k.fn(scan, _uniform(), _stability())
    assert choice["best"]["silhouette"] == 5
    assert choice["agreement"] is False
    assert "the silhouette (0.700) prefers 5 clusters" in choice["sentence"]
    assert choice["sentence"].startswith("Calinski-Harabasz (900), Davies-Bouldin (0.300)")


def test_a_knee_no_sharper_than_that_of_noise_is_none() -> None:
    inertia = _scan()["inertia"].tolist()
    choice = choose_k.fn(_scan(), _uniform(inertia), _stability())
    assert choice["knee"] is None
    assert choice["null_knee"] == 4
    assert "no clear knee" in choice["sentence"]
    assert "uniform noise at k = 4" in choice["sentence"]


def test_gap_is_the_difference_of_logarithms_with_its_error() -> None:
    uniform = _uniform()
    gap = choose_k.fn(_scan(), uniform, _stability())["gap"]
    logs = np.log(uniform.loc[uniform["k"] == 3, "inertia"])
    assert gap[1]["k"] == 3
    assert gap[1]["gap"] == pytest.approx(logs.mean() - np.log(500))
    assert gap[1]["s_k"] == pytest.approx(logs.std(ddof=0) * np.sqrt(4 / 3))


def test_a_gap_that_only_grows_settles_for_none() -> None:
    scan = _scan(inertia=[1000.0, 500.0, 250.0, 125.0, 60.0, 30.0])
    choice = choose_k.fn(scan, _uniform(), _stability())
    assert choice["best"]["gap"] is None
    assert "the gap statistic settles for none up to 7" in choice["sentence"]
    assert choice["agreement"] is False


def test_an_inertia_of_zero_has_no_gap() -> None:
    scan = _scan(inertia=[1000.0, 500.0, 100.0, 90.0, 80.0, 0.0])
    gap = choose_k.fn(scan, _uniform(), _stability())["gap"]
    assert [row["k"] for row in gap] == KS[:-1]


def test_without_noise_or_resamples_the_others_decide() -> None:
    none = pd.DataFrame({"k": [], "reference": [], "inertia": []})
    choice = choose_k.fn(_scan(), none, _stability().iloc[:0])
    assert choice["best"]["gap"] is None
    assert choice["best"]["stability"] is None
    assert choice["gap"] == []
    assert choice["agreement"] is True
    assert "noise" not in choice["sentence"]


def test_undefined_criteria_do_not_vote() -> None:
    choice = choose_k.fn(_scan(davies_bouldin=[np.nan] * 6), _uniform(), _stability())
    assert choice["best"]["davies_bouldin"] is None
    assert "Davies-Bouldin" not in choice["sentence"]


def test_curves_of_another_range_are_refused() -> None:
    uniform = _uniform()
    short = uniform[uniform["k"] < 5]
    with pytest.raises(InputError, match="k = 2 to 7 and the uniform curves k = 2 to 4"):
        choose_k.fn(_scan(), short, _stability())


def test_a_straight_line_has_no_knee() -> None:
    knee, sharpness = find_knee(KS, np.array([60.0, 50, 40, 30, 20, 10]))
    assert knee is None
    assert sharpness == pytest.approx(0)


def test_two_points_have_no_knee() -> None:
    assert find_knee([2, 3], np.array([10.0, 1.0])) == (None, 0.0)


def test_a_rising_curve_has_no_knee() -> None:
    assert find_knee(KS, np.arange(6.0)) == (None, 0.0)


@given(st.floats(0.1, 1e6), st.floats(0, 1e6))
def test_the_knee_does_not_depend_on_units(scale: float, shift: float) -> None:
    curve = np.array([1000.0, 500.0, 100.0, 90.0, 80.0, 70.0])
    knee, sharpness = find_knee(KS, scale * curve + shift)
    assert knee == 4
    assert sharpness == pytest.approx(find_knee(KS, curve)[1], abs=1e-6)
