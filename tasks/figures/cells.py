"""The cells of a sweep in words and looks: scaling, space and algorithm, one name for each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tasks.figures.style import DASHES, LABEL_COLOURS, MARKERS, Look
from tasks.figures.words import counted, literal, percent, shorten

if TYPE_CHECKING:
    import pandas as pd

Place = tuple[str, ...]

PLACE = ("scaling", "space", "algorithm")
ALGORITHMS = {"kmeans": "KMeans", "minibatch": "MiniBatch"}


def name_scaling(scaling: str) -> str:
    """Return a scaling's name: "standard-normalise" is "standard → normalise"."""
    return literal(shorten(scaling.replace("-", " → "), 32))


def name_space(space: str) -> str:
    """Return a space's name in words: "pca40" is "40 components", "ae16" is "16 latent numbers"."""
    if space.startswith("ae") and space[2:].isdigit():
        return counted(int(space[2:]), "latent number")
    number = space.removeprefix("pca")
    if space.startswith("pca") and number.isdigit():
        return counted(int(number), "component")
    if space.startswith("pca") and number.replace(".", "", 1).isdigit():
        return f"components for {percent(float(number), 0)}"
    return "all pixels" if space == "raw" else literal(shorten(space))


def name_algorithm(algorithm: str) -> str:
    """Return an algorithm's usual name: "minibatch" is "MiniBatch"."""
    return ALGORITHMS.get(algorithm, algorithm)


NAMES = {"scaling": name_scaling, "space": name_space, "algorithm": name_algorithm}


def list_places(means: pd.DataFrame) -> list[Place]:
    """Return each (scaling, space, algorithm) once: small spaces first, KMeans before others."""
    columns = [*PLACE, *(["dimensions"] if "dimensions" in means else [])]
    rows = dict.fromkeys(means[columns].itertuples(index=False, name=None))
    scalings = list(dict.fromkeys(row[0] for row in rows))
    algorithms = [*ALGORITHMS, *(row[2] for row in rows)]

    def rank(row: tuple[Any, ...]) -> tuple[Any, ...]:
        return scalings.index(row[0]), row[3] if len(row) > 3 else 0, algorithms.index(row[2])

    return list(dict.fromkeys(row[:3] for row in sorted(rows, key=rank)))


def name_cells(means: pd.DataFrame) -> tuple[dict[Place, str], str]:
    """Return the name of each (scaling, space, algorithm), and what all of them have in common.

    A name holds only what differs: among cells of one scaling it says nothing of the scaling.
    """
    places = list_places(means)
    varied = [i for i in range(len(PLACE)) if len({place[i] for place in places}) > 1] or [2]
    fixed = [i for i in range(len(PLACE)) if i not in varied]
    return {place: _join(place, varied) for place in places}, _join(places[0], fixed)


def count_seeds(means: pd.DataFrame) -> str:
    """Return how many seeds a mean is taken over: "1 seed", "3 to 5 seeds"."""
    low, high = int(means["seeds"].min()), int(means["seeds"].max())
    return counted(high, "seed") if low == high else f"{low} to {counted(high, 'seed')}"


def _join(place: Place, parts: Sequence[int]) -> str:
    return " · ".join(NAMES[PLACE[i]](place[i]) for i in parts if place[i])


def cell_looks(means: pd.DataFrame) -> dict[Place, Look]:
    """Return a look a (scaling, space, algorithm): the colour tells the space, the dash the algorithm.

    Where one space comes with several scalings, each pair has a colour of its own.
    """
    places = list_places(means)
    spaces = list(dict.fromkeys(place[:2] for place in places))
    algorithms = list(dict.fromkeys([*ALGORITHMS, *(place[2] for place in places)]))
    return {
        place: Look(
            colour=LABEL_COLOURS[spaces.index(place[:2]) % len(LABEL_COLOURS)],
            marker=MARKERS[spaces.index(place[:2]) % len(MARKERS)],
            dash=DASHES[algorithms.index(place[2]) % len(DASHES)],
        )
        for place in places
    }
