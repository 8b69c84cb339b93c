"""What the interactive map of a latent space shows: points, classes, verdicts, and the images.

    points = pack_map(embedding, images, about, {"z = 2": latents}, {"KMeans": predicted})
    rows = take_rows(embedding)
    sheets = pack_images.map(rows, over={"images": {"image": x, "z = 16": …, "z = 2": …}})

A flow returns both under one name, `"latent_map": {"points": …, "sheets": {…}}`, and names it in
`Section(maps=("latent_map",))`; `report/latent_map.py` makes the page of it.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from engine import File, InputError, stage
from tasks.figures.sheets import make_sheet
from tasks.figures.words import counted, percent, prose

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np

_DIGITS = 4


@stage(packages=("numpy",))
def pack_map(
    embedding: Mapping[str, np.ndarray],
    images: Mapping[str, np.ndarray],
    about: dict[str, Any],
    planes: Mapping[str, np.ndarray | Mapping[str, np.ndarray]],
    predictions: Mapping[str, np.ndarray],
    *,
    name: str = "t-SNE",
) -> dict[str, Any]:
    """The points of a sample in one or more planes, with their classes and what was taken for them.

    What is said of all n images is cut to the sample; what has as many rows as the sample is taken
    as it is, in its order.

    Arguments:
        embedding: xy (s, 2), rows int64 (s,) of the sample among the n images, as `embed_tsne` gives.
        images: y int64 (n,), the code of each image's class.
        about: classes, whose places are the codes.
        planes: title → (n, 2) or (s, 2): more views of the same points, e.g. z of a 2-D model, or
            another embedding of the same sample, as `embed_tsne` gives it.
        predictions: by whom → codes int64 (n,) or (s,): what each image was taken for.
        name: what the embedding is called.

    Returns:
        rows, classes, labels, numbers (places among the n images), views [{name, x, y}],
        predictions [{name, codes, mistakes}], finding.

    Raises:
        InputError: arrays whose rows fit neither the images nor the sample.
    """
    import numpy as np

    rows = np.asarray(embedding["rows"])
    labels = np.asarray(images["y"])[rows]
    views = {name: np.asarray(embedding["xy"])}
    for title, plane in planes.items():
        xy: Any = plane if hasattr(plane, "ndim") else plane["xy"]
        views[title] = _at(xy, rows, len(images["y"]), title)
    found = []
    for by, codes in predictions.items():
        taken = _at(codes, rows, len(images["y"]), by).astype(int)
        mistakes = int((taken != labels).sum())
        found.append({"name": by, "codes": taken.tolist(), "mistakes": mistakes})
    return {
        "rows": len(rows),
        "classes": [str(each) for each in about["classes"]],
        "labels": labels.tolist(),
        "numbers": rows.tolist(),
        "views": [
            {"name": title, "x": _rounded(plane[:, 0]), "y": _rounded(plane[:, 1])}
            for title, plane in views.items()
        ],
        "predictions": found,
        "finding": _finding(len(rows), found),
    }


@stage
def take_rows(embedding: Mapping[str, np.ndarray]) -> np.ndarray:
    """The sample's places among all images, int64 (s,): another embedding of the same images goes
    no further than this."""
    import numpy as np

    return np.array(embedding["rows"])


@stage(packages=("numpy", "pillow"))
def pack_images(rows: np.ndarray, images: np.ndarray | Mapping[str, np.ndarray]) -> File:
    """The sample's images in one sheet, as `tasks/figures/sheets.py` makes it.

    Arguments:
        rows: int64 (s,), the sample's places among the n images.
        images: uint8, or float in 0…1, (n, h, w), (s, h, w) or with 1 or 3 colours as last axis; or
            a mapping whose x is that.

    Raises:
        InputError: images of another shape or number.
    """
    given: Any = images if hasattr(images, "ndim") else images["x"]
    return make_sheet(_at(given, rows, int(rows.max(initial=-1)) + 1, "images"))


def _at(values: np.ndarray, rows: np.ndarray, total: int, what: str) -> np.ndarray:
    """The sample's rows of what is given for all images or for the sample alone."""
    import numpy as np

    if len(values) == len(rows):
        return np.asarray(values)
    if len(values) < total:
        raise InputError(
            f"{what}: {counted(len(values), 'row')} fit neither the {total:,} images nor the "
            f"{counted(len(rows), 'image')} of the sample"
        )
    return np.asarray(values[rows])


def _rounded(values: np.ndarray) -> list[float]:
    """Numbers to a ten-thousandth of their range: a map is not looked at more closely."""
    import numpy as np

    span = float(np.ptp(values)) or 1.0
    decimals = _DIGITS - math.floor(math.log10(span))
    return [float(v) for v in np.round(values.astype(np.float64), decimals)]


def _finding(rows: int, predictions: list[dict[str, Any]]) -> str:
    told = f"{counted(rows, 'image')} in the plane"
    parts = [
        f"{p['mistakes']:,} of them ({percent(p['mistakes'] / rows)}) are taken for another class by "
        f"{prose(p['name'])}"
        for p in predictions
    ]
    return f"{told}; {', '.join(parts)}." if parts else f"{told}."
