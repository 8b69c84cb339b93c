"""How far clusters get as classifiers of digits, or of any labelled images, without a net."""

from __future__ import annotations

from typing import Any

from engine import InputError, flow
from flows.digit_cells import CELLS, Place, latent_size, place_in, plan_cells, score_cells
from flows.digits_parameters import PRESETS, DigitsParameters
from flows.image_data import count_images, take_images
from flows.latents import take_latents
from report.page import Section, page_of
from tasks.autoencoder.encoding import decode
from tasks.centroids import invert_centroids
from tasks.clustering import cluster_digits
from tasks.components import MOST_COMPONENTS, fit_components, project
from tasks.digit_findings import tabulate_digits
from tasks.embedding import LEAST_ROWS, embed_tsne, measure_embedding
from tasks.figures.accuracy import draw_accuracy
from tasks.figures.confusion import draw_confusion
from tasks.figures.digit_centroids import draw_digit_centroids
from tasks.figures.digit_components import draw_components, draw_variance
from tasks.figures.embedding import draw_tsne
from tasks.figures.prototypes import draw_prototypes
from tasks.figures.samples import draw_samples
from tasks.figures.scaling import draw_scaling
from tasks.figures.sweep import draw_sweep
from tasks.prototypes import collect_prototypes, fit_prototypes
from tasks.scaling import fit_scaling, scale_images
from tasks.scores import score_clusters
from tasks.sweep import collect_sweep, summarise_sweep

SECTIONS = (
    Section("The images", "What is to be told apart?", figures=("draw_samples",)),
    Section(
        "Scaling",
        "Pixel by pixel, image by image, or both? What a scaling is worth shows in the accuracy of "
        "the same clusterings.",
        figures=("draw_scaling",),
    ),
    Section(
        "Principal components",
        "How many directions carry the variance, and what do they look like?",
        figures=("draw_variance", "draw_components"),
        sentences=("components",),
    ),
    Section(
        "Clusters as a classifier",
        "Clusters and their labels are learned on the training images; the accuracy is that on test "
        "images that neither ever saw. Seconds are those of one clustering on one thread, the median "
        "of its seeds.",
        figures=("draw_accuracy", "draw_sweep"),
        tables=("means",),
        sentences=("sweep",),
        seconds=(("means", CELLS),),
    ),
    Section(
        "One clustering",
        "Which classes are taken for which, and what does a cluster look like?",
        figures=("draw_confusion", "draw_digit_centroids"),
        sentences=("score",),
    ),
    Section(
        "Prototypes",
        "Clusters inside each class: how many pictures of each are enough to tell the rest?",
        figures=("draw_prototypes",),
        tables=("prototypes",),
    ),
    Section(
        "A map of the space",
        "t-SNE keeps neighbours together; distances between groups mean little.",
        figures=("draw_tsne",),
        sentences=("quality",),
    ),
)


