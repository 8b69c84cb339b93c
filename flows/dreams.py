"""A CNN, what its maps react to, the patterns that trigger them best, and dreams carved with them."""

from __future__ import annotations

from typing import Any

from engine import InputError, flow, source
from flows.dream_pictures import DREAM_SECTIONS, check_dream, dream_photos
from flows.dreams_parameters import PRESETS, DreamsParameters
from flows.image_data import count_images, name_classes, take_images
from report.page import Section, page_of
from tasks.dreams.atlas import grow_patterns, search_starts
from tasks.dreams.cnn import FILTERS, HIDDEN, SMALLEST, train_cnn
from tasks.dreams.evaluation import evaluate_cnn
from tasks.dreams.findings import tabulate_dreams
from tasks.dreams.known_maps import Known
from tasks.dreams.maps import measure_maps
from tasks.dreams.networks import adopt_network
from tasks.dreams.own_model import describe_network
from tasks.dreams.scorecard import score_patterns
from tasks.figures.cnn_maps import draw_maps
from tasks.figures.cnn_mistakes import draw_mistakes
from tasks.figures.confusion import draw_confusion
from tasks.figures.oip_atlas import draw_atlas
from tasks.figures.oip_scorecard import draw_scorecard
from tasks.figures.oip_search import draw_search
from tasks.figures.pattern_atlas import pack_atlas, pack_best, pack_patterns
from tasks.training.precision import resolve_precision
from tasks.training.runtime import count_lanes

SECTIONS = (
    Section(
        "The network",
        "Three convolutions learn to tell the classes apart; what they get wrong shows what they see.",
        figures=("draw_confusion", "draw_mistakes"),
        sentences=("network", "evaluation"),
    ),
    Section(
        "Its maps",
        "Each map of the last convolution reacts to something of its own. Which class brings it along?",
        figures=("draw_maps",),
        sentences=("maps",),
    ),
    Section(
        "The atlas",
        "What would each map like to see? Noise is changed until the map reacts as strongly as it can, "
        "all maps at once.",
        figures=("draw_atlas", "draw_search", "draw_scorecard"),
        tables=("scorecard",),
        sentences=("patterns",),
        atlases=("pattern_atlas",),
    ),
    *DREAM_SECTIONS,
)

LAYER = "Conv2D_3"  # of the CNN


def check_data(p: DreamsParameters) -> None:
    """Look at images and files before any stage runs; raises InputError for what cannot work."""
    names = name_classes(p.data)
    if p.network.path is not None:
        own = describe_network(p.network.path, p.network.layer)
        height, width = own.sides
        layer = p.network.layer or own.convolutions[-1]
        check_dream(
            p.dream,
            (height or p.network.side, width or p.network.side),
            Known(own.layers, layer, own.classes, names),
        )
        return
    if p.data.size < SMALLEST:
        raise InputError(
            f"data.size = {p.data.size}: three convolutions leave nothing of images below {SMALLEST} "
            f"pixels; try --set data.size={SMALLEST}"
        )
    there = ["Conv2D_1", "Conv2D_2", LAYER]
    if p.network.layer is not None and p.network.layer not in (*there, "dense", "scores"):
        raise InputError(
            f"network.layer = {p.network.layer}: the CNN has {', '.join(there)}, dense and scores"
        )
    numbered = list(enumerate(FILTERS, 1))
    maps: dict[str, int | None] = {"flat": None}
    maps |= {f"Conv2D_{number}": filters for number, filters in numbered}
    maps |= {f"Pool_{number}": filters for number, filters in numbered[:-1]}
    maps |= {"dense": HIDDEN, "scores": len(names), "classes": len(names)}
    known = Known(maps, p.network.layer or LAYER, len(names), names)
    check_dream(p.dream, (p.data.size, p.data.size), known)


@flow(
    name="dreams",
    parameters=DreamsParameters,
    presets=PRESETS,
    check=check_data,
    page=page_of(SECTIONS, about=__doc__, parameters=DreamsParameters),
)
def dreams(p: DreamsParameters) -> dict[str, Any]:
    """A network, its maps, the atlas of their patterns, and the dreams of photos."""
    train, test, about = take_images(p.data)
    results: dict[str, Any] = {}
    layer, classes = p.network.layer or LAYER, count_images(p.data).classes
    if p.network.path is None:
        how = {
            **p.training.model_dump(),
            "precision": resolve_precision(p.training.precision),
            # Another number of lanes trains other last digits: it belongs to the key.
            "threads": count_lanes(p.training.batch),
        }
        cnn = train_cnn(train, test, about, **how)
        model = cnn.model
        results |= {"model": model, "history": cnn.history, "network": cnn.summary}
    else:
        own = describe_network(p.network.path, p.network.layer)
        layer, told = p.network.layer or own.convolutions[-1], own.classes
        raw: Any = source(p.network.path)
        adopted = adopt_network(raw, pixels=p.network.pixels, side=p.network.side)
        model = adopted.model
        results |= {"model": model, "network": adopted.summary}
        classes = classes if told == classes else 0

    evaluation = None
    if classes:
        evaluated = evaluate_cnn(model, test, about)
        evaluation = evaluated.summary
        results |= {
            "evaluation": evaluation,
            "mistakes": evaluated.mistakes,
            "draw_confusion": draw_confusion(evaluated.confusion, about),
            "draw_mistakes": draw_mistakes(evaluated.mistakes, test, about),
        }

    most = p.atlas.maps
    maps = measure_maps(model, test, about, layer=layer)
    starts = search_starts(
        model,
        layer=layer,
        most=most,
        **p.atlas.model_dump(include={"starts", "candidates", "seed"}),
    )
    climbing = p.atlas.model_dump(exclude={"maps", "starts", "candidates"})
    patterns = grow_patterns(model, starts.searched, layer=layer, **climbing)
    unsearched = grow_patterns.labelled("unsearched")(model, starts.plain, layer=layer, **climbing)
    scorecard = score_patterns(
        model, patterns.images, unsearched.images, maps.maps, about, layer=layer
    )
    findings = tabulate_dreams(
        maps.summary,
        starts.summary,
        scorecard.summary,
        evaluation,
        reference=p.data.is_reference and p.network.path is None,
        epochs=p.training.epochs,
    )
    return {
        "findings": findings,
        **results,
        "maps": maps.summary,
        "means": maps.means,
        "starts": starts.summary,
        "atlas": patterns.images,
        "pattern_atlas": {
            "maps": pack_atlas(
                scorecard.table, maps.maps, maps.means, test, about, maps.top, layer=layer
            ),
            "patterns": pack_patterns(patterns.images),
            "images": pack_best(test, maps.top, maps=most),
        },
        "scorecard": scorecard.table,
        "patterns": scorecard.summary,
        "draw_maps": draw_maps(maps.means, maps.maps, maps.summary),
        "draw_atlas": draw_atlas(patterns.images, scorecard.table, maps.maps, maps.summary),
        "draw_search": draw_search(
            patterns.images, unsearched.images, scorecard.table, starts.summary
        ),
        "draw_scorecard": draw_scorecard(scorecard.table, about),
        **dream_photos(p.dream, model, maps.means, layer=layer),
    }
