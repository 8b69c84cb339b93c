from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from sklearn.datasets import load_digits

from engine import InputError
from tasks import estimators
from tasks.clustering import cluster_digits
from tasks.embedding import embed_tsne, measure_embedding
from tasks.estimators import backend_of, choose_backend, fit_kmeans_model, has_intelex, limited_to

intelex = pytest.mark.skipif(not has_intelex(), reason="scikit-learn-intelex is not installed")


@pytest.fixture(scope="module")
def points() -> np.ndarray:
    array: np.ndarray = load_digits().data.astype(np.float32)
    return array


@intelex
def test_both_backends_find_the_same_clusters(points: np.ndarray) -> None:
    initial = points[:30]
    ours = fit_kmeans_model(points, initial, max_iter=100, backend="scikit-learn")
    theirs = fit_kmeans_model(points, initial, max_iter=100, backend="intelex")
    assert backend_of(ours) == "scikit-learn"
    assert backend_of(theirs) == "intelex"
    assert theirs.inertia_ == pytest.approx(ours.inertia_, rel=2e-3)
    assert theirs.cluster_centers_ == pytest.approx(ours.cluster_centers_, abs=1.5)
    assert (ours.labels_ == theirs.labels_).mean() > 0.97


@intelex
def test_both_backends_embed_equally_well(points: np.ndarray) -> None:
    labels = {"y": load_digits().target.astype(np.int64)}
    quality = {}
    for backend in ("intelex", "scikit-learn"):
        found = embed_tsne.fn(points, sample=600, iterations=500, backend=backend)
        assert found.summary["backend"] == backend
        quality[backend] = measure_embedding.fn(points, found.points, labels)
    one, other = quality["intelex"], quality["scikit-learn"]
    assert one["knn"] == pytest.approx(other["knn"], abs=0.03)
    assert one["trustworthiness"] == pytest.approx(other["trustworthiness"], abs=0.01)
    assert one["label_accuracy"] == pytest.approx(other["label_accuracy"], abs=0.02)


@intelex
def test_the_artifact_says_when_intelex_handed_over(points: np.ndarray) -> None:
    # It does not take a single cluster and leaves that to scikit-learn without a word.
    model = fit_kmeans_model(points, points[:1], max_iter=10, backend="intelex")
    assert backend_of(model) == "scikit-learn"


@intelex
def test_intelex_gives_the_same_bits_side_by_side(points: np.ndarray) -> None:
    space = {"train": points[:1500], "test": points[1500:]}

    def bits(seed: int) -> tuple[bytes, str]:
        cell = cluster_digits.fn(
            space, clusters=25, algorithm="kmeans", seed=seed, backend="intelex"
        )
        return cell.assignment["train"].tobytes(), cell.summary["backend"]

    alone = [bits(seed) for seed in range(4)]
    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(bits, range(4))) == alone
    assert {backend for _, backend in alone} == {"intelex"}


def test_auto_follows_the_measurements() -> None:
    assert choose_backend("kmeans", "auto") == "scikit-learn"
    assert choose_backend("tsne", "auto") == ("intelex" if has_intelex() else "scikit-learn")


def test_without_intelex_everything_runs_on_scikit_learn(
    points: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(estimators, "has_intelex", lambda: False)
    assert embed_tsne.fn(points[:60], iterations=250).summary["backend"] == "scikit-learn"
    with pytest.raises(InputError, match="scikit-learn-intelex is not installed here"):
        choose_backend("kmeans", "intelex")


def test_a_limit_ends_with_the_last_of_its_users() -> None:
    from threadpoolctl import threadpool_info, threadpool_limits

    def blas() -> set[int]:
        return {int(one["num_threads"]) for one in threadpool_info() if one["user_api"] == "blas"}

    with limited_to(1):  # whatever it loads is loaded from here on
        pass
    with threadpool_limits(2, user_api="blas"):
        before = blas()
        first, second = limited_to(1), limited_to(1)
        first.__enter__()
        second.__enter__()
        assert blas() == {1}
        first.__exit__(None, None, None)
        assert blas() == {1}
        second.__exit__(None, None, None)
        assert blas() == before


@intelex
def test_a_limit_holds_for_onedal_too() -> None:
    choose_backend("tsne", "intelex")
    daal4py = sys.modules["daal4py"]
    before = daal4py.num_threads()
    with limited_to(1):
        assert daal4py.num_threads() == 1
    assert daal4py.num_threads() == before
