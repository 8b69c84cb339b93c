from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.metrics import pairwise_distances_argmin

from engine import InputError
from tasks.clustering import Algorithm, cluster_digits

ALGORITHMS: list[Algorithm] = ["kmeans", "minibatch"]


@pytest.fixture(scope="module")
def space() -> dict[str, np.ndarray]:
    points = load_digits().data.astype(np.float32)
    points.flags.writeable = False  # as a memory-mapped array of the store is
    return {"train": points[:1400], "test": points[1400:]}


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_rows_belong_to_their_nearest_centroid(
    space: dict[str, np.ndarray], algorithm: Algorithm
) -> None:
    cell = cluster_digits.fn(space, clusters=20, algorithm=algorithm)
    assert cell.centroids.dtype == np.float32
    for part in ("train", "test"):
        nearest = pairwise_distances_argmin(space[part], cell.centroids)
        assert cell.assignment[part].dtype == np.int32
        assert (nearest == cell.assignment[part]).mean() > 0.995
    squares = ((space["train"] - cell.centroids[cell.assignment["train"]]) ** 2).sum()
    assert cell.summary["inertia"] == pytest.approx(squares, rel=1e-3)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_clusters_are_numbered_by_falling_size(
    space: dict[str, np.ndarray], algorithm: Algorithm
) -> None:
    cell = cluster_digits.fn(space, clusters=15, algorithm=algorithm)
    sizes = np.bincount(cell.assignment["train"], minlength=15)
    assert (np.diff(sizes) <= 0).all()
    assert (cell.summary["largest"], cell.summary["smallest"]) == (sizes[0], sizes[-1])


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_test_rows_do_not_move_the_clusters(
    space: dict[str, np.ndarray], algorithm: Algorithm
) -> None:
    one = cluster_digits.fn(space, clusters=12, algorithm=algorithm)
    other = cluster_digits.fn(
        {"train": space["train"], "test": space["test"][:3] * 0}, clusters=12, algorithm=algorithm
    )
    assert one.centroids.tobytes() == other.centroids.tobytes()


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_cells_side_by_side_give_the_same_bits(
    space: dict[str, np.ndarray], algorithm: Algorithm
) -> None:
    def bits(seed: int) -> tuple[bytes, bytes, str]:
        cell = cluster_digits.fn(space, clusters=30, algorithm=algorithm, seed=seed)
        return (
            cell.centroids.tobytes(),
            cell.assignment["test"].tobytes(),
            str(cell.summary),
        )

    alone = [bits(seed) for seed in range(4)]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(bits, range(4)))
    assert alone == together
    assert len(set(alone)) == 4


def test_threads_are_given_back(space: dict[str, np.ndarray]) -> None:
    from threadpoolctl import threadpool_info

    def threads() -> list[int]:
        return [int(library["num_threads"]) for library in threadpool_info()]

    cluster_digits.fn(space, clusters=5)
    before = threads()
    workers = [
        threading.Thread(target=cluster_digits.fn, args=(space,), kwargs={"clusters": k})
        for k in (5, 50, 20)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert threads() == before


def test_more_starts_are_no_worse(space: dict[str, np.ndarray]) -> None:
    inertias = [
        cluster_digits.fn(space, clusters=10, algorithm="kmeans", n_init=n).summary["inertia"]
        for n in (1, 8)
    ]
    assert inertias[1] <= inertias[0]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_one_cluster_and_a_cluster_a_row_work(algorithm: Algorithm) -> None:
    points = np.random.default_rng(0).normal(size=(12, 3)).astype(np.float32)
    space = {"train": points, "test": points[:4]}
    one = cluster_digits.fn(space, clusters=1, algorithm=algorithm)
    assert one.centroids[0] == pytest.approx(points.mean(axis=0), abs=0.2)
    each = cluster_digits.fn(space, clusters=12, algorithm=algorithm)
    assert each.centroids.shape == (12, 3)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_equal_rows_leave_clusters_empty_and_say_so(algorithm: Algorithm) -> None:
    points = np.zeros((20, 2), dtype=np.float32)
    points[10:] = 1
    cell = cluster_digits.fn({"train": points, "test": points}, clusters=5, algorithm=algorithm)
    assert cell.summary["smallest"] == 0
    assert np.isfinite(cell.centroids).all()


def test_impossible_values_are_named(space: dict[str, np.ndarray]) -> None:
    for clusters in (0, 1401):
        with pytest.raises(InputError, match=f"clusters = {clusters}: expected 1 to 1,400"):
            cluster_digits.fn(space, clusters=clusters)
    with pytest.raises(InputError, match="algorithm = 'dbscan': choose one of kmeans, minibatch"):
        cluster_digits.fn(space, algorithm="dbscan")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="backend = 'gpu': choose one of auto"):
        cluster_digits.fn(space, backend="gpu")  # type: ignore[arg-type]
