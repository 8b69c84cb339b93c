"""The map of a space by t-SNE: coloured by class, and by what the clusters make of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from engine import Picture, stage
from tasks.figures.images import text_width
from tasks.figures.style import CARD, INK, PACKAGES, dress, new_sheet, picture, sample_rows
from tasks.figures.words import counted, distinct_names, listing, percent, prose

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Six of Okabe & Ito 2008 and four darker hues that colour-blind readers tell from them and from
# the ink of the mistakes. Points of a map are too small for markers; classes have their names.
CLASS_COLOURS = (
    "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00",
    "#3A1FB0", "#7A3300", "#56B4E9", "#5F6B73", "#0B5563",
)  # fmt: skip
MOST_POINTS = 20_000  # beyond, points only hide each other
CANDIDATES = 600  # points of a class, of which one is its centre
ROUNDS = 200
PANEL = 4.3  # inches, the side of one map


def class_colours(classes: Sequence[str]) -> dict[str, str]:
    """Map each class, in the given order, to its colour; after ten they come again."""
    return {name: CLASS_COLOURS[i % len(CLASS_COLOURS)] for i, name in enumerate(classes)}


def find_centre(points: np.ndarray) -> tuple[float, float]:
    """Return the one of points (n, 2) that has most of them around it.

    The mean of a class that lies in two groups lies between them, in another class.
    """
    import numpy as np

    some = points[np.linspace(0, len(points) - 1, min(len(points), CANDIDATES)).astype(int)]
    # As far as half of the points lie from their middle: the radius of a single group.
    radius = np.median(np.linalg.norm(some - np.median(some, axis=0), axis=1))
    apart = np.linalg.norm(some[:, None] - some[None], axis=2)
    x, y = some[int((apart <= max(radius, 1e-9)).sum(axis=1).argmax())]
    return float(x), float(y)


def spread_apart(
    centres: np.ndarray, sizes: np.ndarray, low: np.ndarray, high: np.ndarray
) -> np.ndarray:
    """Return centres (n, 2) of boxes (width, height) moved until no box covers another.

    All stay between the corners `low` and `high`. Two that meet move apart along the axis that
    takes less, step by step; where there is no room for all, some still meet in the end.
    """
    import numpy as np

    moved = np.clip(centres, low + sizes / 2, high - sizes / 2)
    for _ in range(ROUNDS):
        clear = True
        for i in range(len(moved)):
            for j in range(i):
                apart = moved[i] - moved[j]
                lack = (sizes[i] + sizes[j]) / 2 - np.abs(apart)
                if (lack <= 1e-9).any():
                    continue
                clear = False
                axis = int(lack.argmin())
                step = (0.5 * lack[axis] + 1e-6) * (1 if apart[axis] >= 0 else -1)
                moved[i, axis] += step
                moved[j, axis] -= step
        moved = np.clip(moved, low + sizes / 2, high - sizes / 2)
        if clear:
            break
    return moved


def plot_tsne(
    points: Mapping[str, np.ndarray], assignment: Mapping[str, np.ndarray],
    train: Mapping[str, np.ndarray], mapping: pd.DataFrame, about: Mapping[str, Any],
    quality: Mapping[str, Any],
) -> Figure:  # fmt: skip
    """Return two maps: points by their class, and by the label of their cluster, mistakes in ink."""
    import numpy as np

    classes = [str(name) for name in about["classes"]]
    truth, told = read_labels(points, assignment, train, mapping, about)
    shown = sample_rows(len(truth), 0, MOST_POINTS)
    xy = np.asarray(points["xy"], dtype=float)
    notes = [counted(len(mapping), "cluster"), say_quality(quality)]
    if len(shown) < len(xy):
        notes.append(f"{len(shown):,} of {len(xy):,} points drawn")
    wrong = truth != told
    figure = new_sheet(
        4.75, f"t-SNE of {len(xy):,} training images: neighbours lie together", " · ".join(notes)
    )
    left, right = figure.subplots(1, 2)
    colours = list(class_colours(classes).values())
    dress(left, "coloured by class", grid="none")
    dress(
        right,
        f"by their cluster's label; black: {percent(float(wrong.mean()))} wrong",
        grid="none",
    )
    for axes in (left, right):
        set_map(axes, xy)
    size = 26 * (1000 / max(len(shown), 1000)) ** 0.75
    draw_points(left, xy[shown], truth[shown], colours, size, 0.75)
    good, bad = shown[~wrong[shown]], shown[wrong[shown]]
    draw_points(right, xy[good], told[good], colours, size, 0.45)
    right.scatter(
        xy[bad, 0], xy[bad, 1], s=1.3 * size, color=INK, linewidths=0, rasterized=True, zorder=4
    )
    name_classes(left, xy, truth, classes, colours)
    # What the clusters tell wrong is black: the colour of a label shows where they are right.
    name_classes(right, xy[~wrong], told[~wrong], classes, colours)
    return figure


def read_labels(
    points: Mapping[str, np.ndarray], assignment: Mapping[str, np.ndarray],
    train: Mapping[str, np.ndarray], mapping: pd.DataFrame, about: Mapping[str, Any],
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """Return the class code of each point and the code of its cluster's label, int64 (s,) each."""
    import numpy as np

    rows = np.asarray(points["rows"])
    code = {str(name): place for place, name in enumerate(about["classes"])}
    of_cluster = np.zeros(int(mapping["cluster"].max()) + 1, dtype=np.int64)
    of_cluster[mapping["cluster"].to_numpy()] = [code[str(name)] for name in mapping["label"]]
    truth = np.asarray(train["y"])[rows].astype(np.int64)
    return truth, of_cluster[np.asarray(assignment["train"])[rows]]


