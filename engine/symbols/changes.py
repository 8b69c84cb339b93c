"""Symbols that other code changes in place: registries, plugins, constants filled elsewhere."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from .graph import Graph, Node

_Table = dict[Node, set[Node]]


class Changes:
    """Adds to what a stage depends on whatever changes those symbols while modules are imported."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.project = graph.project
        self._imports: dict[str, tuple[str, ...]] = {}
        self._facts: dict[str, tuple[_Table, _Table]] = {}
        self._reach: dict[Node, set[Node]] = {}

    def closure(self, starts: Iterable[Node], modules: Iterable[str]) -> set[Node]:
        """All nodes that the starts depend on, given that `modules` and their imports are loaded."""
        starts = list(starts)
        seen = self.graph.closure(starts)
        loaded = self._loaded(modules)
        direct, called = self._tables(loaded)
        if not direct and not called:
            return seen
        while True:
            more: set[Node] = set()
            for node in seen:
                # An unknown part of the module may have been changed.
                for key in (node, (node[0], "**")):
                    more |= direct.get(key, set())
                    if key in called:
                        more |= self._order(node, list(self._callers(called[key], loaded)))
            if more <= seen:
                return seen
            seen |= self.graph.closure(more)

    def _order(self, node: Node, causes: list[Node]) -> set[Node]:
        """What changes a symbol and, where it is more than one, in which order it stands."""
        if len(causes) < 2:
            return set(causes)
        order = ",".join(f"{module}.{symbol}" for module, symbol in causes)
        return {*causes, (node[0], f"={node[1]}.<order>={order}")}

    def _loaded(self, modules: Iterable[str]) -> list[str]:
        seen: dict[str, None] = {}
        waiting = list(modules)
        while waiting:
            module = waiting.pop()
            if module not in seen:
                seen[module] = None
                waiting += self._imports_of(module)
        return sorted(seen)

    def _imports_of(self, module: str) -> tuple[str, ...]:
        if module not in self._imports:
            found: dict[str, None] = {}
            summary = self.project.summary(module)
            parent = module.rpartition(".")[0]
            targets = [f"{parent}:"] if parent else []
            if summary is not None:
                targets += [*summary["loads"], *summary["later"]]
            for target in targets:
                base, _, name = target.partition(":")
                for loaded in (base, f"{base}.{name}"):
                    if self.project.is_ours(loaded) and self.project.locate(loaded) is not None:
                        found[loaded] = None
            self._imports[module] = tuple(found)
        return self._imports[module]

    def _tables(self, modules: Iterable[str]) -> tuple[_Table, _Table]:
        direct: _Table = defaultdict(set)
        called: _Table = defaultdict(set)
        for module in modules:
            for table, facts in zip((direct, called), self._facts_of(module), strict=True):
                for node, causes in facts.items():
                    table[node] |= causes
        return direct, called

    def _facts_of(self, module: str) -> tuple[_Table, _Table]:
        """What importing the module changes, and what calling its functions changes."""
        if module not in self._facts:
            direct: _Table = defaultdict(set)
            called: _Table = defaultdict(set)
            summary = self.project.summary(module)
            if summary is not None:
                for target, symbol in summary["foreign"]:
                    for node in self._changed(target):
                        direct[node].add((module, symbol))
                for symbol, facts in summary["symbols"].items():
                    for target in facts.get("edits", ()):
                        for node in self._changed(target.removesuffix("<")):
                            called[node].add(node if target.endswith("<") else (module, symbol))
            self._facts[module] = direct, called
        return self._facts[module]

    def _changed(self, target: str) -> Iterator[Node]:
        """The symbols that `module:path` or the call `module:path()` changes."""
        is_call = target.endswith("()")
        waiting, seen = [target.removesuffix("()").lstrip("?")], set[str]()
        while waiting:
            ref = waiting.pop()
            if ref in seen or not self.project.is_ours(ref):
                continue
            seen.add(ref)
            for module, path, found in self.graph.walk(ref):
                if not path and not is_call:
                    yield (module, "**")
                for place, symbol in found:
                    if not place:
                        waiting.append(symbol.lstrip("?"))
                    elif (place, symbol) == (module, path[0]):
                        summary = self.project.summary(module)
                        is_value = summary and summary["symbols"][symbol]["kind"] == "value"
                        # Calling a plain function changes what its text says, not itself.
                        if is_value or len(path) > 1 or not is_call:
                            yield (module, symbol)

    def _callers(self, functions: set[Node], modules: Iterable[str]) -> Iterator[Node]:
        """Symbols whose making, when their module is imported, may call one of the functions."""
        for module in modules:
            summary = self.project.summary(module)
            for symbol, facts in summary["symbols"].items() if summary else ():
                if "now" in facts:
                    node = (module, symbol)
                    if node not in self._reach:
                        starts = [("", ref) for ref in facts["now"]]
                        self._reach[node] = self.graph.closure(starts)
                    if not functions.isdisjoint(self._reach[node]):
                        yield node
