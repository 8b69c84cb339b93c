"""t-SNE of a sample, and how true the picture is to the space that it was made from."""

from __future__ import annotations

import logging
import warnings
from typing import TYPE_CHECKING, Any, NamedTuple

from engine import InputError, stage, work
from tasks.estimators import (
    PACKAGES,
    Backend,
    backend_of,
    choose_backend,
    fit_tsne_model,
    limited_to,
)
from tasks.figures.words import percent
from tasks.votes import count_votes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import numpy as np

log = logging.getLogger(__name__)

LEAST_ROWS = 8
# The rate that suits oneDAL: on 15,000 points of MNIST rows / 48, 12, 8, 6 and 3 keep 42.8, 43.6,
# 43.9, 43.7 and 43.5 % of the neighbours after as many steps and seconds.
_ROWS_PER_RATE = 8
_VALUES = 1 << 20  # distances held at a time: as many as stay in a processor's cache


class Embedding(NamedTuple):
    """points: xy float32 (s, 2), rows int64 (s,), their places among all · summary: rows,
    perplexity, iterations, kl (divergence, nats), backend, seed."""

    points: dict[str, np.ndarray]
    summary: dict[str, Any]


@stage(packages=PACKAGES)
def embed_tsne(
    points: np.ndarray,
    *,
    sample: int = 15000,
    perplexity: float = 30.0,
    iterations: int = 750,
    seed: int = 0,
    backend: Backend = "auto",
) -> Embedding:
    """Embed a random sample of the rows in two dimensions by t-SNE (van der Maaten & Hinton 2008).

    Of few rows, a third of them is the largest perplexity that means anything; it is lowered then.

    Arguments:
        points: float32 (n, c).
        sample: rows to draw; all where there are not more.
        iterations: steps, 250 of them with early exaggeration.

    Raises:
        InputError: fewer than 8 rows, rows that are not finite or all equal, iterations < 250, or an
            unknown backend.
    """
    import numpy as np

    if min(len(points), sample) < LEAST_ROWS:
        raise InputError(
            f"t-SNE needs at least {LEAST_ROWS} rows; {min(len(points), sample)} were given"
        )
    if iterations < 250:
        raise InputError(f"iterations = {iterations}: expected at least 250, the exaggerated ones")
    rows = np.arange(len(points))
    if sample < len(points):
        rows = np.sort(np.random.default_rng(seed).choice(len(points), sample, replace=False))
    chosen = np.ascontiguousarray(points[rows], dtype=np.float32)
    _check_points(chosen)
    if chosen.shape[1] == 1:
        chosen = _add_axis(chosen, seed)
    perplexity = min(perplexity, (len(rows) - 1) / 3)
    log.info("t-SNE of %s rows, %s dimensions", f"{len(rows):,}", chosen.shape[1])
    how: dict[str, Any] = {"perplexity": perplexity, "iterations": iterations, "seed": seed}
    if choose_backend("tsne", backend) == "intelex":
        model = _fit_onedal(chosen, **how)
    else:
        model = fit_tsne_model(chosen, **how, backend=backend)
    return Embedding(
        {"xy": np.asarray(model.embedding_, dtype=np.float32), "rows": rows},
        {
            "rows": len(rows),
            "perplexity": perplexity,
            "iterations": iterations,
            # oneDAL adds the parts up as its threads end: the last digits are not always the same.
            "kl": float(f"{float(model.kl_divergence_):.6g}"),
            "backend": backend_of(model),
            "seed": seed,
        },
    )


