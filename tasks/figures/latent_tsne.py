"""A latent space by t-SNE: training points and, beside them, those of images never seen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from engine import Picture, stage
from tasks.figures.embedding import (
    MOST_POINTS,
    class_colours,
    draw_points,
    name_classes,
    set_map,
)
from tasks.figures.style import INK, PACKAGES, SMALL, dress, new_sheet, picture, sample_rows
from tasks.figures.words import percent, prose

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def plot_latent_tsne(
    points: Mapping[str, np.ndarray], unseen: Mapping[str, np.ndarray],
    train: Mapping[str, np.ndarray], test: Mapping[str, np.ndarray], about: Mapping[str, Any],
    qualities: Mapping[str, Mapping[str, Any]], *, name: str = "z",
) -> Figure:  # fmt: skip
    """Return two maps coloured by class, each with its quality below it."""
    import numpy as np

    classes = [str(each) for each in about["classes"]]
    colours = list(class_colours(classes).values())
    figure = new_sheet(
        5.05,
        f"t-SNE of the latent space, {name}: neighbours lie together",
        "the classes were never told to the model · places on a map, and distances between groups, "
        "have no meaning of their own",
    )
    panels = figure.subplots(1, 2)
    for axes, part, images, title, quality in (
        (panels[0], points, train, "training images", qualities["train"]),
        (panels[1], unseen, test, "images never seen", qualities["test"]),
    ):
        xy = np.asarray(part["xy"], dtype=float)
        codes = np.asarray(images["y"])[np.asarray(part["rows"])].astype(np.int64)
        shown = sample_rows(len(xy), 0, MOST_POINTS)
        dress(axes, f"{len(xy):,} {title}", grid="none")
        set_map(axes, xy)
        draw_points(
            axes,
            xy[shown],
            codes[shown],
            colours,
            26 * (1000 / max(len(shown), 1000)) ** 0.75,
            0.75,
        )
        name_classes(axes, xy, codes, classes, colours)
        _write_quality(axes, quality)
    return figure


def _write_quality(axes: Axes, quality: Mapping[str, Any]) -> None:
    axes.set_xlabel(
        f"kept of {quality['neighbours']} neighbours {percent(float(quality['knn']))} · "
        f"trustworthiness {quality['trustworthiness']:.3f}\n"
        f"among their own class {percent(float(quality['label_accuracy']))} "
        f"(in z {percent(float(quality['space_accuracy']))}) · "
        f"KL divergence {quality['kl']:.2f}",
        fontsize=SMALL, color=INK, labelpad=4,
    )  # fmt: skip


def say_latent_tsne(qualities: Mapping[str, Mapping[str, Any]], name: str) -> str:
    """Return one sentence: how far classes lie apart for seen and unseen images, and its truth."""
    seen, new = qualities["train"], qualities["test"]
    return (
        f"{percent(float(seen['label_accuracy']))} of the training points and "
        f"{percent(float(new['label_accuracy']))} of the unseen ones lie among their own class in "
        f"the maps of {prose(name)}; of {seen['neighbours']} nearest neighbours in z the maps keep "
        f"{percent(float(seen['knn']))} and {percent(float(new['knn']))}."
    )


@stage(packages=PACKAGES)
def draw_latent_tsne(
    points: Mapping[str, np.ndarray],
    unseen: Mapping[str, np.ndarray],
    train: Mapping[str, np.ndarray],
    test: Mapping[str, np.ndarray],
    about: dict[str, Any],
    qualities: dict[str, dict[str, Any]],
    embeddings: dict[str, dict[str, Any]],
    *,
    name: str = "z",
) -> Picture:
    """Draw t-SNE maps of training and of unseen points, coloured by class.

    Arguments:
        points, unseen: xy, float32 (s, 2); rows, int64 (s,) among the images.
        train, test: y, int64, codes into `about["classes"]`.
        qualities: of `measure_embedding`, by "train" and "test".
        embeddings: the summaries of `embed_tsne`, by "train" and "test".
        name: of the model.
    """
    told = {part: {**quality, "kl": embeddings[part]["kl"]} for part, quality in qualities.items()}
    figure = plot_latent_tsne(points, unseen, train, test, about, told, name=name)
    return picture(figure, say_latent_tsne(told, name))
