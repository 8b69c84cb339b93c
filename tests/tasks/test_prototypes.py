from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.neighbors import KNeighborsClassifier

from engine import InputError
from tasks.prototypes import Prototypes, collect_prototypes, fit_prototypes

ABOUT: dict[str, Any] = {"classes": [f"digit {number}" for number in range(10)]}


def _fit(data: Any, per_class: int, seed: int = 0) -> Prototypes:
    space, train, test = data
    return fit_prototypes.fn(space, train, test, ABOUT, per_class=per_class, seed=seed)


@pytest.fixture(scope="module")
def data() -> tuple[dict[str, np.ndarray], dict[str, np.ndarray], dict[str, np.ndarray]]:
    bunch = load_digits()
    points, codes = bunch.data.astype(np.float32), bunch.target.astype(np.int64)
    space = {"train": points[:1300], "test": points[1300:]}
    return space, {"y": codes[:1300]}, {"y": codes[1300:]}


def test_more_prototypes_tell_more(data: Any) -> None:
    accuracy = [_fit(data, per_class=count).summary["accuracy"] for count in (1, 5, 30)]
    assert accuracy[0] > 0.8
    assert accuracy == sorted(accuracy)


def test_one_prototype_is_the_mean_of_its_class(data: Any) -> None:
    space, train, _ = data
    fit = _fit(data, per_class=1)
    means = np.stack([space["train"][train["y"] == code].mean(axis=0) for code in range(10)])
    assert fit.centroids == pytest.approx(means, abs=1e-3)
    assert list(fit.labels["label"]) == ABOUT["classes"]
    assert fit.labels["size"].sum() == 1300


def test_a_prototype_a_row_is_the_nearest_neighbour(data: Any) -> None:
    space, train, test = data
    fit = _fit(data, per_class=1300)
    neighbour = KNeighborsClassifier(1).fit(space["train"], train["y"])
    expected = neighbour.score(space["test"], test["y"])
    assert fit.summary["prototypes"] == 1300
    assert fit.summary["accuracy"] == pytest.approx(expected, abs=0.005)


def test_a_class_without_a_training_row_has_no_prototype(data: Any) -> None:
    space, train, test = data
    keep = train["y"] != 4
    fit = fit_prototypes.fn(
        {"train": space["train"][keep], "test": space["test"]},
        {"y": train["y"][keep]}, test, ABOUT, per_class=3,
    )  # fmt: skip
    assert fit.summary["prototypes"] == 27
    assert fit.summary["class_accuracy"]["digit 4"] == 0
    assert "digit 4 is told worst (0 %)" in fit.summary["finding"]


def test_blocks_do_not_show(data: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = _fit(data, per_class=4)
    monkeypatch.setattr("tasks.prototypes._VALUES", 200)
    parts = _fit(data, per_class=4)
    assert whole.confusion.equals(parts.confusion)


def test_the_same_recipe_gives_the_same_bits(data: Any) -> None:
    one, two = (_fit(data, per_class=7, seed=3) for _ in range(2))
    assert one.centroids.tobytes() == two.centroids.tobytes()
    assert one.summary == two.summary


def test_fits_are_collected_in_the_order_of_their_size() -> None:
    fits = {
        str(count): {
            str(seed): {"per_class": count, "prototypes": 2 * count, "seed": seed, "accuracy": 0.5}
            for seed in (1, 0)
        }
        for count in (100, 20)
    }
    table = collect_prototypes.fn(fits)
    assert list(zip(table["per_class"], table["seed"], strict=True)) == [
        (20, 0), (20, 1), (100, 0), (100, 1),
    ]  # fmt: skip


def test_no_prototype_is_refused(data: Any) -> None:
    with pytest.raises(InputError, match="per_class = 0: expected at least 1"):
        _fit(data, per_class=0)


def test_a_small_class_gives_all_its_rows_and_the_sentence_says_so(data: Any) -> None:
    few = {"y": data[1]["y"][:30]}
    space = {"train": data[0]["train"][:30], "test": data[0]["test"]}
    fit = fit_prototypes.fn(space, few, data[2], ABOUT, per_class=50)
    assert fit.summary["finding"].startswith("30 prototypes, at most 50 of each class, tell ")
    assert _fit(data, per_class=1).summary["finding"].startswith("10 prototypes, 1 of each class, ")
