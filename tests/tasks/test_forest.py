from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tasks.forest import score_forest


def _table(rows: int = 90) -> tuple[pd.DataFrame, pd.DataFrame]:
    rng = np.random.default_rng(0)
    label = np.arange(rows) % 3
    features = pd.DataFrame(
        {"noise": rng.normal(size=rows), "signal": label + rng.normal(0, 0.1, rows)}
    )
    return features, pd.DataFrame({"label": [f"class {number}" for number in label]})


def test_a_telling_feature_is_used_and_scores() -> None:
    features, labels = _table()
    fit = score_forest.fn(features, labels, trees=20, splits=3)
    assert fit.summary["mean"] > 0.95
    assert fit.importances["feature"][0] == "signal"
    assert fit.importances["importance"].sum() == pytest.approx(1)
    assert fit.summary["baseline"] == pytest.approx(1 / 3)


def test_shuffled_labels_score_like_guessing() -> None:
    features, labels = _table(300)
    labels = labels.sample(frac=1, random_state=0).reset_index(drop=True)
    assert score_forest.fn(features, labels, trees=20, splits=3).summary["mean"] < 0.5


def test_the_summary_is_made_of_the_scores() -> None:
    features, labels = _table()
    fit = score_forest.fn(features, labels, trees=5, splits=4)
    assert fit.summary["mean"] == pytest.approx(fit.scores["accuracy"].mean())
    assert fit.summary["sd"] == pytest.approx(fit.scores["accuracy"].std())
    assert (fit.summary["train_rows"], fit.summary["test_rows"]) == (68, 22)


def test_one_split_has_no_spread() -> None:
    features, labels = _table()
    assert score_forest.fn(features, labels, trees=5, splits=1).summary["sd"] == 0


def test_the_same_seed_gives_the_same_forest() -> None:
    features, labels = _table()
    one, two = (score_forest.fn(features, labels, trees=5, splits=2, seed=3) for _ in range(2))
    pd.testing.assert_frame_equal(one.scores, two.scores)
    pd.testing.assert_frame_equal(one.importances, two.importances)
    assert one.summary == two.summary
