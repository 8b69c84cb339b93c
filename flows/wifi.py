"""Cluster analysis of WiFi signal strengths in four rooms, or of any labelled table."""

from __future__ import annotations

from typing import Any

from engine import InputError, flow, source
from flows.wifi_parameters import PRESETS, WifiParameters
from report.page import Section, page_of
from tasks.choice import choose_k
from tasks.classifier import classify_by_clusters, collect_tables, summarise_accuracy
from tasks.criteria import measure_stability, scan_clusters, scan_uniform, silhouette_profile
from tasks.density import estimate_densities
from tasks.download import download_dataset
from tasks.figures.classifier import draw_classifier, draw_forest
from tasks.figures.clusters import draw_crosstab, draw_silhouettes
from tasks.figures.criteria import draw_criteria, draw_silhouette_curve
from tasks.figures.elbow import draw_elbow
from tasks.figures.overlay import draw_overlay
from tasks.figures.pairs import draw_pairs
from tasks.figures.pca import draw_pca
from tasks.figures.planes import draw_best_pairs, draw_centroids
from tasks.figures.signals import draw_densities
from tasks.findings import tabulate_findings
from tasks.forest import score_forest
from tasks.kmeans import cross_tabulate, fit_kmeans, pick_pairs
from tasks.pca import fit_pca
from tasks.tables import check_table, read_table

NAMES = [f"WLAN-{number}" for number in range(7)]
ROOMS = {"1": "room 1", "2": "room 2 (hall)", "3": "room 3", "4": "room 4"}
PAIRS = [("WLAN-0", "WLAN-4"), ("WLAN-3", "WLAN-4")]

SECTIONS = (
    Section(
        "Signals",
        "How strong is each signal in each room? A second peak hints at a part of a room that the "
        "labels do not know.",
        figures=("draw_densities",),
    ),
    Section(
        "A supervised reference",
        "How well can the labels be told at all? A random forest answers, on rows it never saw.",
        figures=("draw_forest",),
    ),
    Section(
        "How many clusters?",
        "Each criterion asks another question, so they need not agree.",
        figures=("draw_elbow", "draw_criteria", "draw_silhouette_curve", "draw_silhouettes"),
        tables=("scan",),
        sentences=("choice",),
    ),
    Section(
        "The clusters",
        "Where do they lie, and do they meet the labels, which they never saw?",
        figures=(
            "draw_pairs",
            "draw_best_pairs",
            "draw_centroids",
            "draw_overlay",
            "draw_crosstab",
        ),
        tables=("counts",),
        sentences=("agreement",),
    ),
    Section(
        "Principal components",
        "Which directions carry the variance, and which signals are they made of?",
        figures=("draw_pca",),
        tables=("variance", "loadings"),
    ),
    Section(
        "Clusters as a classifier",
        "Clusters and their labels are learned on training rows; the accuracy is that on unseen rows.",
        figures=("draw_classifier",),
        tables=("accuracy",),
    ),
)


def check_data(p: WifiParameters) -> None:
    """Look at the table before any stage runs; raises InputError for what cannot work."""
    features, rows = NAMES, 2000
    if p.data.path is not None:
        about = check_table(p.data.path, p.data.label, names=p.data.names)
        features, rows = about["features"], about["rows"]
    if len(features) < 2:
        raise InputError(
            f"{p.data.path}: clusters are drawn in planes of two features; it has only {features[0]}"
        )
    train = rows - round(p.classifier.test_fraction * rows)
    for name, most, available in (
        ("clusters.k_max", p.clusters.k_max, rows - 1),
        ("classifier.clusters", max(p.classifier.clusters), train),
    ):
        if most > available:
            raise InputError(
                f"{name} = {most}: expected at most {available:,}, as the table has {rows:,} rows and "
                f"{train:,} of them to train on"
            )
    for pair in p.figures.pairs or ():
        unknown = [name for name in pair if name not in features]
        if unknown:
            raise InputError(
                f"figures.pairs: there is no feature {unknown[0]}; there is {', '.join(features)}"
            )


