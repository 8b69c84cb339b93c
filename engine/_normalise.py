"""One statement as text that formatting, comments, docstrings and import aliases cannot change."""

from __future__ import annotations

import ast
import builtins
import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ._module_names import ENGINE, Module, chain_of, join
from ._scopes import FUNCTIONS, Bindings, Scope, guards_typing, import_targets, loaded_modules
from ._scopes import run_branch

# What these fields hold is formatting, or annotations, which are handled where they matter.
_SKIPPED = {"ctx", "kind", "type_comment", "annotation", "returns", "type_params", "type_ignores"}
_MUTATING = set(
    "add append appendleft clear difference_update discard extend extendleft fill insert"
    " intersection_update itemset move_to_end partition pop popitem popleft put register remove"
    " resize reverse rotate set setdefault setfield setflags shuffle sort subtract"
    " symmetric_difference_update update write".split()
)
_LOGGING = {"critical", "debug", "error", "exception", "info", "log", "warning"}
_READS_ANNOTATIONS = {"register", "validate_call", "dispatch"}
_FIELD_MARKS = ("ClassVar", "InitVar", "KW_ONLY")


@dataclass(frozen=True)
class Piece:
    """A statement as text and what it names; references are written `module:path`."""

    text: str
    refs: frozenset[str]
    now: frozenset[str]
    edits: frozenset[str]
    foreign: frozenset[str]
    hints: frozenset[str]
    declared: frozenset[str]
    inner: tuple[tuple[int, str, str], ...]


class Reader:
    """Reads one module-level statement."""

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
        self.depth = 0
        self.nested = True

    def read(self, node: ast.stmt, tests: Iterable[ast.expr]) -> Piece:
        scope = Scope("module", None, Bindings((), self.table.package))
        for test in tests:
            self.visit(test, scope)
        self.nested = not isinstance(node, (*FUNCTIONS, ast.ClassDef))
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
        )

    def visit(self, node: ast.AST, scope: Scope) -> None:
        special: Callable[[ast.AST, Scope], None] | None = getattr(
            self, f"_{type(node).__name__}", None
        )
        if special is not None:
            special(node, scope)
        else:
            self._plain(node, scope)

    def _plain(self, node: ast.AST, scope: Scope) -> None:
        self.out.append(f"{type(node).__name__}(")
        for name in node._fields:
            if name in _SKIPPED:
                continue
            value = getattr(node, name, None)
            if isinstance(value, list):
                self.out.append("[")
                for item in value:
                    self._value(item, scope)
                self.out.append("]")
            else:
                self._value(value, scope)
        self.out.append(")")

    def _value(self, value: object, scope: Scope) -> None:
        if isinstance(value, ast.AST):
            self.visit(value, scope)
        else:
            self.out.append(f"{value!r},")

    def _Constant(self, node: ast.Constant, scope: Scope) -> None:
        value = node.value
        # repr() of a very large int is an error.
        exact = hex(value) if type(value) is int else repr(value)
        self.out.append(f"{type(value).__name__}:{exact},")

    def _Pass(self, node: ast.Pass, scope: Scope) -> None:
        pass

    # Names

    def _Name(self, node: ast.Name, scope: Scope) -> None:
        self._use(node.id, [], scope)

    def _Attribute(self, node: ast.Attribute, scope: Scope) -> None:
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
        if is_global:
            imported, others = self.table.meanings(name, chain)
            refs += imported
            self._ref(*others)
            if self.depth == 0 and name == "globals":
                self.has_effect = True
        self._ref(*refs)
        if not refs:
            self.out.append(f"{'.'.join([name, *chain])},")
            return
        self.out.append(f"@{'|'.join(sorted({r.replace(':', '.').strip('.') for r in refs}))},")

    def _ref(self, *refs: str) -> None:
        self.refs.update(refs)
        if self.depth == 0:
            self.now.update(refs)

    # Changes in place

    def _Subscript(self, node: ast.Subscript, scope: Scope) -> None:
        if not isinstance(node.ctx, ast.Load):
            self._edit(node.value, scope)
        self._plain(node, scope)

    def _edit(self, node: ast.expr, scope: Scope, call: str = "") -> None:
        """Notes that the object `node` stands for is changed; `call` is "()" for a called path."""
        names = set()
        while True:
            root, chain = chain_of(node)
            if isinstance(root, (ast.Subscript, ast.Starred)):
                node, call = root.value, ""
            elif isinstance(root, ast.Call):
                node, call = root.func, "()"
            else:
                break
        if not isinstance(root, ast.Name):
            return
        imports, is_global = scope.resolve(root.id)
        names.update(join(target, chain) + call for target in imports)
        if is_global:
            imported, _ = self.table.meanings(root.id, chain)
            names.update(ref + call for ref in imported)
            if root.id in self.table.kinds and (chain or not call or self._is_value(root.id)):
                self._edit_own(root.id, scope)
        (self.edits if self.depth else self.foreign).update(names)

    def _edit_own(self, name: str, scope: Scope) -> None:
        if self.depth:
            self.edits.add(f"{self.table.module}:{name}")
        elif name not in self.own_edits:
            self.own_edits.add(name)
            for alias in self.table.aliases.get(name, ()):
                self._edit(alias, scope)

    def _is_value(self, name: str) -> bool:
        return self.table.kinds.get(name) == "value"

    def _Call(self, node: ast.Call, scope: Scope) -> None:
        if isinstance(node.func, ast.Attribute) and node.func.attr in _MUTATING:
            self._edit(node.func, scope, "()")
        self._dynamic_import(node, scope)
        self._plain(node, scope)

    def _Expr(self, node: ast.Expr, scope: Scope) -> None:
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
        root, chain = chain_of(call.func)
        name = getattr(root, "id", "")
        last = chain[-1] if chain else ""
        if last in _LOGGING or (not chain and name in {"print", *self.table.stages}):
            return
        if name in self.table.stages:
            return
        self._edit(call.func, scope, "()")
        if last not in _MUTATING:
            for argument in (*call.args, *(keyword.value for keyword in call.keywords)):
                self._edit(argument, scope)
        owned = bool(chain) and name in self.table.kinds and name not in self.table.imports
        if self.depth == 0 and not owned:
            self.has_effect = True

    def _Global(self, node: ast.Global, scope: Scope) -> None:
        self.declared.update(node.names)

    def _Assign(self, node: ast.Assign, scope: Scope) -> None:
        self._assign(node.targets, node.value, scope)

    def _AnnAssign(self, node: ast.AnnAssign, scope: Scope) -> None:
        if scope.kind == "class" and scope.has_fields:
            self._field(node, scope)
        elif node.value is not None:
            self._assign([node.target], node.value, scope)

    def _assign(self, targets: list[ast.expr], value: ast.expr, scope: Scope) -> None:
        before = len(self.foreign)
        self.out.append("Assign(")
        for target in targets:
            self.visit(target, scope)
        if self.depth == 0 and len(self.foreign) > before:
            self.has_effect = True
        self.out.append("=")
        self.visit(value, scope)
        self.out.append(")")
