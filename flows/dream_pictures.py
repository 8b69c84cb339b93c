"""The part of the flow `dreams` that makes pictures: from photos and a network to dreams and figures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from engine import InputError
from flows.dream_parameters import Dream
from report.page import Section
from tasks.dreams.ascent import Climbing as Steps
from tasks.dreams.choosing import choose_maps, tie_levels
from tasks.dreams.dreaming import carve_picture
from tasks.dreams.finishing import animate_growth, finish_picture
from tasks.dreams.known_maps import Known, each_wish, require_known
from tasks.dreams.levels import read_levels
from tasks.dreams.photo import aim_default, check_photo, load_photo, source_photo
from tasks.dreams.preparation import prepare_picture
from tasks.figures.dream_activation import draw_activation
from tasks.figures.dream_preparation import draw_preparation
from tasks.figures.dream_show import draw_dream
from tasks.figures.dream_story import draw_comparison, draw_loops
from tasks.figures.dream_structure import draw_structure

DREAM_SECTIONS = (
    Section(
        "The dream",
        "What does the network see in a photo, once what it sees is made stronger?",
        figures=("draw_dream", "animate_growth"),
        sentences=("dream", "dream_files"),
    ),
    Section(
        "Before the dream",
        "The network sees nothing but small grey images: tiles of the photo, level by level. What "
        "they lack is kept aside and comes back afterwards.",
        figures=("draw_preparation",),
        sentences=("choice",),
    ),
    Section(
        "Loop by loop",
        "Each loop goes over all levels, from the whole picture to its finest tiles.",
        figures=("draw_loops", "draw_activation"),
    ),
    Section(
        "After the dream",
        "What was added, and where?",
        figures=("draw_comparison", "draw_structure"),
    ),
)


def check_dream(p: Dream, small: tuple[int, int], known: Known) -> None:
    """Look at photos and grids before any stage runs; raises InputError for what cannot work.

    Arguments:
        small: height and width of the network's images.
        known: its layers and the images' classes.
    """
    names = _names(p.photos)
    size: Any = {"size": p.size, "shape": p.shape}
    levels = [level.model_dump() for level in p.levels]
    guide = check_photo(p.guide, **size) if p.guide else None
    for path in names.values():
        shape = aim_default(**size) if path is None else check_photo(path, **size)
        try:
            laid = read_levels(levels, shape, small, mode=p.mode, overlap=p.overlap)
            if guide:
                # A guide is cut as the photo is, whatever its own shape.
                tied = tie_levels([(rows, columns) for rows, columns, _ in laid], levels)
                read_levels(tied, guide, small, mode=p.mode, overlap=p.overlap)
            for level in p.levels:
                require_known(level.maps, known)
        except InputError as error:
            raise InputError(f"dream.levels: {error}") from None
    if "guide" in names:
        raise InputError("dream.photos: no photo may be called guide; rename the file")
    if p.guide is None and any("guide" in each_wish(level.maps) for level in p.levels):
        raise InputError("dream.levels: maps = guide needs a guide; set dream.guide to a photo")


def dream_photos(
    p: Dream, model: Any, usual: Any = None, *, layer: str = "Conv2D_3"
) -> dict[str, Any]:
    """Handles of every photo's dream, its files and its figures, by the photo's name.

    Arguments:
        model: handle of a `.keras` file.
        layer: whose maps are dreamt of.
        usual: handle of the table [map, class, mean] of `measure_maps`, where there is one.
    """
    grids = [level.model_dump(include={"grid", "tiles"}) for level in p.levels]
    maps = [level.model_dump(include={"grid", "tiles", "maps"}) for level in p.levels]
    # The post's form knows no strength and no evenness.
    own = {"strength"} if p.mode == "corrected" else set()
    strengths = [level.model_dump(include={"grid", "tiles", *own}) for level in p.levels]
    evenness = p.evenness if p.mode == "corrected" else 0.0
    size: Any = {"size": p.size, "shape": p.shape}
    look = p.model_dump(include={"contrast", "vividness"})
    guide = None
    if p.guide is not None:
        raw_guide: Any = source_photo(p.guide)
        guide = load_photo.labelled("guide")(raw_guide, name="guide", **size).pixels
    found: dict[str, dict[str, Any]] = {}
    for name, path in _names(p.photos).items():
        raw: Any = source_photo(path)
        photo = load_photo.labelled(name)(raw, name=name, **size)
        ready = prepare_picture.labelled(name)(model, photo.pixels, levels=grids, **_windows(p))
        choice = choose_maps.labelled(name)(
            model, photo.pixels, usual, guide, levels=maps, layer=layer, **_windows(p)
        )
        carved = carve_picture.labelled(name)(
            model, photo.pixels, choice.choices, levels=strengths, loops=p.loops,
            evenness=evenness, climbing=Steps(**p.climbing.model_dump()), **_windows(p),
        )  # fmt: skip
        finished = finish_picture.labelled(name)(
            carved.picture, photo.pixels, photo.about, carved.summary, **look
        )
        results = {
            "dream": carved.summary,
            "choice": choice.summary,
            "choices": choice.choices,
            "dream_trace": carved.trace,
            "dream_files": finished.summary,
            "dream_file": finished.colour if p.colour else finished.clip,
            "dream_clip": finished.clip,
            "dream_contrast": finished.contrast,
            "draw_dream": draw_dream.labelled(name)(
                carved.picture, photo.pixels, photo.about, carved.summary, colour=p.colour, **look
            ),
            "animate_growth": animate_growth.labelled(name)(
                carved.frames, carved.steps, photo.pixels, photo.about, width=p.animation,
                colour=p.colour, vividness=p.vividness,
            ),
            "draw_preparation": draw_preparation.labelled(name)(
                photo.pixels, ready.grey, ready.small, ready.restored, ready.summary
            ),
            "draw_loops": draw_loops.labelled(name)(carved.frames, carved.steps, carved.trace),
            "draw_activation": draw_activation.labelled(name)(
                carved.trace, carved.summary, mode=p.mode
            ),
            "draw_comparison": draw_comparison.labelled(name)(
                carved.picture, photo.pixels, carved.summary
            ),
            "draw_structure": draw_structure.labelled(name)(
                carved.picture, photo.pixels, carved.trace, carved.summary
            ),
        }  # fmt: skip
        for result, handle in results.items():
            found.setdefault(result, {})[name] = handle
        found.setdefault("glance", {"photo": photo.pixels, "dream": results["dream_file"]})
    return dict(found)


def _windows(p: Dream) -> Any:
    # The tiles of the post's form have hard borders.
    return p.model_dump(
        include={"mode", *({"overlap", "stretch"} if p.mode == "corrected" else ())}
    )


def _names(paths: list[str]) -> dict[str, str | None]:
    """Each photo under a name of its own: its file's, numbered where two are alike."""
    if not paths:
        return {"flower": None}
    found: dict[str, str | None] = {}
    for path in paths:
        stem = Path(path).stem or "photo"
        name, number = stem, 2
        while name in found:
            name, number = f"{stem} {number}", number + 1
        found[name] = path
    return found
