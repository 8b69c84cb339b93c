"""The parts of the flow `autoencoder`: each asks every model one kind of question."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from flows.autoencoder_parameters import AutoencoderParameters
from flows.latents import Model
from tasks.autoencoder.encoding import decode
from tasks.autoencoder.judge import fit_judge, judge_samples
from tasks.autoencoder.probes import probe_latents
from tasks.autoencoder.reconstruction import reconstruct_components
from tasks.autoencoder.sampling import sample_latents
from tasks.autoencoder.spread import measure_spread
from tasks.autoencoder.tools import decode_grid, interpolate, traverse
from tasks.clustering import cluster_digits
from tasks.components import MOST_DIMENSIONS, fit_components, project
from tasks.figures.confusion import draw_confusion
from tasks.figures.digit_centroids import draw_digit_centroids
from tasks.figures.latent_samples import draw_latent_samples
from tasks.figures.latent_spread import draw_plane, draw_spread
from tasks.figures.latent_walks import draw_grid, draw_interpolations, draw_traversals
from tasks.scaling import fit_scaling
from tasks.scores import score_clusters

Models = Mapping[str, Model]


class Pressed(NamedTuple):
    """Images in as many principal components as a model has numbers: their coordinates, and what
    `reconstruct_components` makes of them."""

    z: int
    train: Any
    test: Any
    kept: Any


class Asked(NamedTuple):
    """By model and by components: probes, scores of clusters; by model: cells, spread; results."""

    probes: dict[str, Any]
    cells: dict[str, Any]
    scores: dict[str, Any]
    spread: dict[str, Any]
    results: dict[str, Any]


class Invented(NamedTuple):
    """Verdicts by model, and the results."""

    verdicts: dict[str, Any]
    results: dict[str, Any]


def side(**columns: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Columns of arguments as rows, for the labels of the first one."""
    first = next(iter(columns.values()))
    return {label: {name: column[label] for name, column in columns.items()} for label in first}


def press_components(p: AutoencoderParameters, images: Any, models: Models) -> dict[str, Pressed]:
    """The same images through as many principal components as each model has numbers.

    Images of more values than components are computed of go without, as models do of more numbers
    than an image has values.
    """
    values = p.data.values
    counts = sorted({model.z for model in models.values() if model.z <= values})
    if not counts or values > MOST_DIMENSIONS:
        return {}
    train, test, _ = images
    learned = fit_scaling(train, scaling="unit")
    basis = fit_components(train, learned).basis
    projected = project.map(train, test, basis, learned, over={"components": counts})
    names = {f"{z} component{'s' * (z > 1)}": z for z in counts}
    found = dict(zip(names, projected, strict=True))
    kept = reconstruct_components.each(
        side(projection={c: each.test for c, each in found.items()}), basis=basis, test=test
    )
    return {c: Pressed(z, found[c].train, found[c].test, kept[c]) for c, z in names.items()}


def ask_latents(
    p: AutoencoderParameters,
    images: Any,
    models: Models,
    latents: Mapping[str, Any],
    components: Mapping[str, Pressed],
) -> Asked:
    """What z knows of the classes: by neighbours, by planes, by clusters, by how they spread."""
    train, test, about = images
    spaces = {**latents, **components}
    points = {m: space.train for m, space in spaces.items()}
    probes = probe_latents.each(
        side(points=points, unseen={m: space.test for m, space in spaces.items()}),
        train=train,
        test=test,
        about=about,
        **p.probes.model_dump(include={"neighbours", "seed"}),
    )
    cells = cluster_digits.each(
        {m: {"space": {"train": each.train, "test": each.test}} for m, each in spaces.items()},
        algorithm="kmeans",
        **p.probes.model_dump(include={"clusters", "n_init", "seed"}),
    )
    scores = score_clusters.each(side(cell=cells), train=train, test=test, about=about)
    spread = measure_spread.each(
        side(confusion={m: probes[m].confusion for m in models}, points=points),
        train=train,
        about=about,
    )
    planes = [m for m, model in models.items() if model.z == 2]
    results = {
        "draw_spread": draw_spread.each({
            m: {
                "classes": spread[m].classes, "pairs": spread[m].pairs, "units": probes[m].units,
                "summary": spread[m].summary, "name": model.title,
            }
            for m, model in models.items()
        }),
        "draw_plane": draw_plane.each(
            {
                m: {
                    "points": points[m], "shapes": spread[m].shapes, "summary": spread[m].summary,
                    "name": models[m].title,
                }
                for m in planes
            },
            images=train, about=about,
        ),
        "draw_confusion": draw_confusion.each(
            {m: {"confusion": scores[m].confusion, "name": each.title} for m, each in models.items()},
            about=about,
        ),
    }  # fmt: skip
    return Asked(probes, cells, scores, spread, results)


