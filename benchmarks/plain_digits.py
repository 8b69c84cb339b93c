"""The computations of the flow `digits`, preset quick, as a script with scikit-learn alone.

It has no store, no figures and no page; what it is given is what scikit-learn takes by default,
save the number of t-SNE's steps, which are the flow's.

    .venv/bin/python benchmarks/plain_digits.py data/mnist.npz float64
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
from sklearn import metrics
from sklearn.cluster import KMeans, MiniBatchKMeans
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE, trustworthiness
from sklearn.neighbors import KNeighborsClassifier, NearestNeighbors
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Normalizer, StandardScaler

SCALINGS: dict[str, list[Any]] = {
    "unit": [],
    "standard": [StandardScaler],
    "normalise": [Normalizer],
    "standard-normalise": [StandardScaler, Normalizer],
    "normalise-standard": [Normalizer, StandardScaler],
}
COMPONENTS, CLUSTERS, PER_CLASS = 40, (10, 40, 100), (1, 10, 50)
SAMPLE, NEIGHBOURS = 4000, 10


def main(path: str, dtype: str) -> None:
    """Print the numbers that the flow's table of findings holds."""
    with np.load(path) as images:
        train, test = (
            images[name].reshape(len(images[name]), -1).astype(dtype) / np.dtype(dtype).type(255)
            for name in ("x_train", "x_test")
        )
        y, y_test = images["y_train"].astype(int), images["y_test"].astype(int)

    spaces = {}
    for name, steps in SCALINGS.items():
        scaled, scaled_test = train, test
        if steps:
            pipeline = make_pipeline(*(step() for step in steps))
            scaled, scaled_test = pipeline.fit_transform(train), pipeline.transform(test)
        pca = PCA(COMPONENTS)  # its solver here is covariance_eigh
        spaces[name] = [pca.fit_transform(scaled), pca.transform(scaled_test)]
        print(f"{name}: 40 components explain {pca.explained_variance_ratio_.sum():.4f}")

    for name, (points, unseen) in spaces.items():
        known = name == "normalise"
        for algorithm in (MiniBatchKMeans, KMeans) if known else (MiniBatchKMeans,):
            for k in CLUSTERS:
                for seed in (0, 1) if known else (0,):
                    model = algorithm(k, random_state=seed).fit(points)
                    told = rate(model.labels_, y, model.predict(unseen), y_test)
                    print(name, algorithm.__name__, k, seed, told)

    points, unseen = spaces["normalise"]
    for count in PER_CLASS:
        fits = [KMeans(count, random_state=0).fit(points[y == digit]) for digit in range(10)]
        prototypes = np.concatenate([fit.cluster_centers_ for fit in fits])
        nearest = KNeighborsClassifier(1).fit(prototypes, np.repeat(np.arange(10), count))
        print(f"{count} prototypes a class: {nearest.score(unseen, y_test):.4f}")

    rows = np.random.default_rng(0).choice(len(points), SAMPLE, replace=False)
    chosen, codes = points[rows], y[rows]
    xy = TSNE(max_iter=750, random_state=0, n_jobs=-1).fit_transform(chosen)
    near, shown = (
        NearestNeighbors(n_neighbors=NEIGHBOURS).fit(each).kneighbors(return_distance=False)
        for each in (chosen, xy)
    )
    kept = np.mean([len(np.intersect1d(a, b)) for a, b in zip(near, shown, strict=True)])
    votes = np.array([np.bincount(codes[each], minlength=10).argmax() for each in shown])
    print(
        f"t-SNE: {kept / NEIGHBOURS:.4f} of the neighbours kept, "
        f"trustworthiness {trustworthiness(chosen, xy, n_neighbors=NEIGHBOURS):.4f}, "
        f"own class {(votes == codes).mean():.4f}"
    )


def rate(found: np.ndarray, y: np.ndarray, found_test: np.ndarray, y_test: np.ndarray) -> str:
    """Accuracy by the clusters' majority labels, purity, and three indices, as text."""
    counts = metrics.cluster.contingency_matrix(y, found)
    label = np.zeros(found.max() + 1, dtype=int)
    label[np.unique(found)] = counts.argmax(axis=0)
    predicted = label[np.minimum(found_test, len(label) - 1)]
    recall = metrics.confusion_matrix(y_test, predicted, normalize="true").diagonal()
    return (
        f"accuracy {metrics.accuracy_score(y_test, predicted):.4f} "
        f"(worst class {recall.min():.4f}) purity {counts.max(axis=0).sum() / len(y):.4f} "
        f"ARI {metrics.adjusted_rand_score(y_test, found_test):.4f} "
        f"NMI {metrics.normalized_mutual_info_score(y_test, found_test):.4f} "
        f"V {metrics.v_measure_score(y_test, found_test):.4f}"
    )


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
