"""The numbers of clusters as a classifier on all of MNIST, from the bundled copy."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine import File
from tasks.clustering import cluster_digits
from tasks.components import Components, fit_components, project
from tasks.digit_findings import BANDS
from tasks.embedding import embed_tsne, measure_embedding
from tasks.images import Images, load_images
from tasks.prototypes import fit_prototypes
from tasks.scaling import fit_scaling
from tasks.scores import rate_cell

pytestmark = pytest.mark.slow

SEEDS = range(5)


@pytest.fixture(scope="module")
def images() -> Images:
    data = Path(__file__).parents[2] / "data" / "mnist.npz"
    return load_images.fn(File(data=data.read_bytes(), suffix=".npz"))


@pytest.fixture(scope="module")
def components(images: Images) -> tuple[Components, Any]:
    learned = fit_scaling.fn(images.train, scaling="normalise")
    return fit_components.fn(images.train, learned), learned


@pytest.fixture(scope="module")
def space(images: Images, components: tuple[Components, Any]) -> dict[str, np.ndarray]:
    fit, learned = components
    found = project.fn(images.train, images.test, fit.basis, learned, components=40)
    assert found.summary["explained"] == pytest.approx(0.769, abs=0.002)
    return {"train": found.train, "test": found.test}


@pytest.mark.parametrize(
    ("algorithm", "clusters"), [cell for cell in BANDS if cell[1] in (100, 300)]
)
def test_accuracy_lies_in_its_band(
    images: Images, space: dict[str, np.ndarray], algorithm: Any, clusters: int
) -> None:
    def accuracy(seed: int) -> float:
        cell = cluster_digits.fn(space, clusters=clusters, algorithm=algorithm, seed=seed)
        rated = rate_cell.fn(cell, *images)
        assert rated["empty"] == 0
        return 100 * float(rated["accuracy"])

    with ThreadPoolExecutor(2) as pool:
        mean = float(np.mean(list(pool.map(accuracy, SEEDS))))
    band = BANDS[algorithm, clusters]
    assert band.low is not None
    assert band.high is not None
    assert band.low <= mean <= band.high


def test_more_clusters_tell_more(images: Images, space: dict[str, np.ndarray]) -> None:
    accuracy = [
        rate_cell.fn(cluster_digits.fn(space, clusters=k), *images)["accuracy"]
        for k in (10, 40, 160, 640)
    ]
    assert accuracy == sorted(accuracy)
    assert accuracy[-1] > 0.94


def test_prototypes_beat_what_peers_report(images: Images, space: dict[str, np.ndarray]) -> None:
    fit = fit_prototypes.fn(space, *images, per_class=100)
    # .9265 with 1,000 prototypes of raw pixels, .9555 with 10,000.
    assert fit.summary["accuracy"] > 0.9555


def test_a_map_keeps_neighbours_and_classes(images: Images, space: dict[str, np.ndarray]) -> None:
    embedding = embed_tsne.fn(space["train"], sample=4000)
    quality = measure_embedding.fn(space["train"], embedding.points, images.train)
    assert quality["knn"] > 0.45
    assert quality["trustworthiness"] > 0.98
    assert quality["label_accuracy"] > 0.91
