"""Where the models of the flow `autoencoder` put the images: t-SNE, and maps to play with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flows.autoencoder_parameters import AutoencoderParameters
from flows.autoencoder_parts import Models, side
from tasks.autoencoder.sample import rebuild_sample, vote_sample
from tasks.embedding import embed_tsne, measure_embedding
from tasks.figures.latent_map import pack_images, pack_map, take_rows
from tasks.figures.latent_tsne import draw_latent_tsne


def map_latents(
    p: AutoencoderParameters,
    images: Any,
    models: Models,
    fits: Mapping[str, Any],
    latents: Mapping[str, Any],
    rebuilt: Mapping[str, Any],
    probes: Mapping[str, Any],
) -> dict[str, Any]:
    """t-SNE of training and of unseen points, of every model whose z is no plane already.

    Where there is one, both are also maps to play with.
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
        **(play(p, images, models, fits, latents, rebuilt, probes, found) if far else {}),
        "draw_latent_tsne": pictures,
    }


def play(
    p: AutoencoderParameters,
    images: Any,
    models: Models,
    fits: Mapping[str, Any],
    latents: Mapping[str, Any],
    rebuilt: Mapping[str, Any],
    probes: Mapping[str, Any],
    embeddings: Mapping[str, Mapping[str, Any]],
) -> dict[str, Any]:
    """Images in every plane, with what each model makes of them and takes them for.

    Arguments:
        embeddings: t-SNE of the training points and of the unseen ones, by model.
    """
    train, test, about = images
    titles = {m: model.title for m, model in models.items()}
    results = {}
    for part, data, title in (("test", test, "unseen"), ("train", train, "training")):
        # All models' samples are drawn with one seed from the same images, so they are the same.
        first, *others = embeddings[part]
        sample = embeddings[part][first].points
        rows = take_rows.labelled(part)(sample)
        points = {m: getattr(latents[m], part) for m in models}
        planes = {f"t-SNE of {titles[m]}": embeddings[part][m].points for m in others}
        planes |= {titles[m]: points[m] for m, model in models.items() if model.z == 2}
        if part == "test":
            taken = {m: probes[m].predicted for m in models}
            shown = {m: rebuilt[m].images for m in models}
        else:
            taken = vote_sample.each(
                side(points=points), rows=rows, train=train, neighbours=p.probes.neighbours
            )
            shown = rebuild_sample.each(
                side(decoder={m: fits[m].decoder for m in models}, points=points), rows=rows
            )
        voters = {f"neighbours in {titles[m]}": found for m, found in taken.items()}
        pictures = {"image": data, **{titles[m]: found for m, found in shown.items()}}
        sheets = pack_images.labelled(part).map(rows, over={"images": pictures})
        name = f"t-SNE of {titles[first]}"
        results[f"map_of_{title}_images"] = {
            "points": pack_map.labelled(part)(sample, data, about, planes, voters, name=name),
            "sheets": dict(zip(pictures, sheets, strict=True)),
        }
    return results
