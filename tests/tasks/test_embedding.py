from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.manifold import trustworthiness
from sklearn.neighbors import NearestNeighbors

from engine import InputError
from tasks.embedding import embed_tsne, measure_embedding


@pytest.fixture(scope="module")
def points() -> np.ndarray:
    array: np.ndarray = load_digits().data.astype(np.float32)
    return array


@pytest.fixture(scope="module")
def labels() -> dict[str, np.ndarray]:
    return {"y": load_digits().target.astype(np.int64)}


def test_neighbours_are_poor_by_chance_and_good_after(
    points: np.ndarray, labels: dict[str, np.ndarray]
) -> None:
    embedding = embed_tsne.fn(points, sample=500, iterations=400)
    rng = np.random.default_rng(0)
    chance = {**embedding.points, "xy": rng.normal(size=(500, 2)).astype(np.float32)}
    poor = measure_embedding.fn(points, chance, labels)
    good = measure_embedding.fn(points, embedding.points, labels)
    assert poor["knn"] < 0.06
    assert poor["label_accuracy"] < 0.3
    assert abs(poor["trustworthiness"] - 0.5) < 0.05
    assert good["knn"] > 0.5
    assert good["label_accuracy"] > 0.9
    assert good["trustworthiness"] > 0.95
    assert good["space_accuracy"] == poor["space_accuracy"]


def test_measures_are_those_of_scikit_learn(
    points: np.ndarray, labels: dict[str, np.ndarray]
) -> None:
    rng = np.random.default_rng(1)
    rows = np.sort(rng.choice(len(points), 300, replace=False))
    xy = (points[rows] @ rng.normal(size=(64, 2))).astype(np.float32)
    found = measure_embedding.fn(points, {"xy": xy, "rows": rows}, labels, neighbours=7)
    chosen, codes = points[rows], labels["y"][rows]
    # The rows are whole numbers: equal distances are ranked in no order of their own.
    expected = trustworthiness(chosen, xy, n_neighbors=7)
    assert found["trustworthiness"] == pytest.approx(expected, abs=1e-3)
    near = [
        NearestNeighbors(n_neighbors=7).fit(part).kneighbors(return_distance=False)
        for part in (chosen, xy)
    ]
    kept = [len(set(one) & set(other)) for one, other in zip(*near, strict=True)]
    assert found["knn"] == pytest.approx(np.mean(kept) / 7, abs=0.01)
    votes = [
        np.mean([
            np.bincount(codes[mine], minlength=10).argmax() == own
            for mine, own in zip(each, codes, strict=True)
        ])
        for each in near
    ]  # fmt: skip
    assert found["space_accuracy"] == pytest.approx(votes[0], abs=0.01)
    assert found["label_accuracy"] == pytest.approx(votes[1], abs=0.01)


def test_an_embedding_onto_itself_is_perfect(labels: dict[str, np.ndarray]) -> None:
    xy = np.random.default_rng(0).normal(size=(200, 2)).astype(np.float32)
    found = measure_embedding.fn(xy, {"xy": xy * 3, "rows": np.arange(200)}, labels)
    assert found["knn"] == 1
    assert found["trustworthiness"] == 1
    assert found["label_accuracy"] == found["space_accuracy"]


def test_blocks_do_not_show(
    points: np.ndarray, labels: dict[str, np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    xy = np.random.default_rng(0).normal(size=(400, 2)).astype(np.float32)
    embedding: dict[str, np.ndarray] = {"xy": xy, "rows": np.arange(400)}
    whole = measure_embedding.fn(points, embedding, labels)
    monkeypatch.setattr("tasks.embedding._VALUES", 400 * 33)
    assert measure_embedding.fn(points, embedding, labels) == whole


def test_the_sample_is_drawn_once_each_and_kept_in_order(points: np.ndarray) -> None:
    embedding = embed_tsne.fn(points, sample=100, iterations=250)
    rows = embedding.points["rows"]
    assert (np.diff(rows) > 0).all()
    assert embedding.points["xy"].shape == (100, 2)
    assert embedding.points["xy"].dtype == np.float32
    other = embed_tsne.fn(points, sample=100, iterations=250, seed=1)
    assert (other.points["rows"] != rows).any()


def test_few_rows_lower_the_perplexity(points: np.ndarray) -> None:
    summary = embed_tsne.fn(points[:31], perplexity=30, iterations=250).summary
    assert (summary["rows"], summary["perplexity"]) == (31, 10)


def test_the_same_recipe_gives_the_same_bits(points: np.ndarray) -> None:
    one, two = (embed_tsne.fn(points, sample=300, iterations=300) for _ in range(2))
    assert one.points["xy"].tobytes() == two.points["xy"].tobytes()
    assert one.summary == two.summary


def test_impossible_values_are_named(points: np.ndarray) -> None:
    with pytest.raises(InputError, match="at least 8 rows; 5 were given"):
        embed_tsne.fn(points[:5])
    with pytest.raises(InputError, match="iterations = 100: expected at least 250"):
        embed_tsne.fn(points, iterations=100)


@pytest.mark.parametrize("backend", ["scikit-learn", "intelex"])
@pytest.mark.parametrize(
    ("value", "words"), [(0.25, "in one and the same place"), (np.nan, "finite numbers")]
)
def test_points_without_a_principal_component_are_refused(
    backend: Any, value: float, words: str
) -> None:
    with pytest.raises(InputError, match=words):
        embed_tsne.fn(np.full((60, 3), value, np.float32), iterations=250, backend=backend)


def test_one_axis_is_laid_out_in_two() -> None:
    line = np.linspace(-3, 3, 90, dtype=np.float32)[:, None]
    found = embed_tsne.fn(line, iterations=400, perplexity=10)
    xy = found.points["xy"]
    assert xy.shape == (90, 2) and (xy.std(axis=0) > 0.1).all()
    near = measure_embedding.fn(line, found.points, {"y": np.arange(90) // 30}, neighbours=4)
    assert near["knn"] > 0.6