@stage(packages=("numpy", "scipy"))
def measure_embedding(
    points: np.ndarray,
    embedding: Mapping[str, np.ndarray],
    train: Mapping[str, np.ndarray],
    *,
    neighbours: int = 10,
) -> dict[str, Any]:
    """How well neighbourhoods survived the embedding.

    Arguments:
        points: float32 (n, c), the space.
        embedding: xy (s, 2), rows (s,) among the n.
        train: y, int64 (n,), the code of each row's class.
        neighbours: how many of each point are compared, at most a third of the points.

    Returns:
        knn: mean share of a point's nearest neighbours that are still among its nearest;
        trustworthiness: 1 less the penalty for intruders by their rank (Venna & Kaski 2001);
        label_accuracy: share of the points with the class that most of their neighbours in the
        picture have; space_accuracy: the same in the space; neighbours; rows; finding.
    """
    import numpy as np

    chosen = np.asarray(points[embedding["rows"]], dtype=np.float32)
    codes = np.asarray(train["y"])[embedding["rows"]]
    xy = np.asarray(embedding["xy"], dtype=np.float32)
    total = len(chosen)
    k = max(1, min(neighbours, (total - 1) // 3))
    kept, penalty, near_xy, near_space = 0, 0, [], []
    # The products are small: threads would mostly wait for each other.
    with limited_to(1):
        for rows, apart in _distances(chosen):
            shown = np.concatenate([_nearest(part, k) for _, part in _distances(xy, rows)])
            near_xy.append(shown)
            near_space.append(_nearest(apart, k))
            for there in np.take_along_axis(apart, shown, axis=1).T:
                # The rank among the neighbours in the space: 1 is the nearest one.
                rank = (apart < there[:, None]).sum(axis=1) + 1
                kept += int((rank <= k).sum())
                penalty += int(np.maximum(rank - k, 0).sum())
            work.progress(rows.stop, total, "point")
    knn = kept / (total * k)
    trust = 1 - penalty * 2 / (total * k * (2 * total - 3 * k - 1))
    picture = _vote(codes, np.concatenate(near_xy))
    space = _vote(codes, np.concatenate(near_space))
    return {
        "knn": knn,
        "trustworthiness": trust,
        "label_accuracy": picture,
        "space_accuracy": space,
        "neighbours": k,
        "rows": total,
        "finding": f"Of the {k} nearest neighbours {percent(knn)} are kept, trustworthiness is "
        f"{trust:.3f}, and {percent(picture)} of the points lie among their own class "
        f"({percent(space)} in the space itself).",
    }


def _check_points(points: np.ndarray) -> None:
    """Refuse what has no principal components to begin at: there t-SNE may end the whole process."""
    import numpy as np

    if not np.isfinite(points).all():
        raise InputError(
            "t-SNE needs finite numbers, and some of the points are none: has a training diverged?"
        )
    if not np.ptp(points, axis=0).any():
        raise InputError(
            f"t-SNE of {len(points):,} points in one and the same place shows nothing: has a model "
            "collapsed? Leave it out, or lower its kl_weight"
        )


def _add_axis(line: np.ndarray, seed: int) -> np.ndarray:
    """Points of one axis (n, 1) with a second one of noise, so faint that distances stay: (n, 2).

    Begun exactly on a line, no step would ever leave it.
    """
    import numpy as np

    noise = np.random.default_rng(seed).standard_normal(line.shape, dtype=np.float32)
    return np.hstack([line, np.float32(1e-3) * line.std() * noise])


def _fit_onedal(points: np.ndarray, *, perplexity: float, iterations: int, seed: int) -> Any:
    """A t-SNE fitted by oneDAL, in longer steps than scikit-learn's rate of rows / 48 gives it."""
    from sklearnex.manifold import TSNE

    with warnings.catch_warnings():
        # In a thread it cannot be limited to some threads, and says so.
        warnings.filterwarnings("ignore", "'Threading' parallel backend", UserWarning)
        return TSNE(
            perplexity=perplexity,
            max_iter=iterations,
            init="pca",
            learning_rate=max(len(points) / _ROWS_PER_RATE, 50.0),
            random_state=seed,
        ).fit(points)


def _distances(points: np.ndarray, only: slice | None = None) -> Iterator[tuple[slice, np.ndarray]]:
    """Yield (rows, squared distances float32 (b, s) to all points, infinite to itself)."""
    import numpy as np

    # Around their mean the points are small, and so is the rounding of the differences.
    centred = points - points.mean(axis=0, dtype=np.float64).astype(np.float32)
    squares = np.einsum("sc,sc->s", centred, centred)
    step = max(1, _VALUES // len(points))
    first, last = (only.start, only.stop) if only is not None else (0, len(points))
    for start in range(first, last, step):
        rows = slice(start, min(start + step, last))
        apart = (-2 * centred[rows]) @ centred.T
        apart += squares
        apart += squares[rows, None]
        apart[np.arange(rows.stop - start), np.arange(start, rows.stop)] = np.inf
        yield rows, apart


def _nearest(apart: np.ndarray, count: int) -> np.ndarray:
    """Numbers of the nearest points of each row, (b, count), in no order."""
    import numpy as np

    # A copy: a view would keep the numbers of all points alive.
    return np.argpartition(apart, count - 1, axis=1)[:, :count].copy()


def _vote(codes: np.ndarray, near: np.ndarray) -> float:
    """Share of the points whose class most of their neighbours have; the lower code on a tie."""
    told = count_votes(codes[near], int(codes.max()) + 1).argmax(axis=1)
    return float((told == codes).mean())