def check_data(p: DigitsParameters) -> None:
    """Look at the images before any stage runs; raises InputError for what cannot work."""
    rows = count_images(p.data).train
    if rows < LEAST_ROWS:
        raise InputError(
            f"there are {rows} training images, and t-SNE needs at least {LEAST_ROWS}; add some"
        )
    for name, most in (
        ("sweep.clusters", max(p.sweep.clusters)),
        ("shown.clusters", p.shown.clusters),
    ):
        if most > rows:
            fitting = [k for k in p.sweep.clusters if k <= rows // 4] or [min(10, rows)]
            value = fitting if name == "sweep.clusters" else fitting[-1]
            raise InputError(
                f"{name} = {most}: there are {rows:,} training images, and no more clusters than "
                f"that; try --set {name}={str(value).replace(' ', '')}"
            )
    pixels = p.data.size**2
    most = min(pixels, MOST_COMPONENTS)
    for name, space in (
        ("shown.space", p.shown.space),
        *(("sweep.spaces", space) for space in p.sweep.spaces),
        *(("reference.spaces", space) for space in p.reference.spaces),
    ):
        components = _components(space)
        if components is not None and components > most:
            there = (
                f"images of {p.data.size} × {p.data.size} have pixels, {pixels}"
                if most == pixels
                else f"are computed, {most}"
            )
            raise InputError(f"{name}: {space} asks for more components than {there}")


@flow(
    name="digits",
    parameters=DigitsParameters,
    presets=PRESETS,
    check=check_data,
    page=page_of(SECTIONS, about=__doc__, parameters=DigitsParameters),
)
def digits(p: DigitsParameters) -> dict[str, Any]:
    """Scalings, components, a sweep of clusterings, one of them closely, prototypes and a map."""
    images = take_images(p.data)
    train, test, about = images
    how = p.clustering.model_dump()

    groups = plan_cells(p)
    here = place_in(p.shown.scaling, p.shown.space)
    places = list(dict.fromkeys([here, *(place for group in groups for place in group.places)]))
    scaled_places = [(scaling, space) for scaling, space in places if not latent_size(space)]
    scalings = list(dict.fromkeys([p.shown.scaling, *(scaling for scaling, _ in scaled_places)]))
    learned = dict(zip(scalings, fit_scaling.map(train, over={"scaling": scalings}), strict=True))
    bases = dict(zip(scalings, fit_components.map(train, over={"learned": learned}), strict=True))
    basis = bases[p.shown.scaling]
    whole = {scaling: learned[scaling] for scaling, space in places if space == "raw"}
    scaled = scale_images.map(train, test, over={"learned": whole})
    spaces: dict[Place, Any] = {
        (scaling, "raw"): {"train": rows.train, "test": rows.test}
        for scaling, rows in zip(whole, scaled, strict=True)
    }
    projections: dict[Place, Any] = {}
    for scaling in scalings:
        named = {space: _components(space) for each, space in scaled_places if each == scaling}
        named.pop("raw", None)
        found = project.labelled(scaling).map(
            train, test, bases[scaling].basis, learned[scaling], over={"components": named}
        )
        for space, projection in zip(named, found, strict=True):
            projections[scaling, space] = projection
            spaces[scaling, space] = {"train": projection.train, "test": projection.test}
    decoders = {}
    latent = [space for _, space in places if latent_size(space)]
    trained = take_latents(images, latent, p.autoencoder, p.autoencoder.variant)
    for space, (decoder, points) in trained.items():
        decoders[space] = decoder
        spaces[place_in("unit", space)] = {"train": points.train, "test": points.test}

    scores = score_cells(groups, spaces, p.sweep.clusters, images, how)
    table = collect_sweep(scores)
    sweep = summarise_sweep(table)

    space = spaces[here]
    shown = p.shown.model_dump(include={"clusters", "algorithm", "seed"})
    cell = cluster_digits.labelled("shown")(space, **shown, **how)
    score = score_clusters(cell, train, test, about)
    axes = (basis.basis,) if p.shown.space != "raw" else ()
    back = (learned[p.shown.scaling], about, *axes)

    def see(centroids: Any, label: str = "") -> Any:
        """Centroids of the shown space as images."""
        if p.shown.space in decoders:
            return decode.labelled(label)(decoders[p.shown.space], centroids)
        return invert_centroids.labelled(label)(centroids, *back)

    pictures = see(cell.centroids)

    over = {"per_class": p.prototypes.per_class, "seed": p.prototypes.seeds}
    counted = iter(fit_prototypes.map(space, train, test, about, over=over))
    prototypes = collect_prototypes(
        {
            str(count): {str(seed): next(counted).summary for seed in p.prototypes.seeds}
            for count in p.prototypes.per_class
        }
    )
    drawn = fit_prototypes.labelled("shown")(
        space, train, test, about, per_class=p.prototypes.shown, seed=p.prototypes.seeds[0]
    )
    drawn_pictures = see(drawn.centroids, "prototypes")

    tsne = p.tsne.model_dump(exclude={"neighbours"})
    embedding = embed_tsne(space["train"], **tsne)
    quality = measure_embedding(
        space["train"], embedding.points, train, neighbours=p.tsne.neighbours
    )
    explained = projections[here].summary if here in projections else None
    findings = tabulate_digits(
        sweep.means,
        score.summary,
        prototypes,
        quality,
        explained,
        reference=p.data.is_reference,
    )
    return {
        "findings": findings,
        "components": basis.summary,
        "cells": table,
        "means": sweep.means,
        "sweep": sweep.summary,
        "score": score.summary,
        "confusion": score.confusion,
        "prototypes": prototypes,
        "embedding": embedding.summary,
        "quality": quality,
        "glance": {"points": embedding.points, "train": train, "about": about},
        "draw_samples": draw_samples(train, about),
        "draw_scaling": draw_scaling(sweep.means),
        "draw_variance": draw_variance(basis.curve),
        "draw_components": draw_components(basis.basis, about),
        "draw_accuracy": draw_accuracy(sweep.means, measured=p.data.is_reference),
        "draw_sweep": draw_sweep(sweep.means),
        "draw_confusion": draw_confusion(score.confusion, about),
        "draw_digit_centroids": draw_digit_centroids(pictures, score.mapping, about),
        "draw_prototypes": draw_prototypes(prototypes, drawn_pictures, drawn.labels, about),
        "draw_tsne": draw_tsne(
            embedding.points, cell.assignment, train, score.mapping, about, quality
        ),
    }


def _components(space: str) -> int | float | None:
    """How many components, or what share of the variance, a space has; None: it has none."""
    if space == "raw" or latent_size(space):
        return None
    number = space.removeprefix("pca")
    return float(number) if "." in number else int(number)
