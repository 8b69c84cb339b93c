"""The names of one module and what they stand for."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable, Iterator

from .reference import ENGINE, join
from .scopes import FUNCTIONS, Bindings, guards_typing, import_targets


class Module:
    """Module-level names: imports, definitions, values; filled statement by statement."""

    def __init__(self, module: str, package: str) -> None:
        self.module = module
        self.package = package
        self.imports: dict[str, list[str]] = {}
        self.typing: dict[str, list[str]] = {}
        self.stars: list[str] = []
        self.kinds: dict[str, str] = {}
        self.stages: set[str] = set()
        self.aliases: dict[str, list[ast.expr]] = {}

    def declare(self, node: ast.stmt, conditional: bool) -> None:
        """Enters what a statement binds; an import under an `if` is a symbol as well."""
        bindings = Bindings([node], self.package)
        plain_import = isinstance(node, (ast.Import, ast.ImportFrom)) and not conditional
        for name, targets in bindings.names.items():
            imported = [target for target in targets if target]
            if name == "*":
                self.stars += [target.partition(":")[0] for target in imported]
                continue
            if imported:
                known = self.imports.setdefault(name, [])
                known += [target for target in imported if target not in known]
            if not plain_import:
                kind = _kind(node)
                self.kinds[name] = kind if self.kinds.get(name, kind) == kind else "value"
        if isinstance(node, FUNCTIONS) and any(map(self.is_engine, node.decorator_list)):
            self.stages.add(node.name)
        for name, value in aliases(node):
            self.aliases.setdefault(name, []).append(value)

    def declare_rest(self, tree: ast.Module) -> None:
        """Enters imports of one name, `global`s, and what is imported for type checkers alone."""
        for name, targets in self.imports.items():
            if len(targets) > 1:
                self.kinds.setdefault(name, "value")
        for node in ast.walk(tree):
            if isinstance(node, ast.Global):
                for name in node.names:
                    self.kinds.setdefault(name, "value")
            elif isinstance(node, ast.If) and guards_typing(node.test) is not None:
                for statement in node.body if guards_typing(node.test) else node.orelse:
                    if isinstance(statement, (ast.Import, ast.ImportFrom)):
                        for name, target in import_targets(statement, self.package):
                            self.typing.setdefault(name, []).append(target)

    def meanings(self, name: str, chain: list[str]) -> tuple[list[str], list[str]]:
        """References for the global `name.chain`: those by import, those to own symbols."""
        imported = [join(target, chain) for target in self.imports.get(name, ())]
        own: list[str] = []
        if name in self.kinds:
            documented = chain[:1] == ["__doc__"]
            own.append(f"{self.module}:{name}{'.__doc__' if documented else ''}")
        if name == "__doc__":
            own.append(f"{self.module}:__doc__")
        starred = [f"?{star}:{'.'.join([name, *chain])}" for star in self.stars]
        if name.startswith("__"):
            return imported, own
        if imported or own or hasattr(builtins, name):
            return imported, own + starred
        return starred, []

    def is_unknown(self, name: str) -> bool:
        """Whether no statement binds the name, so that it must be made at run time."""
        known = (self.imports, self.kinds, self.typing, vars(builtins))
        return not (self.stars or name.startswith("__") or any(name in names for names in known))

    def in_annotation(self, annotation: ast.expr, typing: bool) -> set[str]:
        """References an annotation makes, quoted ones included."""
        found: set[str] = set()
        for name, chain in _named(annotation):
            for refs in self.meanings(name, chain):
                found.update(refs)
            if typing:
                found.update(join(target, chain) for target in self.typing.get(name, ()))
        return found

    def is_engine(self, decorator: ast.expr) -> bool:
        """Whether the decorator is the engine's: its options are no part of the code."""
        called = decorator.func if isinstance(decorator, ast.Call) else decorator
        root, _ = chain_of(called)
        targets = self.imports.get(root.id, []) if isinstance(root, ast.Name) else []
        return any(target.partition(":")[0].partition(".")[0] == ENGINE for target in targets)


def chain_of(node: ast.expr) -> tuple[ast.expr, list[str]]:
    """The expression that a chain of attributes starts from, and the attributes."""
    chain: list[str] = []
    while isinstance(node, ast.Attribute):
        chain.append(node.attr)
        node = node.value
    return node, chain[::-1]


def _kind(node: ast.stmt) -> str:
    if isinstance(node, ast.ClassDef):
        return "class"
    return "def" if isinstance(node, FUNCTIONS) else "value"


def aliases(node: ast.stmt) -> Iterator[tuple[str, ast.expr]]:
    """Names that stand for (a part of) another object, so that a change of one changes both."""
    if isinstance(node, (ast.For, ast.AsyncFor)):
        names = [inner for inner in ast.walk(node.iter) if isinstance(inner, ast.Name)]
        for target in ast.walk(node.target):
            if isinstance(target, ast.Name):
                yield from ((target.id, source) for source in names)
    elif isinstance(node, (ast.Assign, ast.AnnAssign)):
        value = node.value
        while isinstance(value, (ast.Attribute, ast.Subscript)):
            value = value.value
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        sources = targets if len(targets) > 1 else []
        if isinstance(value, ast.Name) and node.value is not None:
            sources = [*sources, node.value]
        for name in [target.id for target in targets if isinstance(target, ast.Name)]:
            yield from ((name, source) for source in sources)
    elif isinstance(node, (ast.With, ast.AsyncWith)):
        for item in node.items:
            if isinstance(item.optional_vars, ast.Name):
                yield item.optional_vars.id, item.context_expr


def _named(annotation: ast.AST) -> Iterator[tuple[str, list[str]]]:
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        try:
            yield from _named(ast.parse(annotation.value.strip(), mode="eval").body)
        except SyntaxError:
            return
    elif isinstance(annotation, (ast.Name, ast.Attribute)):
        root, chain = chain_of(annotation)
        if isinstance(root, ast.Name):
            yield root.id, chain
        else:
            yield from _named(root)
    else:
        parts: Iterable[ast.AST] = ast.iter_child_nodes(annotation)
        if isinstance(annotation, ast.Subscript):
            root, chain = chain_of(annotation.value)
            if "Literal" in {getattr(root, "id", ""), *chain}:
                parts = [annotation.value]
        for part in parts:
            yield from _named(part)
