"""What depends on what: references followed from symbol to symbol through the whole project."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator

from .files import Project
from .reference import EFFECTS, join

# (module, symbol). Besides real symbols: ("", reference) · (module, "!") what importing it does ·
# (module, "*") all its symbols · (module, "**") these and its submodules · (module, "=name=target")
# a name that the module imports from outside the project.
Node = tuple[str, str]

_NO_CONTENT = {"__name__", "__file__", "__doc__", "__package__", "__spec__", "__path__"}


class Graph:
    """The dependencies of a project's symbols, looked up as they are asked for."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self._direct: dict[Node, frozenset[Node]] = {}
        self._closures: dict[Node, frozenset[Node]] = {}
        self._edges: dict[Node, tuple[Node, ...]] = {}
        self._hashes: dict[Node, tuple[str, str]] = {}

    def closure(self, starts: Iterable[Node]) -> set[Node]:
        """All symbols that the starts depend on, those among the starts included."""
        seen: set[Node] = set()
        for node in starts:
            if _is_symbol(node):
                seen.add(node)
            for other in self.direct(node):
                seen |= self._closure_of(other)
        return seen

    def _closure_of(self, node: Node) -> frozenset[Node]:
        if node not in self._closures:
            seen = {node}
            waiting = set(self.direct(node))
            while waiting:
                other = waiting.pop()
                known = self._closures.get(other)
                if known is None:
                    seen.add(other)
                    waiting |= self.direct(other) - seen
                else:
                    seen |= known
                    waiting -= known
            self._closures[node] = frozenset(seen)
        return self._closures[node]

    def direct(self, node: Node) -> frozenset[Node]:
        """The symbols that a node depends on with no other symbol between."""
        known = self._direct.get(node)
        if known is not None:
            return known
        found: set[Node] = set()
        seen = {node}
        waiting = list(self._find(*node))
        while waiting:
            other = waiting.pop()
            if other in seen:
                continue
            seen.add(other)
            if _is_symbol(other):
                found.add(other)
            elif other in self._direct or (other[1] == "!" and node[1] != "!"):
                found |= self.direct(other)
            else:
                waiting += self._edges_of(other)
        self._direct[node] = frozenset(found)
        return self._direct[node]

    def _edges_of(self, node: Node) -> tuple[Node, ...]:
        edges = self._edges.get(node)
        if edges is None:
            edges = self._edges[node] = tuple(self._find(*node))
        return edges

    def hashes(self, nodes: Iterable[Node]) -> dict[str, str]:
        """Name and hash of symbols."""
        return dict(self._hashes.get(node) or self._hash(node) for node in nodes)

    def _hash(self, node: Node) -> tuple[str, str]:
        module, symbol = node
        summary = self.project.summary(module)
        assert summary is not None
        if symbol.startswith("="):
            _, name, target = symbol.split("=", 2)
            targets = summary["stars"] if name == "*" else summary["imports"].get(name, ())
            alone = name not in summary["symbols"] and len(targets) < 2
            label = f"{module}.{name}" if alone else f"{module}.{name}={target}"
            self._hashes[node] = label, hashlib.sha256(target.encode()).hexdigest()[:16]
        else:
            self._hashes[node] = f"{module}.{symbol}", summary["symbols"][symbol]["hash"]
        return self._hashes[node]

    def _find(self, module: str, symbol: str) -> Iterator[Node]:
        if not module:
            yield from self._follow(symbol)
        elif symbol == "!":
            yield from self._import_of(module)
        elif symbol in {"*", "**"}:
            yield from self._all_of(module)
            if symbol == "**":
                yield from ((name, "**") for name in self.project.submodules(module))
        elif not symbol.startswith("="):
            summary = self.project.summary(module)
            assert summary is not None
            yield (module, "!")
            for ref in summary["symbols"][symbol].get("refs", ()):
                if self.project.is_ours(ref.lstrip("?!")):
                    yield ("", ref)

    def _import_of(self, module: str) -> Iterator[Node]:
        parent = module.rpartition(".")[0]
        if parent:
            yield (parent, "!")
        summary = self.project.summary(module)
        if summary is not None:
            if EFFECTS in summary["symbols"]:
                yield (module, EFFECTS)
            yield from (("", f"!{target}") for target in summary["loads"])

    def _all_of(self, module: str) -> Iterator[Node]:
        yield (module, "!")
        summary = self.project.summary(module)
        if summary is None:
            return
        for name in summary["symbols"]:
            if "." not in name and name not in {"__all__", "__doc__"}:
                yield (module, name)
        for name in summary["imports"]:
            yield from self._imported(module, name, [])
        for star in summary["stars"]:
            yield (star, "*") if self.project.is_ours(star) else (module, f"=*={star}")

    def _follow(self, ref: str) -> Iterator[Node]:
        if not self.project.is_ours(ref.lstrip("?!")):
            return
        if ref.startswith("!"):
            base, _, name = ref[1:].partition(":")
            for module in (base, f"{base}.{name}"):
                if self.project.locate(module) is not None:
                    yield (module, "!")
            return
        for module, path, found in self.walk(ref.lstrip("?")):
            yield (module, "!")
            if found:
                yield from found
            elif not path:
                yield (module, "**")
            elif path == ["*"]:
                yield (module, "*")
            elif not ref.startswith("?") and path[0] not in _NO_CONTENT:
                # Made at run time, so anything in the module may matter.
                yield (module, "*")

    def walk(self, ref: str) -> Iterator[tuple[str, list[str], list[Node]]]:
        """Modules on the way of a reference, the path left there, and what its first name is."""
        module, _, dotted = ref.partition(":")
        path = dotted.split(".") if dotted else []
        if self.project.locate(module) is None:
            return
        while True:
            found = list(self._lookup(module, path[0], path[1:])) if path else []
            inside = f"{module}.{path[0]}" if path else ""
            is_module = bool(path) and self.project.locate(inside) is not None
            if not is_module or found:
                yield module, path, found
            # `from .name import name` hides the submodule of that name.
            if not is_module or any(
                node[1].startswith((f"{inside}:", f"{inside}.")) for node in found
            ):
                return
            module, path = inside, path[1:]

    def _lookup(self, module: str, name: str, rest: list[str]) -> Iterator[Node]:
        summary = self.project.summary(module)
        if summary is None:
            return
        symbols = summary["symbols"]
        if name in symbols:
            yield (module, name)
            if rest and f"{name}.{rest[0]}" in symbols:
                yield (module, f"{name}.{rest[0]}")
        known = name in symbols or name in summary["imports"]
        yield from self._imported(module, name, rest)
        for star in summary["stars"]:
            if self.project.is_ours(star):
                yield ("", f"?{join(f'{star}:{name}', rest)}")
            elif not known:
                yield (module, f"=*={star}")

    def _imported(self, module: str, name: str, rest: list[str]) -> Iterator[Node]:
        summary = self.project.summary(module)
        for target in summary["imports"].get(name, ()) if summary else ():
            if self.project.is_ours(target):
                yield ("", join(target, rest))
            else:
                yield (module, f"={name}={target}")


def _is_symbol(node: Node) -> bool:
    return bool(node[0]) and node[1] not in {"!", "*", "**"}
