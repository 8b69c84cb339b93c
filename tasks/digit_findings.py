"""The headline numbers of clustered images, held against what was measured on MNIST before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine import stage
from tasks.judging import Band, conclude, judge_value

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pandas as pd

# For MNIST with unit rows in 40 components, means over seeds, as measured with plain scikit-learn
# before; one run of 10 clusters moves by several points, one of 100 by half a point.
REFERENCE = ("normalise", "pca40")
BANDS: dict[tuple[str, int], Band] = {
    ("kmeans", 10): Band("60 measured", 54, 66),
    ("kmeans", 100): Band("89.5 measured", 88.5, 90.5),
    ("kmeans", 300): Band("93.9 measured", 92.9, 94.9),
    ("kmeans", 1000): Band("higher than with 300", 94.4, 100),
    ("kmeans", 2000): Band("higher than with 300", 94.4, 100),
    ("minibatch", 100): Band("87.6 measured", 86.1, 89.1),
    ("minibatch", 300): Band("93.1 measured", 91.6, 94.6),
    ("minibatch", 1000): Band("higher than with 300", 93.6, 100),
    ("minibatch", 2000): Band("higher than with 300", 93.6, 100),
}
TITLES = {"kmeans": "KMeans", "minibatch": "MiniBatchKMeans"}


@stage(packages=("pandas",))
def tabulate_digits(
    means: pd.DataFrame,
    shown: dict[str, Any],
    prototypes: pd.DataFrame,
    quality: dict[str, Any],
    projection: dict[str, Any] | None = None,
    *,
    reference: bool = True,
) -> dict[str, Any]:
    """Collect the numbers that a run is judged by, each with its band where one is known.

    Arguments:
        means: of `summarise_sweep`.
        shown: of `score_clusters`, for the clustering that is drawn.
        prototypes: of `collect_prototypes`.
        quality: of `measure_embedding`.
        projection: of `project`, for the space that is drawn; none for that of the pixels.
        reference: the data is all of MNIST; the bands hold for no other.

    Returns:
        findings, a list of {name, value, unit, expected, low, high, met, source}, met being None
        where there is no band; met and checked, how many bands are kept of how many; sentence.
    """
    findings = [
        *_about_reference(means, reference),
        _row(
            "best clustering of the sweep", 100 * float(means["accuracy"].max()), "summarise_sweep"
        ),
        *_about_shown(shown, projection),
        *_about_prototypes(prototypes),
        *_about_embedding(quality),
    ]
    return conclude(findings, "for this data")


def _row(
    name: str, value: float, source: str, band: Band | None = None, unit: str = "%"
) -> dict[str, Any]:
    return judge_value(name, value, source, band, unit)


def _about_reference(means: pd.DataFrame, reference: bool) -> Iterator[dict[str, Any]]:
    """Accuracies in the space whose numbers are known, where the sweep has them."""
    scaling, space = REFERENCE
    there = means[(means["scaling"] == scaling) & (means["space"] == space)]
    for algorithm, clusters in BANDS:
        cell = there[(there["algorithm"] == algorithm) & (there["clusters"] == clusters)]
        if len(cell):
            seeds = int(cell["seeds"].iloc[0])
            yield _row(
                f"{TITLES[algorithm]}, {clusters:,} clusters, unit rows, 40 components"
                + (f" (mean of {seeds} seeds)" if seeds > 1 else " (one seed)"),
                100 * float(cell["accuracy"].iloc[0]),
                "summarise_sweep",
                BANDS[algorithm, clusters] if reference else None,
            )


def _about_shown(
    shown: Mapping[str, Any], projection: Mapping[str, Any] | None
) -> Iterator[dict[str, Any]]:
    title = f"{TITLES[shown['algorithm']]} drawn below, {shown['clusters']:,} clusters"
    yield _row(f"{title}: test images told right", 100 * shown["accuracy"], "score_clusters")
    yield _row(f"{title}: purity of the training images", 100 * shown["purity"], "score_clusters")
    yield _row(f"{title}: clusters without a label", shown["unmapped"], "score_clusters", unit="")
    if projection:
        yield _row(
            f"variance explained by {projection['components']:,} components",
            100 * projection["explained"],
            "project",
        )


def _about_prototypes(table: pd.DataFrame) -> Iterator[dict[str, Any]]:
    means = table.groupby("prototypes")["accuracy"].mean()
    most = int(means.index.max())
    yield _row(
        f"nearest of {most:,} prototypes, clustered inside each class",
        100 * float(means[most]),
        "fit_prototypes",
    )


def _about_embedding(quality: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    source, k = "measure_embedding", quality["neighbours"]
    yield _row(f"t-SNE: kept of the {k} nearest neighbours", 100 * quality["knn"], source)
    yield _row("t-SNE: trustworthiness", quality["trustworthiness"], source, unit="")
    yield _row("t-SNE: points among their own class", 100 * quality["label_accuracy"], source)
