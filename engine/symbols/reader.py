"""One statement as text that formatting, comments and import aliases cannot change."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from .module import Module, aliases, chain_of
from .reference import join
from .scopes import Bindings, Scope

# What these fields hold is formatting, or annotations, which are read where they matter.
_SKIPPED = {"ctx", "kind", "type_comment", "annotation", "returns", "type_params", "type_ignores"}
_MUTATING = frozenset(
    "add append appendleft clear difference_update discard extend extendleft fill insert"  # noqa: SIM905
    " intersection_update itemset move_to_end partition pop popitem popleft put register remove"
    " resize reverse rotate set setdefault setfield setflags shuffle sort subtract"
    " symmetric_difference_update update write"
    # A generator or a file that is read from gives something else the next time.
    " choice choices gauss integers normal permutation permuted randint random randrange read"
    " readline readlines sample send spawn standard_normal uniform".split()
)
_NAMESPACES = frozenset({"globals", "eval", "exec"})
_OF_ARGUMENTS = frozenset({"setattr", "delattr", "next"})
_LOGGING = frozenset({"critical", "debug", "error", "exception", "info", "log", "warning"})


@dataclass(frozen=True)
class Piece:
    """A statement as text and the references (`module:path`) it makes."""

    text: str
    refs: frozenset[str]
    now: frozenset[str]
    edits: frozenset[str]
    foreign: frozenset[str]
    hints: frozenset[str]
    declared: frozenset[str]
    inner: tuple[tuple[int, str, str], ...]
    calls: bool


class Reader:
    """Reads one module-level statement: its text, its names, and what it changes in place."""

    def __init__(self, table: Module, keep_docs: bool) -> None:
        self.table = table
        self.keep_docs = keep_docs
        self.out: list[str] = []
        self.refs: set[str] = set()
        self.now: set[str] = set()
        self.edits: set[str] = set()
        self.foreign: set[str] = set()
        self.hints: set[str] = set()
        self.declared: set[str] = set()
        self.inner: list[tuple[int, str, str]] = []
        self.own_edits: set[str] = set()
        self.has_effect = False
        self.calls = False
        self.depth = 0
        self.top: ast.AST | None = None

    def read(self, node: ast.stmt, tests: Iterable[ast.expr]) -> Piece:
        scope = Scope("module", None, Bindings((), self.table.package))
        for test in tests:
            self.visit(test, scope)
        self.top = node
        self.visit(node, scope)
        return Piece(
            text="".join(self.out),
            refs=frozenset(self.refs),
            now=frozenset(self.now),
            edits=frozenset(self.edits),
            foreign=frozenset(self.foreign),
            hints=frozenset(self.hints),
            declared=frozenset(self.declared),
            inner=tuple(self.inner),
            calls=self.calls,
        )

    def visit(self, node: ast.AST, scope: Scope) -> None:
        special: Callable[[ast.AST, Scope], None] | None
        special = getattr(self, f"on_{type(node).__name__.lower()}", None)
        if special is not None:
            special(node, scope)
        else:
            self._plain(node, scope)

    def _plain(self, node: ast.AST, scope: Scope) -> None:
        self.out.append(f"{type(node).__name__}(")
        for name in node._fields:
            if name not in _SKIPPED:
                value = getattr(node, name, None)
                self._values(value if isinstance(value, list) else [value], scope)
        self.out.append(")")

    def _values(self, values: Iterable[object], scope: Scope) -> None:
        self.out.append("[")
        for value in values:
            if isinstance(value, ast.AST):
                self.visit(value, scope)
            else:
                self.out.append(f"{value!r},")
        self.out.append("]")

    def on_constant(self, node: ast.Constant, scope: Scope) -> None:
        value = node.value
        # repr() of a very large int is an error.
        exact = hex(value) if type(value) is int else repr(value)
        self.out.append(f"{type(value).__name__}:{exact},")

    def on_pass(self, node: ast.Pass, scope: Scope) -> None:
        pass

    def on_name(self, node: ast.Name, scope: Scope) -> None:
        if scope.kind == "class" and isinstance(node.ctx, ast.Store):
            self.out.append(f"{node.id},")
        else:
            self._use(node.id, [], scope)

    def on_attribute(self, node: ast.Attribute, scope: Scope) -> None:
        if not isinstance(node.ctx, ast.Load):
            self._edit(node, scope)
        root, chain = chain_of(node)
        if isinstance(root, ast.Name):
            self._use(root.id, chain, scope)
        else:
            self._plain(node, scope)

    def _use(self, name: str, chain: list[str], scope: Scope) -> None:
        imports, is_global = scope.resolve(name)
        refs = [join(target, chain) for target in imports]
        own: list[str] = []
        if is_global:
            imported, own = self.table.meanings(name, chain)
            refs += imported
            self._ref(*own)
            bound = scope.kind == "class" and name in scope.bindings.names
            made = self.table.is_unknown(name) and not bound
            if made or (name in _NAMESPACES and not own):
                self._ref(f"{self.table.module}:*")
        self._ref(*refs)
        # In order, because the last import wins.
        dotted = list(dict.fromkeys(r.lstrip("?").replace(":", ".").strip(".") for r in refs))
        if any(path.startswith("sys.modules") for path in dotted):
            self._ref(f"{self.table.module}:*")
        if "__subclasses__" in chain:
            self.edits.update(f"{ref.removesuffix('.__subclasses__')}<" for ref in refs + own)
        self.out.append(f"@{'|'.join(dotted)}," if dotted else f"{'.'.join([name, *chain])},")

    def _ref(self, *refs: str) -> None:
        self.refs.update(refs)
        if self.depth == 0:
            self.now.update(refs)

    def on_subscript(self, node: ast.Subscript, scope: Scope) -> None:
        if not isinstance(node.ctx, ast.Load):
            self._edit(node.value, scope)
        self._plain(node, scope)

    def _edit(self, node: ast.expr, scope: Scope, call: str = "") -> None:
        """Notes that what `node` stands for is changed; `call` is "()" if `node` is called."""
        root, chain, call = _object_of(node, call)
        if not isinstance(root, ast.Name):
            return
        holder = scope.holder(root.id)
        for alias in holder.aliases.pop(root.id, ()) if holder else ():
            self._edit(alias, holder or scope)
        imports, is_global = scope.resolve(root.id)
        names = {join(target, chain) for target in imports}
        if is_global:
            names.update(self.table.meanings(root.id, chain)[0])
            kind = self.table.kinds.get(root.id)
            if kind == "value" or (kind and (chain or not call)):
                self._edit_own(root.id, scope)
        (self.edits if self.depth else self.foreign).update(name + call for name in names)
        self.has_effect |= self.depth == 0 and bool(names) and not call
        self.has_effect |= self.depth == 0 and is_global and root.id in _NAMESPACES

    def _edit_own(self, name: str, scope: Scope) -> None:
        if self.depth:
            self.edits.add(f"{self.table.module}:{name}")
        elif name not in self.own_edits:
            self.own_edits.add(name)
            for alias in self.table.aliases.get(name, ()):
                self._edit(alias, scope)

    def on_expr(self, node: ast.Expr, scope: Scope) -> None:
        value = node.value
        if isinstance(value, ast.Constant) and not self.keep_docs:
            return
        if isinstance(value, (ast.ListComp, ast.SetComp)):
            value = value.elt
        if isinstance(value, ast.Call):
            self._discarded(value, scope)
        self._plain(node, scope)

    def _discarded(self, call: ast.Call, scope: Scope) -> None:
        """A call whose result nobody keeps is there for what it changes."""
        name = getattr(_object_of(call.func, "()")[0], "id", "")
        is_method = isinstance(call.func, ast.Attribute)
        last = call.func.attr if isinstance(call.func, ast.Attribute) else name
        if last in _LOGGING or last == "print" or name in self.table.stages:
            return
        before = len(self.own_edits)
        self._edit(call.func, scope, "()")
        imports, is_global = scope.resolve(name)
        # What a method of a local object is given it reads, as a rule: `axes.plot(X, color=INK)`.
        of_local = is_method and not is_global and not imports
        if last == "shuffle" or (last not in _MUTATING and not of_local):
            for argument in (*call.args, *(keyword.value for keyword in call.keywords)):
                self._edit(argument, scope)
        own = name in self.table.kinds and name not in self.table.imports
        owned = (is_method and own) or (name in _OF_ARGUMENTS and len(self.own_edits) > before)
        self.has_effect |= self.depth == 0 and not owned

    def mutates(self, call: ast.Call, scope: Scope) -> None:
        """Notes what a call of a well-known changing method changes, wherever the call stands."""
        if isinstance(call.func, ast.Attribute) and call.func.attr in _MUTATING:
            self._edit(call.func, scope, "()")
        if isinstance(call.func, ast.Name) and call.func.id == "next" and call.args:
            self._edit(call.args[0], scope)

    def on_global(self, node: ast.Global, scope: Scope) -> None:
        self.declared.update(node.names)
        self.out.append(f"global {node.names},")

    def on_augassign(self, node: ast.AugAssign, scope: Scope) -> None:
        # Numbers and strings are not changed in place.
        if not isinstance(node.value, ast.Constant):
            self._edit(node.target, scope)
        self._plain(node, scope)

    def on_for(self, node: ast.For, scope: Scope) -> None:
        self._note_aliases(node, scope)
        self._plain(node, scope)

    def on_with(self, node: ast.With, scope: Scope) -> None:
        self._note_aliases(node, scope)
        self._plain(node, scope)

    def _note_aliases(self, node: ast.stmt, scope: Scope) -> None:
        """Keeps what a function's local name stands for."""
        for name, value in aliases(node) if scope.kind == "function" else ():
            scope.aliases.setdefault(name, []).append(value)

    def on_assign(self, node: ast.Assign, scope: Scope) -> None:
        self._note_aliases(node, scope)
        self.assign(node.targets, node.value, scope)

    def assign(self, targets: list[ast.expr], value: ast.expr | None, scope: Scope) -> None:
        """The same text with and without an annotation."""
        self.out.append("Assign(")
        self._values([*targets, value], scope)
        self.out.append(")")


def _object_of(node: ast.expr, call: str) -> tuple[ast.expr, list[str], str]:
    """What `node` is a part or a result of: its root, the attributes from there, "()" if called."""
    while True:
        root, chain = chain_of(node)
        if isinstance(root, (ast.Subscript, ast.Starred)):
            node, call = root.value, ""
        elif isinstance(root, ast.Call):
            node, call = root.func, "()"
        else:
            return root, chain, call
