"""Where a statement stands among those that change what it reads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

from .reader import Piece
from .reference import EFFECTS

Step = tuple[Piece, list[str]]  # a statement and the symbols it makes or changes


def with_positions(steps: Sequence[Step], module: str) -> Iterator[Step]:
    """The statements in order; those that read a symbol of several statements say after which.

    Functions and constants that are made once may change places without a trace.
    """
    totals = Counter(name for _, names in steps for name in names)
    named: dict[str, set[str]] = {}
    for piece, names in steps:
        for name in names:
            named.setdefault(name, set()).update(_own(piece.refs, module))
    done: Counter[str] = Counter()
    for piece, names in steps:
        read = set(_own(piece.now, module))
        if piece.calls:
            read = _reach(read, named) | {EFFECTS}
        places = [
            f"{name} after {done[name]}"
            for name in sorted(read - set(names))
            if totals[name] > 1 or (name == EFFECTS and totals[name])
        ]
        yield (replace(piece, text=f"{piece.text}{places}") if places else piece), names
        done.update(names)


def _own(refs: frozenset[str], module: str) -> Iterator[str]:
    for ref in refs:
        base, _, path = ref.partition(":")
        if base == module:
            yield path.partition(".")[0]


def _reach(names: set[str], named: dict[str, set[str]]) -> set[str]:
    seen: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting += named.get(name, ())
    return seen