def walk(
    p: AutoencoderParameters,
    images: Any,
    models: Models,
    fits: Mapping[str, Any],
    latents: Mapping[str, Any],
) -> dict[str, Any]:
    """A decoded plane, walks along the axes, and ways between images, of every model."""
    _, test, about = images
    tools = p.tools
    decoder = {m: fits[m].decoder for m in models}
    points = {m: latents[m].train for m in models}
    unseen = {m: latents[m].test for m in models}
    name = {m: model.title for m, model in models.items()}
    grids = decode_grid.each(side(decoder=decoder, points=points), side=tools.grid)
    walks = traverse.each(
        side(decoder=decoder, points=points, unseen=unseen),
        test=test, about=about, start=tools.start, steps=tools.steps,
    )  # fmt: skip
    ways = interpolate.each(
        side(decoder=decoder, unseen=unseen),
        test=test, about=about, pairs=tools.pairs, steps=tools.steps, seed=tools.seed,
    )  # fmt: skip
    # A plane that is all of z, where there is one, shows most.
    shown = grids[min(models, key=lambda m: models[m].z != 2)]
    return {
        "glance": {"images": shown.images, "plane": shown.plane},
        "draw_grid": draw_grid.each(_rows(grids, name)),
        "draw_traversals": draw_traversals.each(_rows(walks, name)),
        "draw_interpolations": draw_interpolations.each(_rows(ways, name)),
    }


def invent(
    p: AutoencoderParameters,
    images: Any,
    models: Models,
    fits: Mapping[str, Any],
    latents: Mapping[str, Any],
    asked: Asked,
) -> Invented:
    """Samples of the latent space and the judge's verdict; the centres of clusters as images."""
    train, test, about = images
    judge = fit_judge(train, test, agreement=p.tools.agreement)
    decoder = {m: fits[m].decoder for m in models}
    samples = sample_latents.each(
        side(decoder=decoder, points={m: latents[m].train for m in models}),
        **p.tools.model_dump(include={"samples", "components", "scales", "seed"}),
    )
    verdicts = judge_samples.each(
        {m: {"images": drawn.images, "table": drawn.table} for m, drawn in samples.items()},
        train=train,
        rows=judge.rows,
        limits=judge.limits,
        about=about,
    )
    centres = decode.each(
        side(decoder=decoder, points={m: asked.cells[m].centroids for m in models})
    )
    results = {
        "judge": judge.limits,
        "draw_digit_centroids": draw_digit_centroids.each(
            side(
                images=centres,
                mapping={m: asked.scores[m].mapping for m in models},
                name={m: each.title for m, each in models.items()},
            ),
            about=about,
        ),
        "draw_latent_samples": draw_latent_samples.each({
            m: {
                "images": samples[m].images, "verdicts": found.table, "shares": found.shares,
                "summary": found.summary, "name": models[m].title,
            }
            for m, found in verdicts.items()
        }, limits=judge.limits),
    }  # fmt: skip
    return Invented(verdicts, results)


def _rows(found: Mapping[str, Any], name: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """All outputs of a stage as the arguments of the picture that takes them by the same names."""
    return {m: {**each._asdict(), "name": name[m]} for m, each in found.items()}
