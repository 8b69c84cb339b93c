"""What clusters mean: labels learned from the training rows, accuracy counted on the test rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from engine import stage
from tasks.figures.words import counted, percent, prose

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    import pandas as pd

    from tasks.clustering import Cell


# What a score repeats of its clustering, so that a sweep can be read from the scores alone.
CARRIED = ("clusters", "algorithm", "seed", "inertia", "iterations", "backend")


class Meaning(NamedTuple):
    """Of each cluster: label (code of a class), size and purity (share of its training rows with
    the majority label, 0 where empty), and whether the label is its own; all (k,)."""

    label: np.ndarray
    size: np.ndarray
    purity: np.ndarray
    mapped: np.ndarray


class Score(NamedTuple):
    """summary: see `rate_cell` · confusion: truth, predicted, rows, every pair of classes ·
    mapping: cluster, label (name), size, purity, mapped."""

    summary: dict[str, Any]
    confusion: pd.DataFrame
    mapping: pd.DataFrame


@stage(packages=("scikit-learn", "numpy"), parallel=False)
def rate_cell(
    cell: Cell,
    train: Mapping[str, np.ndarray],
    test: Mapping[str, np.ndarray],
    about: dict[str, Any],
) -> dict[str, Any]:
    """Give each cluster the majority label of its training rows and score the test rows by it.

    Arguments:
        cell: what `cluster_digits` returned.
        train, test: y, int64, the code of each row's class.
        about: classes, the names by code.

    Returns:
        clusters, algorithm, seed, dimensions, inertia, iterations, backend: of the cell.
        accuracy: of the test rows, 0..1; per_class: the same by name, None without a test row.
        purity: share of the training rows with the majority label of their cluster.
        empty: clusters without a training row; unmapped: empty, or tied for the majority (such a
        cluster takes the label of the nearest centroid that has one).
        ari, nmi, v_measure, homogeneity, completeness: of the test rows (Hubert & Arabie 1985;
        Rosenberg & Hirschberg 2007).
        finding: the sentence.
    """
    return _score(cell, train["y"], test["y"], about["classes"])[0]


@stage(packages=("scikit-learn", "numpy", "pandas"))
def score_clusters(
    cell: Cell,
    train: Mapping[str, np.ndarray],
    test: Mapping[str, np.ndarray],
    about: dict[str, Any],
) -> Score:
    """What `rate_cell` counts, and which classes are taken for which, and what each cluster means."""
    import numpy as np
    import pandas as pd

    names = about["classes"]
    summary, meaning, predicted = _score(cell, train["y"], test["y"], names)
    mapping = pd.DataFrame(
        {
            "cluster": np.arange(len(meaning.label)),
            "label": [names[code] for code in meaning.label],
            "size": meaning.size,
            "purity": meaning.purity,
            "mapped": meaning.mapped,
        }
    )
    return Score(summary, confuse(test["y"], predicted, names), mapping)


def learn_meaning(
    assignment: np.ndarray, codes: np.ndarray, centroids: np.ndarray, classes: int
) -> Meaning:
    """The majority label of each cluster, learned from training rows and nothing else.

    A cluster without one (empty, or tied) takes that of the nearest centroid that has one; where
    all are tied, every cluster gets the most frequent label, as something must be answered.

    Arguments:
        assignment, codes: cluster and class of each training row, (n,).
        centroids: (k, c).
    """
    import numpy as np

    clusters = len(centroids)
    flat = np.bincount(assignment.astype(np.int64) * classes + codes, minlength=clusters * classes)
    counts = flat.reshape(clusters, classes)
    size, most = counts.sum(axis=1), counts.max(axis=1)
    mapped = (counts == most[:, None]).sum(axis=1) == 1
    label = counts.argmax(axis=1)
    if not mapped.any():
        label[:] = counts.sum(axis=0).argmax()
    elif not mapped.all():
        own, others = centroids[mapped].astype(np.float64), centroids[~mapped].astype(np.float64)
        # The centroids' own squares do not change which one is nearest.
        apart = (own**2).sum(axis=1) - 2 * others @ own.T
        label[~mapped] = label[mapped][apart.argmin(axis=1)]
    return Meaning(label, size, most / np.maximum(size, 1), mapped)


def rate_classes(
    truth: np.ndarray, predicted: np.ndarray, names: Sequence[str]
) -> dict[str, float | None]:
    """Share of each class's rows that was told right, by name; None of a class without a row."""
    import numpy as np

    rows = np.bincount(truth, minlength=len(names))
    right = np.bincount(truth[truth == predicted], minlength=len(names))
    return {
        name: float(r / n) if n else None for name, r, n in zip(names, right, rows, strict=True)
    }


def confuse(truth: np.ndarray, predicted: np.ndarray, names: Sequence[str]) -> pd.DataFrame:
    """How many rows of each class (truth) were taken for each (predicted); all pairs in order."""
    import numpy as np
    import pandas as pd

    classes = len(names)
    counts = np.bincount(truth * classes + predicted, minlength=classes**2)
    rows, columns = np.divmod(np.arange(classes**2), classes)
    text = np.array(names, dtype=object)
    return pd.DataFrame({"truth": text[rows], "predicted": text[columns], "rows": counts})


def say_weakest(per_class: Mapping[str, float | None], confusion: pd.DataFrame | None) -> str:
    """The class that is told worst, and what it is mostly taken for."""
    told = {name: share for name, share in per_class.items() if share is not None}
    if len(set(told.values())) == 1:
        return f"all classes are told alike ({percent(min(told.values()))})"
    name = min(told, key=lambda each: told[each])
    text = f"{prose(name)} is told worst ({percent(told[name])})"
    if confusion is None:
        return text
    wrong = confusion[(confusion["truth"] == name) & (confusion["predicted"] != name)]
    if not len(wrong) or not wrong["rows"].max():
        return text
    other = wrong.iloc[int(wrong["rows"].to_numpy().argmax())]["predicted"]
    return f"{text}, mostly taken for {prose(str(other))}"


def _score(
    cell: Cell, learned: np.ndarray, truth: np.ndarray, names: Sequence[str]
) -> tuple[dict[str, Any], Meaning, np.ndarray]:
    from sklearn import metrics

    meaning = learn_meaning(cell.assignment["train"], learned, cell.centroids, len(names))
    found = cell.assignment["test"]
    predicted = meaning.label[found]
    accuracy = float((predicted == truth).mean())
    per_class = rate_classes(truth, predicted, names)
    empty, unmapped = int((meaning.size == 0).sum()), int((~meaning.mapped).sum())
    own = "its own" if unmapped == 1 else "their own"
    homogeneity, completeness, v_measure = metrics.homogeneity_completeness_v_measure(truth, found)
    k = len(meaning.label)
    summary = {
        **{name: cell.summary[name] for name in CARRIED},
        "dimensions": cell.centroids.shape[1],
        "accuracy": accuracy,
        "per_class": per_class,
        "purity": float((meaning.purity * meaning.size).sum() / meaning.size.sum()),
        "empty": empty,
        "unmapped": unmapped,
        "ari": float(metrics.adjusted_rand_score(truth, found)),
        "nmi": float(metrics.normalized_mutual_info_score(truth, found)),
        "v_measure": float(v_measure),
        "homogeneity": float(homogeneity),
        "completeness": float(completeness),
        "finding": f"{counted(k, 'cluster')} tell{'s' * (k == 1)} {percent(accuracy)} of the "
        f"{len(truth):,} test images right; {say_weakest(per_class, None)}"
        + (f"; {counted(unmapped, 'cluster')} had no label of {own}." if unmapped else "."),
    }
    return summary, meaning, predicted
