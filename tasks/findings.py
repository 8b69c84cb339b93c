"""The headline numbers of a cluster analysis, held against what was measured before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from engine import stage
from tasks.bands import BANDS, SECOND_PEAKS
from tasks.figures.words import prose
from tasks.judging import conclude, judge_value

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pandas as pd


class Value(NamedTuple):
    """One number of this run; `key` finds its band."""

    key: str
    name: str
    value: float | None
    unit: str
    source: str


@stage(packages=("pandas",))
def tabulate_findings(
    peaks: pd.DataFrame,
    forest: dict[str, Any],
    scan: pd.DataFrame,
    choice: dict[str, Any],
    counts: dict[str, pd.DataFrame],
    variance: pd.DataFrame,
    loadings: pd.DataFrame,
    results: pd.DataFrame,
    about: dict[str, Any],
    *,
    reference: bool = True,
) -> dict[str, Any]:
    """Collect the numbers that a run is judged by, each with its band where one is known.

    Arguments:
        peaks: feature, label, value, density, rank.
        forest: mean accuracy, 0..1.
        scan: k, inertia and criteria.
        choice: what `choose_k` returned.
        counts: for each drawn k (as text) the table of clusters against labels.
        variance, loadings: of the principal components.
        results: space, clusters, split, accuracy.
        about: unit of the features.
        reference: the data is the UCI set; the bands hold for no other.

    Returns:
        findings, a list of {name, value, unit, expected, low, high, met, source}, met being None
        where there is no band; met and checked, how many bands are kept of how many; sentence.
    """
    values = [
        *_about_peaks(peaks, SECOND_PEAKS if reference else _widest(peaks), str(about["unit"])),
        Value("forest", "random forest, unseen rows", 100 * forest["mean"], "%", "score_forest"),
        *_about_k(scan, choice),
        *_about_clusters(scan, counts),
        *_about_components(variance, loadings),
        *_about_classifier(results),
    ]
    findings = [
        judge_value(
            each.name,
            each.value,
            each.source,
            BANDS.get(each.key) if reference else None,
            each.unit,
        )
        for each in values
    ]
    return conclude(findings, "for this table")


def _widest(peaks: pd.DataFrame, most: int = 2) -> list[tuple[str, str]]:
    """(feature, label) of the curves whose two highest peaks stand furthest apart."""
    apart = peaks[peaks["rank"] <= 2].groupby(["feature", "label"])["value"].agg(["min", "max"])
    width = (apart["max"] - apart["min"]).sort_values(ascending=False, kind="stable")
    return [(str(key[0]), str(key[1])) for key in width[width > 0].index[:most]]


def _about_peaks(
    peaks: pd.DataFrame, curves: Sequence[tuple[str, str]], unit: str
) -> Iterator[Value]:
    for feature, label in curves:
        mine = peaks[(peaks["feature"] == feature) & (peaks["label"] == label)]
        second = mine.loc[mine["rank"] == 2, "value"]
        yield Value(
            f"peak_{feature}",
            f"{prose(feature)}: second peak in {prose(label)}",
            float(second.iloc[0]) if len(second) else None,
            unit,
            "estimate_densities",
        )


def _about_k(scan: pd.DataFrame, choice: Mapping[str, Any]) -> Iterator[Value]:
    yield Value("knee", "knee of the inertia curve", choice["knee"], "clusters", "choose_k")
    for key, name in (
        ("silhouette", "silhouette"),
        ("calinski_harabasz", "Calinski-Harabasz"),
        ("davies_bouldin", "Davies-Bouldin"),
        ("gap", "gap statistic"),
        ("stability", "bootstrap stability"),
    ):
        best, value = choice["best"].get(key), choice["values"].get(key)
        yield Value(f"{key}_k", f"best k by {name}", best, "clusters", "choose_k")
        yield Value(f"{key}_value", f"{name} there", value, "", "choose_k")
    ranked = scan[scan["k"] >= 3].sort_values("silhouette", ascending=False, kind="stable")["k"]
    following = [int(k) for k in ranked if k != choice["best"].get("silhouette")]
    yield Value(
        "silhouette_next",
        "next best k (3 or more) by silhouette",
        following[0] if following else None,
        "clusters",
        "scan_clusters",
    )


def _about_clusters(scan: pd.DataFrame, counts: Mapping[str, pd.DataFrame]) -> Iterator[Value]:
    inertia = {int(k): float(v) for k, v in zip(scan["k"], scan["inertia"], strict=True)}
    for text, table in sorted(counts.items(), key=lambda item: int(item[0])):
        k, own = int(text), inertia.get(int(text))
        yield Value(
            f"inertia_{k}",
            f"k = {k}: inertia",
            None if own is None else own / 1000,
            "thousand",
            "scan_clusters",
        )
        smallest = table[table["size"] > 0].sort_values(["size", "cluster"]).iloc[0]
        yield Value(
            f"smallest_rows_{k}",
            f"k = {k}: smallest cluster",
            int(smallest["size"]),
            "rows",
            "cross_tabulate",
        )
        yield Value(
            f"smallest_purity_{k}",
            f"k = {k}: its rows in {prose(smallest['majority'])}",
            100 * float(smallest["purity"]),
            "%",
            "cross_tabulate",
        )
        agreement = float((table["purity"] * table["size"]).sum() / table["size"].sum())
        yield Value(
            f"agreement_{k}",
            f"k = {k}: rows with their cluster's majority label",
            100 * agreement,
            "%",
            "cross_tabulate",
        )


def _about_components(variance: pd.DataFrame, loadings: pd.DataFrame) -> Iterator[Value]:
    for number, ratio in zip(variance["component"].head(3), variance["ratio"], strict=False):
        yield Value(
            f"ratio_{number}", f"PC{number}: share of the variance", 100 * ratio, "%", "fit_pca"
        )
    shown = min(3, len(variance))
    yield Value(
        f"cumulative_{shown}",
        f"first {shown} components: share of the variance",
        100 * float(variance["cumulative"].iloc[shown - 1]),
        "%",
        "fit_pca",
    )
    weights = loadings.drop(columns="component").to_numpy() ** 2
    names = list(loadings.columns[1:])
    # The posts call PC1 a diagonal of two signals and PC2 a single one.
    for place, features in zip(range(len(weights)), (2, 1), strict=False):
        main = sorted((-weights[place]).argsort(kind="stable")[:features])
        yield Value(
            " ".join([f"axis_{place + 1}", *(names[i] for i in main)]),
            f"PC{place + 1}: squared loadings of {' and '.join(prose(names[i]) for i in main)}",
            100 * float(weights[place][main].sum()),
            "%",
            "fit_pca",
        )


def _about_classifier(results: pd.DataFrame) -> Iterator[Value]:
    """Accuracy where there is a band, and the best of each space."""
    means = results.groupby(["space", "clusters"], sort=False)["accuracy"].mean()
    for space in dict.fromkeys(results["space"]):
        curve = means[space]
        best = int(curve.idxmax())
        for k in sorted({*(k for k in curve.index if f"{space}_{k}" in BANDS), best}):
            yield Value(
                f"{space}_{k}",
                f"{k} clusters as classifier, {space}{' (best)' if k == best else ''}",
                100 * float(curve[k]),
                "%",
                "classify_by_clusters",
            )