def set_map(axes: Axes, xy: np.ndarray) -> None:
    """Give both directions one scale, and no ticks: coordinates of t-SNE mean nothing."""
    low, high = xy.min(axis=0), xy.max(axis=0)
    half = 0.53 * float((high - low).max()) or 1.0
    x, y = (low + high) / 2
    axes.set_xlim(x - half, x + half)
    axes.set_ylim(y - half, y + half)
    axes.set_aspect("equal")
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_visible(True)
        spine.set_color("#d0d7de")


def draw_points(
    axes: Axes, xy: np.ndarray, codes: np.ndarray, colours: list[str], size: float, alpha: float
) -> None:
    """Draw all points at once in the order of the rows, so that no class lies on top of another."""
    import numpy as np
    from matplotlib.colors import to_rgba_array

    palette = to_rgba_array(colours, alpha)
    axes.scatter(
        xy[:, 0], xy[:, 1], s=size, c=palette[codes] if len(codes) else np.empty((0, 4)),
        linewidths=0, rasterized=True, zorder=3,
    )  # fmt: skip


def name_classes(
    axes: Axes, xy: np.ndarray, codes: np.ndarray, classes: list[str], colours: list[str]
) -> None:
    """Write each class's name where it is densest, on a card with a rim of its colour."""
    import numpy as np

    if not len(codes):
        return
    there = [code for code in range(len(classes)) if (codes == code).any()]
    few = len(there) <= 12
    names = list(distinct_names([classes[code] for code in there], 12 if few else 8).values())
    size = 12.0 if few and max(map(len, names)) <= 3 else 9.5
    low, high = (np.array(limits) for limits in zip(axes.get_xlim(), axes.get_ylim(), strict=True))
    inch = (high - low)[0] / PANEL
    # The card: a rim of .18 of the type's size all around, its line, and a little air.
    boxes = np.array(
        [(text_width(n, size, bold=True) + 0.6 * size / 72, 1.9 * size / 72) for n in names]
    )
    wished = np.array([find_centre(xy[codes == code]) for code in there])
    places = spread_apart(wished, boxes * inch, low, high)
    for code, name, (x, y) in zip(there, names, places.tolist(), strict=True):
        axes.text(
            x, y, name, ha="center", va="center", fontsize=size, fontweight="bold", color=INK,
            bbox={"boxstyle": "round,pad=0.18", "facecolor": CARD, "edgecolor": colours[code],
                  "linewidth": 1.8, "alpha": 0.88},
            zorder=6,
        )  # fmt: skip


def say_quality(quality: Mapping[str, Any]) -> str:
    """Return what a map keeps, for the note below it."""
    near = int(quality["neighbours"])
    return (
        f"of {counted(near, 'nearest neighbour')} {percent(float(quality['knn']))} are kept · "
        f"trustworthiness {quality['trustworthiness']:.3f} · "
        f"{percent(float(quality['label_accuracy']))} lie among their own class"
    )


def say_tsne(
    truth: np.ndarray, told: np.ndarray, mapping: pd.DataFrame, about: Mapping[str, Any],
    quality: Mapping[str, Any],
) -> str:  # fmt: skip
    """Return one sentence: the quality of the map, and which class the clusters miss most."""
    import numpy as np

    classes = [str(name) for name in about["classes"]]
    wrong = truth != told
    text = (
        f"The map keeps {percent(float(quality['knn']))} of each point's "
        f"{counted(int(quality['neighbours']), 'nearest neighbour')} (trustworthiness "
        f"{quality['trustworthiness']:.3f}) and {percent(float(quality['label_accuracy']))} of the "
        f"points lie among their own class; the {counted(len(mapping), 'cluster')} mislabel "
        f"{percent(float(wrong.mean()))} of them"
    )
    if not wrong.any():
        return f"{text}."
    rows = np.bincount(truth, minlength=len(classes))
    share = np.bincount(truth[wrong], minlength=len(classes)) / np.maximum(rows, 1)
    worst = [code for code in np.argsort(-share, kind="stable")[:2] if share[code] > 0]
    told_worst = listing([f"{prose(classes[c])} ({percent(float(share[c]))})" for c in worst])
    return f"{text}, most of {told_worst}."


@stage(packages=PACKAGES)
def draw_tsne(
    points: Mapping[str, np.ndarray], assignment: Mapping[str, np.ndarray],
    train: Mapping[str, np.ndarray], mapping: pd.DataFrame, about: dict[str, Any],
    quality: dict[str, Any],
) -> Picture:  # fmt: skip
    """Draw a t-SNE map twice: coloured by class and by the label of each point's cluster.

    Arguments:
        points: xy, float32 (s, 2); rows, int64 (s,), their places among the training rows.
        assignment: train, the cluster of each training row (n,).
        train: y, int64 (n,), codes into `about["classes"]`.
        mapping: columns cluster, label (name); a row a cluster.
        about: classes, the names by code.
        quality: knn, trustworthiness, label_accuracy (0 to 1), neighbours.
    """
    figure = plot_tsne(points, assignment, train, mapping, about, quality)
    truth, told = read_labels(points, assignment, train, mapping, about)
    return picture(figure, say_tsne(truth, told, mapping, about, quality))
