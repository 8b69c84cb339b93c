"""Images pressed into a few numbers and rebuilt from them, and what the space of those numbers is like."""

from __future__ import annotations

from typing import Any

from engine import InputError, flow
from flows.autoencoder_maps import map_latents
from flows.autoencoder_parameters import PRESETS, AutoencoderParameters
from flows.autoencoder_parts import ask_latents, invent, press_components, side, walk
from flows.image_data import count_images, take_images
from flows.latents import encode_images, list_models, train_models
from report.page import Section, page_of
from tasks.autoencoder.bounds import measure_bounds
from tasks.autoencoder.card import compile_card
from tasks.autoencoder.findings import tabulate_autoencoders
from tasks.autoencoder.reconstruction import reconstruct
from tasks.embedding import LEAST_ROWS
from tasks.figures.autoencoder_card import draw_card
from tasks.figures.autoencoder_loss import draw_losses
from tasks.figures.autoencoder_rebuilt import draw_reconstructions
from tasks.figures.samples import draw_samples

SECTIONS = (
    Section("The images", "What is to be pressed into a few numbers?", figures=("draw_samples",)),
    Section(
        "Training",
        "How close to a perfect copy do unseen images come, epoch by epoch?",
        figures=("draw_losses",),
        sentences=("bounds",),
    ),
    Section(
        "Reconstruction",
        "What is left of images that the model never saw, beside as many principal components?",
        figures=("draw_reconstructions",),
    ),
    Section(
        "The latent card",
        "What a model keeps, and what its latent space knows of classes that it was never told.",
        figures=("draw_card",),
        tables=("card", "repeats"),
        occasional=("repeats",),
    ),
    Section(
        "The latent space",
        "Where do the classes lie, how wide, and which run into each other?",
        figures=("draw_plane", "draw_latent_tsne", "draw_spread"),
        maps=("map_of_unseen_images", "map_of_training_images"),
    ),
    Section(
        "Clusters in the latent space",
        "What KMeans finds there without labels; each cluster is then given that of most of its "
        "training images.",
        figures=("draw_confusion", "draw_digit_centroids"),
    ),
    Section(
        "Walks",
        "What the decoder makes of places where no image is: a plane, every axis, and the ways "
        "between images.",
        figures=("draw_grid", "draw_traversals", "draw_interpolations"),
    ),
    Section(
        "Samples",
        "Images that no one drew, and whether they look like those of the data.",
        figures=("draw_latent_samples",),
        sentences=("judge",),
    ),
)


def check_data(p: AutoencoderParameters) -> None:
    """Look at the images before any stage runs; raises InputError for what cannot work."""
    images = count_images(p.data)
    rows, unseen = images.train, images.test
    if unseen < LEAST_ROWS and set(p.models.z) != {2}:
        raise InputError(
            f"there are {unseen} test images, and t-SNE needs at least {LEAST_ROWS}; add some, or "
            "set a larger test_fraction"
        )
    if images.test_classes < 2:
        raise InputError(
            "all test images are of one class, so there is no way from one class to another; add "
            "some of the others"
        )
    for name, value, most, what in (
        ("probes.neighbours", p.probes.neighbours, rows, f"there are {rows:,} training images"),
        ("probes.clusters", p.probes.clusters, rows, f"there are {rows:,} training images"),
        ("tools.components", 2 * p.tools.components, rows, f"there are {rows:,} training images"),
        ("tools.start", p.tools.start, unseen - 1, f"the test images are 0 to {unseen - 1:,}"),
    ):
        if value > most:
            given = p.tools.components if name == "tools.components" else value
            raise InputError(f"{name} = {given}: {what}; try --set {name}={max(most // 2, 1)}")


@flow(
    name="autoencoder",
    parameters=AutoencoderParameters,
    presets=PRESETS,
    check=check_data,
    page=page_of(SECTIONS, about=__doc__, parameters=AutoencoderParameters),
)
def autoencoder(p: AutoencoderParameters) -> dict[str, Any]:
    """Train the models, then ask each what it keeps, where it puts the classes and what it invents."""
    images = take_images(p.data)
    train, test, about = images
    models = list_models(p.models, p.training.seed)
    bounds = measure_bounds(train, test)
    fits = train_models(images, models, p.training)
    latents = encode_images(images, fits, p.training)
    rebuilt = reconstruct.each(
        side(
            decoder={m: fit.decoder for m, fit in fits.items()},
            latents={m: found.test for m, found in latents.items()},
        ),
        test=test,
    )
    components = press_components(p, images, models)
    asked = ask_latents(p, images, models, latents, components)
    maps = map_latents(p, images, models, fits, latents, rebuilt, asked.probes)
    walks = walk(p, images, models, fits, latents)
    invented = invent(p, images, models, fits, latents, asked)

    titles = {**{m: model.title for m, model in models.items()}, **{c: c for c in components}}
    rows = [
        {"name": each.title, "kind": each.kind, "z": each.z, "kin": each.kin}
        for each in models.values()
    ]
    rows += [{"name": c, "kind": "PCA", "z": found.z} for c, found in components.items()]
    kept = {**rebuilt, **{c: found.kept for c, found in components.items()}}
    card = compile_card(
        *(
            {titles[m]: each.summary for m, each in part.items()}
            for part in (kept, asked.probes, asked.scores, invented.verdicts)
        ),
        models=rows,
    )
    histories = {titles[m]: fit.history for m, fit in fits.items()}
    findings = tabulate_autoencoders(
        card.card,
        histories,
        bounds,
        {titles[m]: asked.spread[m].classes for m in models},
        {titles[m]: asked.spread[m].pairs for m in models},
        models=[{"name": each.title, **each.trained_as} for each in models.values()],
        neighbours=p.probes.neighbours,
        clusters=p.probes.clusters,
        reference=p.data.is_reference,
        as_posted=p.training.is_posted,
    )
    of_size = {found.z: found for found in components.values()}
    same = {m: of_size.get(model.z) for m, model in models.items()}
    pictures = {
        m: draw_reconstructions.labelled(m)(
            rebuilt[m].images, rebuilt[m].errors, rebuilt[m].summary, test,
            other and other.kept.images, other and other.kept.summary, name=titles[m],
        )
        for m, other in same.items()
    }  # fmt: skip
    return {
        "findings": findings,
        "bounds": bounds,
        "histories": {m: fit.history for m, fit in fits.items()},
        "model": {m: fit.model for m, fit in fits.items()},
        "encoder": {m: fit.encoder for m, fit in fits.items()},
        "decoder": {m: fit.decoder for m, fit in fits.items()},
        "card": card.card,
        **({"repeats": card.repeats} if p.models.repeats > 1 else {}),
        "draw_samples": draw_samples(train, about),
        "draw_losses": draw_losses(histories, bounds),
        "draw_reconstructions": pictures,
        "draw_card": draw_card(card.card, card.summary),
        **asked.results,
        **maps,
        **walks,
        **invented.results,
    }
