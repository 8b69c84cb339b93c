"""A random forest as the supervised reference: what accuracy the labels allow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from engine import stage
from tasks.figures.words import counted, percent, prose
from tasks.splits import stratified_splits

if TYPE_CHECKING:
    import pandas as pd


class Forest(NamedTuple):
    """scores: split, accuracy (0..1, on unseen rows) · importances: feature, importance (sum 1),
    largest first · summary: mean, sd, lowest, highest, splits, trees, rows, baseline, finding."""

    scores: pd.DataFrame
    importances: pd.DataFrame
    summary: dict[str, Any]


@stage(packages=("scikit-learn", "numpy"))
def score_forest(
    features: pd.DataFrame,
    labels: pd.DataFrame,
    *,
    trees: int = 100,
    splits: int = 8,
    test_fraction: float = 0.25,
    seed: int = 0,
) -> Forest:
    """Train a forest (Breiman 2001) on each of several stratified splits and score the rest.

    importance is the mean decrease of Gini impurity, averaged over the splits; it favours features
    with many values and divides the credit of correlated ones. baseline is the share of the
    largest class: what guessing reaches. sd is the sample deviation over splits (0 for one).

    Arguments:
        features: float64 (n, d); labels: column label, str (n,).

    Raises:
        InputError: the rows cannot be divided (see `stratified_splits`).
    """
    import numpy as np
    import pandas as pd
    from sklearn.ensemble import RandomForestClassifier

    points = features.to_numpy(dtype=np.float64)
    truth = labels["label"].to_numpy(dtype=object)
    scores, importances = [], np.zeros(points.shape[1])
    train, test = np.array([]), np.array([])
    for split, (train, test) in enumerate(stratified_splits(truth, splits, test_fraction, seed)):
        model = RandomForestClassifier(trees, random_state=seed + split, n_jobs=1)
        model.fit(points[train], truth[train])
        scores.append({"split": split, "accuracy": float(model.score(points[test], truth[test]))})
        importances += model.feature_importances_ / splits
    table = pd.DataFrame(scores)
    ranked = pd.DataFrame({"feature": features.columns.astype("str"), "importance": importances})
    ranked = ranked.sort_values("importance", ascending=False, kind="stable", ignore_index=True)
    mean = float(table["accuracy"].mean())
    spread = float(table["accuracy"].std(ddof=1)) if splits > 1 else 0.0
    baseline = float(labels["label"].value_counts(normalize=True).max())
    return Forest(
        table,
        ranked,
        {
            "mean": mean,
            "sd": spread,
            "lowest": float(table["accuracy"].min()),
            "highest": float(table["accuracy"].max()),
            "splits": splits,
            "trees": trees,
            "train_rows": len(train),
            "test_rows": len(test),
            "baseline": baseline,
            "finding": (
                f"A forest of {trees} trees names the label of {percent(mean)} (± {percent(spread)}"
                f" over {counted(splits, 'split')}) of {counted(len(test), 'unseen row')}, against "
                f"{percent(baseline)} for guessing the largest class; it uses "
                f"{prose(ranked['feature'][0])} most "
                f"({percent(float(ranked['importance'][0]), 0)} of the impurity decrease)."
            ),
        },
    )