@flow(
    name="wifi",
    parameters=WifiParameters,
    presets=PRESETS,
    check=check_data,
    page=page_of(SECTIONS, about=__doc__, parameters=WifiParameters),
)
def wifi(p: WifiParameters) -> dict[str, Any]:
    """Densities, a forest as reference, clusters and their number, components, and a classifier."""
    data, reference = p.data, p.data.is_reference
    how: dict[str, Any] = p.clusters.model_dump(include={"n_init", "seed", "algorithm"})
    ks: dict[str, Any] = p.clusters.model_dump(include={"k_min", "k_max"})
    chance = {**ks, **how, "n_init": p.reference.n_init}

    raw: Any
    if data.path is None:
        raw = download_dataset(name="wifi", offline=data.offline)
        table = read_table(
            raw, label="room", names=NAMES, unit="dBm", class_names=ROOMS, name="wifi"
        )
    else:
        raw = source(data.path)
        table = read_table(raw, label=data.label, names=data.names, unit=data.unit or "")
    features, labels, about = table

    densities = estimate_densities(features, labels)
    forest = score_forest(features, labels, **p.forest.model_dump())

    scan = scan_clusters(features, **ks, **how)
    uniform = scan_uniform(features, **chance, references=p.reference.references)
    stability = measure_stability(features, **chance, resamples=p.reference.resamples)
    choice = choose_k(scan, uniform, stability)
    profiles = silhouette_profile.map(features, over={"clusters": p.clusters.profiles}, **how)
    by_k = {str(k): profile for k, profile in zip(p.clusters.profiles, profiles, strict=True)}

    first, second = p.clusters.chosen
    fits = {k: fit_kmeans.labelled(f"k={k}")(features, clusters=k, **how) for k in (first, second)}
    fewer, fit = fits[first], fits[second]
    tables = {
        k: cross_tabulate.labelled(f"k={k}")(each.assignment, labels) for k, each in fits.items()
    }
    counts = tables[second].counts
    pairs = p.figures.pairs or (PAIRS if reference else None)
    planes = pick_pairs(features, fit.assignment, pairs=pairs)

    components = fit_pca(features)
    results = collect_tables(
        classify_by_clusters.map(
            features,
            labels,
            over={"space": p.classifier.spaces, "clusters": p.classifier.clusters},
            splits=p.classifier.splits,
            test_fraction=p.classifier.test_fraction,
            **{**how, "n_init": p.classifier.n_init},
        )
    )
    findings = tabulate_findings(
        densities.peaks,
        forest.summary,
        scan,
        choice,
        {str(k): table.counts for k, table in tables.items()},
        components.variance,
        components.loadings,
        results,
        about,
        reference=reference,
    )

    return {
        "findings": findings,
        "choice": choice,
        "scan": scan,
        "counts": counts,
        "agreement": tables[second].summary,
        "variance": components.variance,
        "loadings": components.loadings,
        "accuracy": summarise_accuracy(results),
        "glance": {
            "features": features,
            "labels": labels,
            "assignment": fit.assignment,
            "planes": planes,
            "about": about,
        },
        "draw_densities": draw_densities(densities.curves, densities.peaks, about),
        "draw_forest": draw_forest(forest.scores, forest.importances),
        "draw_elbow": draw_elbow(scan, uniform, choice),
        "draw_criteria": draw_criteria(scan, choice, stability),
        "draw_silhouette_curve": draw_silhouette_curve(scan, choice),
        "draw_silhouettes": draw_silhouettes(by_k),
        "draw_pairs": draw_pairs(features, fit.assignment, about),
        "draw_best_pairs": draw_best_pairs(features, fit.assignment, planes, about),
        "draw_centroids": draw_centroids(
            features, labels, fewer.centroids, fit.centroids, planes, about
        ),
        "draw_overlay": draw_overlay(features, labels, fit.assignment, counts, planes, about),
        "draw_crosstab": draw_crosstab(counts, about),
        "draw_pca": draw_pca(
            components.variance, components.loadings, components.scores, labels, about
        ),
        "draw_classifier": draw_classifier(results, reference=0.98 if reference else None),
    }
