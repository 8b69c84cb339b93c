"""What a level may dream of, told from the network's layers before it is trained or read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from engine import InputError
from tasks.dreams.objective_text import read_objective


class Known(NamedTuple):
    """layers: each layer's number of maps, None where it cannot be told · layer: the one whose maps
    are meant by their numbers · scores: classes that the network gives, None where unknown · classes:
    names of the images' classes."""

    layers: Mapping[str, int | None]
    layer: str
    scores: int | None
    classes: Sequence[str]


def each_wish(maps: Any) -> Iterator[int | str]:
    """Every map, class or objective that a level's `maps` names, lists taken apart."""
    if isinstance(maps, list | tuple):
        for each in maps:
            yield from each_wish(each)
    else:
        yield maps


def require_known(maps: Any, known: Known) -> None:
    """Refuse a level's `maps` where the network has no such map or layer, or the images no such class.

    Raises InputError.
    """
    for wish in each_wish(maps):
        if isinstance(wish, int):
            _require_map(f"map {wish}", known.layer, wish, known)
        elif wish.startswith("class:"):
            name = wish.removeprefix("class:").lstrip()
            if name not in known.classes:
                raise InputError(f"class:{name}: there are {', '.join(known.classes)}")
        elif wish not in ("auto", "guide"):
            for atom in read_objective(wish).atoms:
                _require_map(str(atom), atom.layer, atom.map, known)


def _require_map(told: str, layer: str, number: int, known: Known) -> None:
    if layer and layer not in known.layers:
        raise InputError(f'{told}: no layer "{layer}"; there are {", ".join(known.layers)}')
    count = known.layers[layer] if layer else known.scores
    if count is not None and number >= count:
        where = f'"{layer}" has maps' if layer else "the network has classes"
        raise InputError(f"{told}: {where} 0 to {count - 1}")
