"""What a pattern is worth: beside the best real image, in the eyes of the network, and moved a little."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from engine import File, stage
from tasks.dreams.pixels import standardise
from tasks.dreams.viewer import PACKAGES, Viewer
from tasks.figures.words import counted, percent

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

SHIFT = 2  # pixels, in each of four directions
TURN = 5.0  # degrees, either way


class Scorecard(NamedTuple):
    """table: map, class (that drives it), activation, unsearched (activation without the search),
    best_real, gain (activation / best_real), called, chance (of what the network calls it), shifted,
    turned (shares of the activation that are left), dead; those without a meaning are missing ·
    summary: maps, alive, alive_unsearched, gain, shifted, turned (medians), agree (maps whose
    pattern is called by their class; None where the network tells other classes), finding."""

    table: pd.DataFrame
    summary: dict[str, Any]


@stage(packages=(*PACKAGES, "scipy", "pandas"))
def score_patterns(
    model: File,
    images: np.ndarray,
    unsearched: np.ndarray,
    maps: pd.DataFrame,
    about: dict[str, Any],
    *,
    layer: str = "Conv2D_3",
) -> Scorecard:
    """Rate the pattern of each map.

    Patterns are standardised first, as real images are: more contrast alone does not count.

    Arguments:
        images: float32 (maps, h, w, c), the patterns.
        unsearched: the same, grown from starts that were not searched.
        maps: columns class, best, by map, as `measure_maps` has them.
        about: classes, the names by code.
    """
    import numpy as np
    import pandas as pd

    viewer = Viewer(model, layer=layer)
    count = len(images)
    own = np.arange(count)

    def rate(pictures: np.ndarray) -> np.ndarray:
        return viewer.look(standardise(pictures)).means[own, own].astype(np.float64)

    seen = viewer.look(standardise(images))
    activation = seen.means[own, own].astype(np.float64)
    plain = rate(unsearched)
    dead = activation <= 0
    best = maps["best"].to_numpy()[:count]
    shifted = np.mean([rate(each) for each in shift_images(images, SHIFT)], axis=0)
    turned = np.mean([rate(turn_images(images, angle)) for angle in (-TURN, TURN)], axis=0)
    names: list[str | None] = [str(name) for name in about["classes"]]
    shares_classes = viewer.classes == len(names)
    if not shares_classes:
        names = [f"class {code}" for code in range(viewer.classes)] or [None]
    called = seen.chances.argmax(axis=1) if viewer.classes else np.zeros(count, np.int64)
    classes = maps["class"].to_numpy()[:count]
    table = pd.DataFrame(
        {
            "map": own,
            "class": classes,
            "activation": activation,
            "unsearched": plain,
            "best_real": best,
            "gain": _share(activation, best),
            "called": np.array(names, dtype=object)[called],
            "chance": seen.chances[own, called].astype(np.float64) if viewer.classes else np.nan,
            "shifted": _share(shifted, activation),
            "turned": _share(turned, activation),
            "dead": dead,
        }
    )
    alive = table[~dead]
    agree = int((alive["called"] == alive["class"]).sum()) if shares_classes else None
    medians = {
        name: float(alive[name].median()) if alive[name].notna().any() else None
        for name in ("gain", "shifted", "turned")
    }
    summary = {
        "maps": count,
        "alive": int((~dead).sum()),
        "alive_unsearched": int((plain > 0).sum()),
        **medians,
        "agree": agree,
        "finding": _say(count, int((~dead).sum()), int((plain > 0).sum()), medians, agree),
    }
    return Scorecard(table, summary)


def shift_images(images: np.ndarray, pixels: int) -> list[np.ndarray]:
    """Images (n, h, w, c) moved right, left, down and up; their rims are drawn out."""
    import numpy as np

    wide = np.pad(images, ((0, 0), (pixels, pixels), (pixels, pixels), (0, 0)), mode="edge")
    height, width = images.shape[1:3]
    corners = ((pixels, 0), (pixels, 2 * pixels), (0, pixels), (2 * pixels, pixels))
    return [wide[:, y : y + height, x : x + width] for y, x in corners]


def turn_images(images: np.ndarray, degrees: float) -> np.ndarray:
    """Images (n, h, w, c) turned about their centres, cubic splines, rims drawn out."""
    from scipy import ndimage

    turned = ndimage.rotate(images, degrees, axes=(2, 1), reshape=False, order=3, mode="nearest")
    return turned.astype(images.dtype)


def _share(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """part / whole, NaN where the whole is not above zero."""
    import numpy as np

    return np.divide(part, whole, out=np.full(len(part), np.nan), where=whole > 0)


def _say(
    count: int, alive: int, unsearched: int, medians: dict[str, float | None], agree: int | None
) -> str:
    text = (
        f"{alive} of {counted(count, 'map')} end above zero, {unsearched} without the search of "
        "start images"
    )
    gain, shifted, turned = medians["gain"], medians["shifted"], medians["turned"]
    if gain is not None and shifted is not None and turned is not None:
        text += (
            f"; a pattern triggers its map {gain:.1f} times as strongly as the best real image "
            f"(median), {percent(shifted, 0)} of that is left after a shift of {SHIFT} pixels and "
            f"{percent(turned, 0)} after a turn of {TURN:.0f}°"
        )
    if agree is not None:
        text += f"; the network calls {agree} of them by the class that drives their map"
    return f"{text}."
