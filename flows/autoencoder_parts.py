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
from tasks.components import fit_components, project
from tasks.embedding import embed_tsne, measure_embedding
from tasks.figures.confusion import draw_confusion
from tasks.figures.digit_centroids import draw_digit_centroids
from tasks.figures.latent_map import pack_images, pack_map
from tasks.figures.latent_samples import draw_latent_samples
from tasks.figures.latent_spread import draw_plane, draw_spread
from tasks.figures.latent_tsne import draw_latent_tsne
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
    """The same images through as many principal components as each model has numbers."""
    train, test, _ = images
    learned = fit_scaling(train, scaling="unit")
    basis = fit_components(train, learned).basis
    counts = sorted({model.z for model in models.values() if model.z <= p.data.size**2})
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
        "probes": {m: found.summary for m, found in probes.items()},
        "spread": {m: found.summary for m, found in spread.items()},
        "score": {m: scores[m].summary for m in models},
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
            {m: {"confusion": scores[m].confusion} for m in models}, about=about
        ),
    }  # fmt: skip
    return Asked(probes, cells, scores, spread, results)


def map_latents(
    p: AutoencoderParameters,
    images: Any,
    models: Models,
    latents: Mapping[str, Any],
    rebuilt: Mapping[str, Any],
    probes: Mapping[str, Any],
) -> dict[str, Any]:
    """t-SNE of training and of unseen points, of every model whose z is no plane already.

    The unseen ones are also a map to play with, where there is a t-SNE to begin with.
    """
    train, test, about = images
    far = {m: latents[m] for m, model in models.items() if model.z != 2}
    how = p.tsne.model_dump(exclude={"neighbours"})
    found, quality = {}, {}
    for part, rows in (("train", train), ("test", test)):
        points = {m: getattr(each, part) for m, each in far.items()}
        found[part] = embed_tsne.labelled(part).each(side(points=points), **how)
        quality[part] = measure_embedding.labelled(part).each(
            side(points=points, embedding={m: e.points for m, e in found[part].items()}),
            train=rows,
            neighbours=p.tsne.neighbours,
        )
    pictures = draw_latent_tsne.each(
        {
            m: {
                "points": found["train"][m].points, "unseen": found["test"][m].points,
                "qualities": {part: quality[part][m] for part in quality},
                "embeddings": {part: found[part][m].summary for part in found},
                "name": models[m].title,
            }
            for m in far
        },
        train=train, test=test, about=about,
    )  # fmt: skip
    return {
        **play(models, (test, about), latents, rebuilt, probes, found["test"]),
        "draw_latent_tsne": pictures,
        "quality": {f"{m} {part}": quality[part][m] for m in far for part in quality},
    }


def play(
    models: Models,
    unseen: Any,
    latents: Mapping[str, Any],
    rebuilt: Mapping[str, Any],
    probes: Mapping[str, Any],
    embeddings: Mapping[str, Any],
) -> dict[str, Any]:
    """Unseen images in every plane, with what each model makes of them and takes them for."""
    if not embeddings:
        return {}
    test, about = unseen
    titles = {m: model.title for m, model in models.items()}
    # All models' samples are drawn with one seed from the same images, so they are the same.
    first, *others = embeddings
    sample = embeddings[first].points
    planes = {f"t-SNE of {titles[m]}": embeddings[m].points for m in others}
    planes |= {titles[m]: latents[m].test for m, model in models.items() if model.z == 2}
    taken = {f"neighbours in {titles[m]}": probes[m].predicted for m in models}
    points = pack_map(sample, test, about, planes, taken, name=f"t-SNE of {titles[first]}")
    shown = {"image": test, **{titles[m]: rebuilt[m].images for m in models}}
    sheets = pack_images.map(sample, over={"images": shown})
    return {"latent_map": {"points": points, "sheets": dict(zip(shown, sheets, strict=True))}}


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
    return {
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
    judge = fit_judge(train, test)
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
        "verdicts": {m: found.summary for m, found in verdicts.items()},
        "draw_digit_centroids": draw_digit_centroids.each(
            side(images=centres, mapping={m: asked.scores[m].mapping for m in models}),
            about=about,
        ),
        "draw_latent_samples": draw_latent_samples.each({
            m: {
                "images": samples[m].images, "verdicts": found.table, "shares": found.shares,
                "summary": found.summary, "name": models[m].title,
            }
            for m, found in verdicts.items()
        }),
    }  # fmt: skip
    return Invented(verdicts, results)


def _rows(found: Mapping[str, Any], name: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """All outputs of a stage as the arguments of the picture that takes them by the same names."""
    return {m: {**each._asdict(), "name": name[m]} for m, each in found.items()}
