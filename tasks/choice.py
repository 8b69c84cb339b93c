"""Which number of clusters? The criteria's votes, the knee, the gap, and where they disagree."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

from engine import InputError, stage
from tasks.figures.words import listing

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    import pandas as pd

NAMES = {
    "silhouette": "the silhouette",
    "calinski_harabasz": "Calinski-Harabasz",
    "davies_bouldin": "Davies-Bouldin",
    "gap": "the gap statistic",
    "stability": "bootstrap stability",
}


@stage(packages=("numpy", "pandas"))
def choose_k(
    scan: pd.DataFrame,
    uniform: pd.DataFrame,
    stability: pd.DataFrame,
    *,
    sensitivity: float = 1.0,
) -> dict[str, Any]:
    """Ask every criterion for its k and say where they agree.

    Arguments:
        scan: columns k, inertia, silhouette, calinski_harabasz, davies_bouldin.
        uniform: columns k, reference, inertia; may have no rows.
        stability: columns k, resample, ari; may have no rows.
        sensitivity: Kneedle's S: how far the curve must flatten after a knee.

    Returns:
        best {criterion: k or None}, values {criterion: its value there}, knee and null_knee (k or
        None), sharpness of both, gap [{k, gap, s_k}], agreement (all name the same k), sentence.

        The knee is None where the curve has none, or none sharper than each curve of uniform noise:
        noise gives an elbow as well (Schubert 2023), so only a sharper one says something.

    Raises:
        InputError: the scan and the uniform curves were not made for the same k.
    """
    import numpy as np

    table = scan.set_index("k").sort_index()
    ks = [int(k) for k in table.index]
    noise = uniform.pivot(index="k", columns="reference", values="inertia").sort_index()
    if len(noise) and list(noise.index) != ks:
        raise InputError(
            f"the scan has k = {ks[0]} to {ks[-1]} and the uniform curves k = {noise.index[0]} to "
            f"{noise.index[-1]}; compute both for the same k"
        )
    inertia = table["inertia"].to_numpy(dtype=np.float64)
    knee, sharpness = find_knee(ks, inertia, sensitivity)
    null_knee, null_sharpness, sharpest = None, 0.0, 0.0
    if len(noise):
        null_knee, null_sharpness = find_knee(ks, noise.mean(axis=1).to_numpy(), sensitivity)
        sharpest = max(find_knee(ks, noise[each].to_numpy(), sensitivity)[1] for each in noise)
    clear = knee if sharpness > sharpest else None
    gap = _gap(ks, inertia, noise.to_numpy()) if len(noise) else []

    curves = {name: dict(table[name].dropna()) for name in list(NAMES)[:3]}
    curves["gap"] = {row["k"]: row["gap"] for row in gap}
    curves["stability"] = dict(stability.groupby("k")["ari"].mean())
    best: dict[str, int | None] = {}
    for name, curve in curves.items():
        pick = min if name == "davies_bouldin" else max
        best[name] = int(pick(curve, key=curve.__getitem__)) if curve else None
    best["gap"] = _gap_choice(gap)
    values = {name: float(curves[name][k]) for name, k in best.items() if k is not None}
    asked = [name for name, curve in curves.items() if curve]
    named = {best[name] for name in asked} | {clear}
    return {
        "best": best,
        "values": values,
        "knee": clear,
        "null_knee": null_knee,
        "sharpness": sharpness,
        "null_sharpness": null_sharpness,
        "gap": gap,
        "agreement": len(named) == 1 and None not in named,
        "sentence": (
            f"{_say_votes({name: best[name] for name in asked}, values, ks)}; "
            f"{_say_knee(knee, clear, sharpness, null_knee, max(null_sharpness, sharpest))}."
        ),
    }


def find_knee(
    ks: Sequence[int], inertia: np.ndarray, sensitivity: float = 1.0
) -> tuple[int | None, float]:
    """The knee of a falling convex curve, and its sharpness (0 for a straight line, below 1).

    Kneedle (Satopää, Albrecht, Irwin & Raghavan 2011) without smoothing: both axes are scaled to
    0..1; a knee is where the curve hangs lowest below its chord, provided that it comes back by
    `sensitivity` mean steps of k. The sharpness is how far it hangs there.
    """
    import numpy as np

    span = inertia[0] - inertia[-1]
    if len(ks) < 3 or span <= 0:
        return None, 0.0
    across = (np.asarray(ks, dtype=np.float64) - ks[0]) / (ks[-1] - ks[0])
    below = (inertia[0] - inertia) / span - across
    threshold = sensitivity / (len(ks) - 1)
    top = int(below.argmax())
    # What rounding leaves of a straight line is no knee.
    if below[top] < 1e-9 or below[top:].min() > below[top] - threshold:
        return None, max(float(below[top]), 0.0)
    return int(ks[top]), float(below[top])


def _gap(ks: Sequence[int], inertia: np.ndarray, noise: np.ndarray) -> list[dict[str, Any]]:
    """gap(k) and s_k: how far below noise log inertia lies (Tibshirani, Walther & Hastie 2001).

    `noise` is (k, reference); s_k is the deviation over references times sqrt(1 + 1/references).
    """
    import numpy as np

    rows = []
    for k, own, reference in zip(ks, inertia, noise, strict=True):
        if own <= 0:  # each row on its centroid: the logarithm has no value
            continue
        logs = np.log(reference)
        spread = float(logs.std() * np.sqrt(1 + 1 / len(logs)))
        rows.append({"k": k, "gap": float(logs.mean() - np.log(own)), "s_k": spread})
    return rows


def _gap_choice(gap: Sequence[Mapping[str, Any]]) -> int | None:
    """The smallest k with gap(k) >= gap(k + 1) − s(k + 1), or None up to the end of the range."""
    for here, after in pairwise(gap):
        if here["gap"] >= after["gap"] - after["s_k"]:
            return int(here["k"])
    return None


def _say_votes(
    best: Mapping[str, int | None], values: Mapping[str, float], ks: Sequence[int]
) -> str:
    """Who prefers which k, the largest camp first."""
    camps: dict[int, list[str]] = {}
    for name, k in best.items():
        if k is not None:
            camps.setdefault(k, []).append(_with_value(name, values[name]))
    undecided = [NAMES[name] for name, k in best.items() if k is None]
    clauses = []
    for k, members in sorted(camps.items(), key=lambda camp: (-len(camp[1]), camp[0])):
        verb = "prefers" if len(members) == 1 else "prefer"
        if len(camps) == 1 and not undecided and len(members) > 1:
            verb = "all prefer"
        clauses.append(f"{listing(members)} {verb} {k} clusters")
    if undecided:
        verb = "settles" if len(undecided) == 1 else "settle"
        clauses.append(f"{listing(undecided)} {verb} for none up to {ks[-1]}")
    text = ", ".join(clauses)
    return text[0].upper() + text[1:]


def _with_value(name: str, value: float) -> str:
    return f"{NAMES[name]} ({value:,.0f})" if value >= 100 else f"{NAMES[name]} ({value:.3f})"


def _say_knee(
    knee: int | None, clear: int | None, sharpness: float, null_knee: int | None, null: float
) -> str:
    """Where the inertia curve bends, and whether that is more than noise does."""
    if knee is None:
        head = "the inertia curve has no clear knee"
        return (
            head if null_knee is None else f"{head}, while uniform noise bends at k = {null_knee}"
        )
    bend = f"k = {knee} (sharpness {sharpness:.2f})"
    if clear is None:
        where = "" if null_knee is None else f" at k = {null_knee}"
        return (
            f"the inertia curve has no clear knee, as its bend at {bend} is no sharper than that of "
            f"uniform noise{where} ({null:.2f})"
        )
    if null_knee is None:
        return f"the knee of the inertia curve lies at {bend}"
    return (
        f"the knee of the inertia curve lies at {bend}, but uniform noise without any clusters "
        f"bends at k = {null_knee} as well ({null:.2f})"
    )
