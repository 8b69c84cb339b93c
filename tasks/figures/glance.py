"""The whole study in one picture: a panel of each flow, as many as there are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from io import BytesIO
from typing import TYPE_CHECKING, Any, NamedTuple

from engine import Picture, stage
from tasks.figures.embedding import class_colours, draw_points, name_classes, set_map
from tasks.figures.images import tone
from tasks.figures.overlay import SHIFT
from tasks.figures.planes import first_planes, set_plane
from tasks.figures.scatter import draw_groups, plane_points
from tasks.figures.style import (
    CARD,
    INK,
    LABEL,
    PACKAGES,
    cluster_looks,
    label_looks,
    new_sheet,
    picture,
)
from tasks.figures.words import counted

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

HEIGHT, RATIO = 3.15, 1.45  # inches of a line of panels; width by height of what a panel shows
POINT = 5.0  # square points, of the map


class Seen(NamedTuple):
    """What a panel shows: in a few words, and as a part of a sentence."""

    title: str
    words: str


def draw_signals(axes: Axes, found: Mapping[str, Any]) -> Seen:
    """Classes filled and clusters as rims, in the first plane."""
    features, about = found["features"], found["about"]
    clusters = found["assignment"]["cluster"].to_numpy()
    classes = [str(name) for name in about["classes"]]
    (x, y), *_ = first_planes(found["planes"])
    rows, points, _ = plane_points(features, 0)
    set_plane(axes, points, x, y, about)
    across, up = points[x].to_numpy(), points[y].to_numpy()
    draw_groups(
        axes, across, up, found["labels"]["label"].to_numpy()[rows], label_looks(classes), 9, 0.5
    )
    looks = cluster_looks(sorted(set(clusters.tolist())))
    (left, right), (low, high) = axes.get_xlim(), axes.get_ylim()
    dx, dy = SHIFT * (right - left) / 2, SHIFT * (high - low)
    draw_groups(axes, across + dx, up + dy, clusters[rows], looks, 9, 0.5, hollow=True)
    rows_of, clusters_of = counted(len(features), "row"), counted(len(looks), "cluster")
    return Seen(
        f"{rows_of}, {clusters_of}",
        f"{rows_of} of {len(classes)} known classes and the {clusters_of} found in them",
    )


def draw_map(axes: Axes, found: Mapping[str, Any]) -> Seen:
    """The map of a space by t-SNE, coloured by class."""
    import numpy as np

    classes = [str(name) for name in found["about"]["classes"]]
    xy = np.asarray(found["points"]["xy"], dtype=float)
    codes = np.asarray(found["train"]["y"])[np.asarray(found["points"]["rows"])].astype(np.int64)
    colours = list(class_colours(classes).values())
    set_map(axes, xy)
    middle, (across, up) = (xy.min(axis=0) + xy.max(axis=0)) / 2, np.ptp(xy, axis=0)
    half = 0.53 * max(up, across / RATIO)
    axes.set_xlim(middle[0] - RATIO * half, middle[0] + RATIO * half)
    axes.set_ylim(middle[1] - half, middle[1] + half)
    draw_points(axes, xy, codes, colours, POINT * (4000 / max(len(xy), 1000)) ** 0.75, 0.75)
    name_classes(axes, xy, codes, classes, colours)
    many = counted(len(xy), "image")
    return Seen(f"a map of {many}", f"{many} of {len(classes)} classes, mapped by likeness")


def draw_plane_of_images(axes: Axes, found: Mapping[str, Any]) -> Seen:
    """Images decoded from a rectangle of the latent space."""
    images, plane = found["images"], found["plane"]
    columns, rows = len(plane["across"]), len(plane["up"])
    height, width = images.shape[1:3]
    lines = images.reshape(rows, columns, *images.shape[1:])
    # The middle of a tall sheet: its rim is where few images are.
    kept = max(1, min(rows, round(columns * width / RATIO / height)))
    lines = lines[(rows - kept) // 2 : (rows - kept) // 2 + kept]
    sheet = lines.swapaxes(1, 2).reshape(kept * height, columns * width, *images.shape[3:])
    _show(axes, sheet, tone(sheet[None]) if sheet.ndim == 2 else None)
    many = counted(kept * columns, "image")
    return Seen(f"{many} from a plane", f"{many} that a decoder makes of the points of a plane")


def draw_photo(axes: Axes, found: Mapping[str, Any]) -> Seen:
    """A photo on the left, its dream on the right."""
    import numpy as np
    from PIL import Image

    photo = np.asarray(found["photo"])
    with Image.open(BytesIO(found["dream"].read_bytes())) as opened:
        dream = np.asarray(opened.convert("RGB").resize(photo.shape[1::-1]))
    middle = photo.shape[1] // 2
    both = np.concatenate([photo[:, :middle], dream[:, middle:]], axis=1)
    _show(axes, both, None)
    axes.axvline(middle - 0.5, color=CARD, linewidth=2)
    return Seen("a photo and its dream", "a photo, its right half as the network dreams it")


PANELS: Mapping[str, Callable[[Axes, Mapping[str, Any]], Seen]] = {
    "wifi": draw_signals,
    "digits": draw_map,
    "autoencoder": draw_plane_of_images,
    "dreams": draw_photo,
}


def _show(axes: Axes, image: np.ndarray, cmap: str | None) -> None:
    axes.imshow(image, cmap=cmap, vmin=0, vmax=255, interpolation="lanczos")
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_color("#d0d7de")


def plot_glance(parts: Mapping[str, Mapping[str, Any]]) -> tuple[Figure, list[Seen]]:
    """Return two panels a line, in the order of `PANELS`, and what is seen in each."""
    shown = [name for name in PANELS if name in parts]
    columns = min(2, len(shown))
    lines = -(-len(shown) // columns)
    figure = new_sheet(HEIGHT * lines, "What machines see")
    panels = list(figure.subplots(lines, columns, squeeze=False).flat)
    seen = []
    for axes, name in zip(panels, shown, strict=False):
        said = PANELS[name](axes, parts[name])
        axes.set_title(
            f"{name}: {said.title}", loc="left", fontsize=LABEL, fontweight="bold", color=INK, pad=5
        )
        seen.append(said)
    for axes in panels[len(shown) :]:
        axes.set_axis_off()
    return figure, seen


@stage(packages=PACKAGES)
def draw_glance(parts: dict[str, dict[str, Any]]) -> Picture:
    """Draw one panel for each flow of the study that has something to show.

    Arguments:
        parts: by flow. wifi: features, labels, assignment, planes, about, as `draw_overlay` takes
            them. digits: points of `embed_tsne`, train, about. autoencoder: images and plane of
            `decode_grid`. dreams: photo, RGB uint8 (h, w, 3), and dream, the file of the picture.
    """
    figure, seen = plot_glance(parts)
    said = "; ".join(each.words for each in seen)
    return picture(figure, f"{said[0].upper()}{said[1:]}.")
