"""What a name means where it stands: Python's scoping rules read from a syntax tree."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.GeneratorExp, ast.DictComp)


class Bindings:
    """The names a block binds; a target is `module:name` for an import and None for the rest."""

    def __init__(self, nodes: Iterable[ast.AST], package: str) -> None:
        self.names: dict[str, list[str | None]] = {}
        self.globals: set[str] = set()
        self.nonlocals: set[str] = set()
        self.package = package
        for node in nodes:
            self._collect(node)

    def add(self, name: str | None, target: str | None = None) -> None:
        if name is not None:
            self.names.setdefault(name, []).append(target)

    def _collect(self, node: ast.AST) -> None:
        if isinstance(node, (*FUNCTIONS, ast.ClassDef)):
            self.add(node.name)
            for outer in (*node.decorator_list, *_evaluated_outside(node)):
                self._collect(outer)
        elif isinstance(node, ast.Lambda):
            for outer in _evaluated_outside(node):
                self._collect(outer)
        elif isinstance(node, ast.arguments):
            for argument in (*node.posonlyargs, *node.args, *node.kwonlyargs):
                self.add(argument.arg)
            for rest in (node.vararg, node.kwarg):
                self.add(rest.arg if rest else None)
        elif isinstance(node, COMPREHENSIONS):
            # Only `:=` leaves a comprehension; its targets are its own.
            for part in ast.iter_child_nodes(node):
                children = [part.iter, *part.ifs] if isinstance(part, ast.comprehension) else [part]
                for child in children:
                    self._collect(child)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            for name, target in import_targets(node, self.package):
                self.add(name, target)
        elif isinstance(node, ast.If) and guards_typing(node.test) is not None:
            for child in run_branch(node):
                self._collect(child)
        else:
            self._collect_plain(node)

    def _collect_plain(self, node: ast.AST) -> None:
        if isinstance(node, ast.Name):
            if not isinstance(node.ctx, ast.Load):
                self.add(node.id)
        elif isinstance(node, ast.Global):
            self.globals.update(node.names)
        elif isinstance(node, ast.Nonlocal):
            self.nonlocals.update(node.names)
        elif isinstance(node, (ast.ExceptHandler, ast.MatchAs, ast.MatchStar)):
            self.add(node.name)
        elif isinstance(node, ast.MatchMapping):
            self.add(node.rest)
        elif type(node).__name__ in {"TypeVar", "TypeVarTuple", "ParamSpec"}:  # from Python 3.12
            self.add(node.name)  # type: ignore[attr-defined]
        for child in ast.iter_child_nodes(node):
            self._collect(child)


def _evaluated_outside(node: ast.AST) -> Iterator[ast.expr]:
    if isinstance(node, ast.ClassDef):
        yield from (*node.bases, *(keyword.value for keyword in node.keywords))
    elif isinstance(node, (*FUNCTIONS, ast.Lambda)):
        yield from (d for d in (*node.args.defaults, *node.args.kw_defaults) if d is not None)


class Scope:
    """One block of code and the names that are its own."""

    def __init__(self, kind: str, parent: Scope | None, bindings: Bindings) -> None:
        self.kind = kind
        self.parent = parent
        self.bindings = bindings
        self.has_fields = False
        self.aliases: dict[str, list[ast.expr]] = {}
        self.unused = {name for name, targets in bindings.names.items() if all(targets)}

    def holder(self, name: str) -> Scope | None:
        """The enclosing function that binds the name, if one does."""
        scope: Scope | None = self
        while scope is not None and (scope.kind != "function" or name not in scope.bindings.names):
            scope = scope.parent
        return scope

    def resolve(self, name: str) -> tuple[list[str], bool]:
        """Imports `name` may stand for in an enclosing block, and whether it may be a global."""
        scope: Scope | None = self
        imports: list[str] = []
        while scope is not None and scope.kind != "module":
            # A method does not see the names of its class.
            if scope.kind == "class" and scope is not self:
                scope = scope.parent
                continue
            if name in scope.bindings.globals:
                return imports, True
            if name in scope.bindings.names and name not in scope.bindings.nonlocals:
                targets = scope.bindings.names[name]
                imports += [target for target in targets if target]
                scope.unused.discard(name)
                # In a class body the name is the global one until the class binds it.
                if scope.kind == "function":
                    return imports, False
            scope = scope.parent
        return imports, True


def import_targets(node: ast.Import | ast.ImportFrom, package: str) -> list[tuple[str, str]]:
    """Pairs of bound name and `module:name`; the name `*` stands for a star import."""
    if isinstance(node, ast.Import):
        return [
            (alias.asname, f"{alias.name}:")
            if alias.asname
            else (alias.name.partition(".")[0], f"{alias.name.partition('.')[0]}:")
            for alias in node.names
        ]
    base = _import_base(node, package)
    if base == "__future__":
        return []
    return [(alias.asname or alias.name, f"{base}:{alias.name}") for alias in node.names]


def loaded_modules(node: ast.Import | ast.ImportFrom, package: str) -> list[str]:
    """What the statement loads, as `module:` or `module:name` (which may be a submodule)."""
    if isinstance(node, ast.Import):
        return [f"{alias.name}:" for alias in node.names]
    return [target for _, target in import_targets(node, package)]


def _import_base(node: ast.ImportFrom, package: str) -> str:
    if not node.level:
        return node.module or ""
    parts = package.split(".") if package else []
    parts = parts[: len(parts) - node.level + 1]
    return ".".join([*parts, *([node.module] if node.module else [])])


def guards_typing(test: ast.expr) -> bool | None:
    """True for `if TYPE_CHECKING`, False for `if not TYPE_CHECKING`, None for any other test."""
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        inner = guards_typing(test.operand)
        return None if inner is None else not inner
    name = test.attr if isinstance(test, ast.Attribute) else getattr(test, "id", None)
    return True if name == "TYPE_CHECKING" else None


def run_branch(node: ast.If) -> list[ast.stmt]:
    """The branch of an `if TYPE_CHECKING` that Python runs."""
    return node.orelse if guards_typing(node.test) else node.body
