"""The cells of the sweep: which there are, and their wiring."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any, NamedTuple

from flows.digits_parameters import Algorithm, DigitsParameters
from tasks.clustering import cluster_digits
from tasks.scores import rate_cell

Place = tuple[str, str]  # scaling and space

# The calls of `score_cells` that a row of the means stands for: a table's columns, any seed.
CELLS = "cluster_digits[{algorithm},space={scaling} {space},clusters={clusters},seed=*]"


class Group(NamedTuple):
    """Cells that are a full product of places, numbers of clusters and seeds."""

    algorithm: Algorithm
    places: list[Place]
    seeds: list[int]


def place_in(scaling: str, space: str) -> Place:
    """Where cells of a space lie: an autoencoder takes its images in one scaling alone."""
    return ("unit" if latent_size(space) else scaling, space)


def latent_size(space: str) -> int | None:
    """The dimensions of an autoencoder's latent space, as in ae16; None of other spaces."""
    number = space.removeprefix("ae")
    return int(number) if number != space else None


def plan_cells(p: DigitsParameters) -> list[Group]:
    """The cells of the sweep and of the reference in groups; no cell stands in two of them."""
    wanted: dict[tuple[Algorithm, Place], list[int]] = {
        ("minibatch", place_in(*place)): list(p.sweep.seeds)
        for place in product(p.sweep.scalings, p.sweep.spaces)
    }
    for algorithm, space in product(p.reference.algorithms, p.reference.spaces):
        cell: tuple[Algorithm, Place] = (algorithm, place_in(p.reference.scaling, space))
        wanted[cell] = sorted({*wanted.get(cell, ()), *p.reference.seeds})
    groups: dict[tuple[Algorithm, tuple[int, ...]], list[Place]] = {}
    for (algorithm, place), seeds in wanted.items():
        groups.setdefault((algorithm, tuple(seeds)), []).append(place)
    return [Group(algorithm, places, list(seeds)) for (algorithm, seeds), places in groups.items()]


def score_cells(
    groups: Sequence[Group],
    spaces: Mapping[Place, Any],
    clusters: Sequence[int],
    images: Any,
    how: Mapping[str, Any],
) -> dict[str, dict[str, dict[str, Any]]]:
    """Cluster and rate every cell; the scores by scaling, space and name of the cell.

    Arguments:
        spaces: place → handles of its train and test rows.
        images: what `load_images` returned.
        how: further parameters of `cluster_digits`.
    """
    train, test, about = images
    scores: dict[str, dict[str, dict[str, Any]]] = {}
    for algorithm, places, seeds in groups:
        named = {f"{scaling} {space}": spaces[scaling, space] for scaling, space in places}
        cells = cluster_digits.labelled(algorithm).map(
            over={"space": named, "clusters": clusters, "seed": seeds}, algorithm=algorithm, **how
        )
        keys = list(product(places, clusters, seeds))
        labels = [f"{scaling} {space} {k} {seed}" for (scaling, space), k, seed in keys]
        rated = rate_cell.labelled(algorithm).map(
            over={"cell": dict(zip(labels, cells, strict=True))},
            train=train,
            test=test,
            about=about,
        )
        for ((scaling, space), k, seed), score in zip(keys, rated, strict=True):
            by_cell = scores.setdefault(scaling, {}).setdefault(space, {})
            by_cell[f"{algorithm} {k} {seed}"] = score
    return scores
