"""Whether an image that no one drew looks like one of the data: its neighbours in pixels say so.

An image passes when it is as near to its nearest training images as unseen ones are to theirs, and
most of those neighbours are of one class; it passes clearly when nearly all of them are. The first
asks for strokes where real ones are, the second for a meaning: what lies between two classes is no
image of either. How much an average of two images gets through says how strict the judge is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from engine import stage
from tasks.estimators import limited_to
from tasks.figures.words import listing, percent, prose
from tasks.votes import count_votes

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    import pandas as pd

NEIGHBOURS = 10
CLEAR = 0.8  # share of the neighbours
_VALUES = 1 << 22  # distances held at a time


class Judge(NamedTuple):
    """rows: int64 (r,), the training images to compare with · limits: distance, relative, agreement,
    clear, neighbours, and the shares of known cases: unseen and blends that pass, unseen_clear and
    blends_clear that pass clearly; finding."""

    rows: np.ndarray
    limits: dict[str, Any]


class Verdicts(NamedTuple):
    """table: row, source, label (name, of most neighbours), agreement, distance, passes, clear ·
    shares: source, rows, share that passes, clear (share that passes clearly), labels (how many
    classes appear among those that pass) · summary: share and clear by source, finding."""

    table: pd.DataFrame
    shares: pd.DataFrame
    summary: dict[str, Any]


@stage(packages=("numpy",))
def fit_judge(
    train: Mapping[str, np.ndarray],
    test: Mapping[str, np.ndarray],
    *,
    rows: int = 60_000,
    trials: int = 500,
    quantile: float = 0.99,
    agreement: float = 0.6,
    seed: int = 0,
) -> Judge:
    """Learn how near unseen images are to training images, and try the judge on known cases.

    Arguments:
        train, test: x, uint8 (n, h, w) or (n, h, w, c); y, int64 (n,).
        rows: training images to compare with, drawn at random from more.
        trials: unseen images, and as many blends of two of different classes.
        quantile: share of the unseen images that are near enough, by each of two distances: the mean
            Euclidean distance of the ten nearest, and the same in lengths of the image, as a black
            one is near to everything faint.
        agreement: least share of the ten that have the same class; for a clear case at least .8.
    """
    import numpy as np

    random = np.random.default_rng(seed)
    kept = np.sort(random.permutation(len(train["x"]))[:rows])
    reference = _take(train, kept)
    chosen = random.permutation(len(test["x"]))[:trials]
    unseen, codes = _flat(test["x"][chosen]), np.asarray(test["y"])[chosen]
    other = random.permutation(len(unseen))
    mixed = other[codes[other] != codes], codes[other] != codes
    blends = (unseen[mixed[0]] + unseen[mixed[1]]) / 2
    distance, relative, agree, _ = _look(unseen, reference)
    limits: dict[str, Any] = {
        "distance": float(np.quantile(distance, quantile)),
        "relative": float(np.quantile(relative, quantile)),
        "agreement": agreement,
        "clear": max(agreement, CLEAR),
        "neighbours": NEIGHBOURS,
    }
    for name, look in (
        ("unseen", (distance, relative, agree)),
        ("blends", _look(blends, reference)[:3] if len(blends) else None),
    ):
        passes, clear = _rule(*look, limits) if look else (np.zeros(1), np.zeros(1))
        limits |= {name: float(passes.mean()), f"{name}_clear": float(clear.mean())}
    limits["finding"] = (
        f"The judge passes {_told(limits['unseen'], limits['unseen_clear'])} of unseen images and "
        f"{_told(limits['blends'], limits['blends_clear'])} of the averages of two images of "
        "different classes."
    )
    return Judge(kept, limits)


@stage(packages=("numpy", "pandas"))
def judge_samples(
    images: np.ndarray,
    table: pd.DataFrame,
    train: Mapping[str, np.ndarray],
    rows: np.ndarray,
    limits: dict[str, Any],
    about: dict[str, Any],
) -> Verdicts:
    """Which of the decoded samples look like images of the data, and of which class.

    Arguments:
        images: uint8 (s, h, w) or (s, h, w, c).
        table: row, source; of `sample_latents`.
        train: x, uint8, and y; the training images.
        rows, limits: of `fit_judge`.
        about: classes, the names by code.
    """
    import numpy as np
    import pandas as pd

    names = np.array([str(name) for name in about["classes"]], dtype=object)
    distance, relative, agreement, code = _look(_flat(images), _take(train, rows))
    passes, clear = _rule(distance, relative, agreement, limits)
    found = pd.DataFrame(
        {
            "row": table["row"],
            "source": table["source"],
            "label": names[code],
            "agreement": agreement,
            "distance": distance.astype(float),
            "passes": passes,
            "clear": clear,
        }
    )
    groups = found.groupby("source", sort=False)
    shares = pd.DataFrame(
        {
            "source": list(groups.groups),
            "rows": groups.size().to_numpy(),
            "share": groups["passes"].mean().to_numpy(),
            "clear": groups["clear"].mean().to_numpy(),
            "labels": [int(part.loc[part["passes"], "label"].nunique()) for _, part in groups],
        }
    )
    share, sure = (
        {str(s): float(v) for s, v in zip(shares["source"], shares[column], strict=True)}
        for column in ("share", "clear")
    )
    told = [f"{_told(share[source], sure[source])} from {prose(source)}" for source in share]
    return Verdicts(
        found,
        shares,
        {
            "share": share,
            "clear": sure,
            "finding": f"Of the samples look like images of the data: {listing(told)} (of unseen "
            f"images {_told(limits['unseen'], limits['unseen_clear'])}, of averages of two "
            f"{_told(limits['blends'], limits['blends_clear'])}).",
        },
    )


def _told(passes: float, clear: float) -> str:
    return f"{percent(passes)}, clearly {percent(clear)}"


def _take(train: Mapping[str, np.ndarray], rows: np.ndarray) -> dict[str, np.ndarray]:
    """x, float32 (r, p) in 0..1, and y, int64 (r,), of some training images."""
    import numpy as np

    return {"x": _flat(train["x"][rows]), "y": np.asarray(train["y"])[rows].astype(np.int64)}


def _flat(images: np.ndarray) -> np.ndarray:
    import numpy as np

    return np.asarray(images).reshape(len(images), -1).astype(np.float32) / np.float32(255)


def _look(
    rows: np.ndarray, reference: Mapping[str, np.ndarray]
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Of rows (s, p): mean distance of the nearest, the same by the row's length, the share of the
    nearest with their commonest class, that class's code; (s,) each."""
    import numpy as np

    x, y = reference["x"], reference["y"]
    count, classes = min(NEIGHBOURS, len(x)), int(y.max()) + 1
    squares = np.einsum("rp,rp->r", x, x)
    distance, votes = [], []
    step = max(1, _VALUES // len(x))
    with limited_to(1):
        for start in range(0, len(rows), step):
            part = rows[start : start + step]
            apart = (-2 * part) @ x.T
            apart += squares
            near = np.argpartition(apart, count - 1, axis=1)[:, :count]
            exact = np.take_along_axis(apart, near, axis=1)
            exact += np.einsum("sp,sp->s", part, part)[:, None]
            distance.append(np.sqrt(np.maximum(exact, 0)).mean(axis=1))
            votes.append(count_votes(y[near], classes))
    far, told = np.concatenate(distance), np.concatenate(votes)
    length = np.maximum(np.linalg.norm(rows, axis=1), 1e-6)
    return far, far / length, told.max(axis=1) / count, told.argmax(axis=1)


def _rule(
    distance: np.ndarray, relative: np.ndarray, agreement: np.ndarray, limits: Mapping[str, Any]
) -> tuple[np.ndarray, np.ndarray]:
    """Which images pass, and which clearly."""
    near = (distance <= limits["distance"]) & (relative <= limits["relative"])
    # A share of ten is no exact number.
    return near & (agreement >= limits["agreement"] - 1e-6), near & (
        agreement >= limits["clear"] - 1e-6
    )
