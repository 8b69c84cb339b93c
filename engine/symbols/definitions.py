"""Functions, classes, comprehensions and imports as the reader writes them."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterable

from .module import chain_of
from .reader import Reader
from .reference import FIELDS, join
from .scopes import Bindings, Scope, guards_typing, import_targets, loaded_modules, run_branch

_READS_ANNOTATIONS = frozenset({"register", "validate_call", "dispatch"})
_FIELD_MARKS = ("ClassVar", "InitVar", "KW_ONLY", "Annotated")
_FIND_MODULES = ("importlib.util.module_from_spec", "importlib.util.spec_from_file_location")


class DefinitionReader(Reader):
    """Reader that knows what opens a scope, and drops decorators of the engine and annotations."""

    def on_functiondef(self, node: ast.FunctionDef, scope: Scope) -> None:
        self._function(node, scope)

    def on_asyncfunctiondef(self, node: ast.AsyncFunctionDef, scope: Scope) -> None:
        self._function(node, scope)

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef, scope: Scope) -> None:
        start = len(self.out)
        self.out.append(f"{type(node).__name__} {node.name}(")
        annotated = self._decorators(node.decorator_list, scope)
        self._arguments(node.args, scope, annotated)
        if node.returns is not None:
            self.hints |= self.table.in_annotation(node.returns, typing=True)
        own = [*getattr(node, "type_params", ()), node.args, *node.body]
        self._block(node.body, scope, Bindings(own, self.table.package))
        self.out.append(")")
        is_method = scope.kind == "class" and self.depth == 0
        if node is not self.top and not is_method:
            line = min([node.lineno, *(d.lineno for d in node.decorator_list)])
            self._inner(line, node.name, start)

    def on_lambda(self, node: ast.Lambda, scope: Scope) -> None:
        start = len(self.out)
        self.out.append("Lambda(")
        self._arguments(node.args, scope, annotated=False)
        self._block([node.body], scope, Bindings([node.args, node.body], self.table.package))
        self.out.append(")")
        self._inner(node.lineno, "<lambda>", start)

    def _inner(self, line: int, name: str, start: int) -> None:
        text = "".join(self.out[start:])
        self.inner.append((line, name, hashlib.sha256(text.encode()).hexdigest()[:16]))

    def _decorators(self, decorators: list[ast.expr], scope: Scope) -> bool:
        """Writes all but the engine's; returns whether one of them reads the annotations."""
        annotated = False
        for decorator in decorators:
            if self.table.is_engine(decorator):
                continue
            self.visit(decorator, scope)
            called = decorator.func if isinstance(decorator, ast.Call) else decorator
            root, chain = chain_of(called)
            annotated |= (chain[-1] if chain else getattr(root, "id", "")) in _READS_ANNOTATIONS
            if self.depth == 0:
                self.calls = True
                self._edit(called, scope, "()")
        return annotated

    def _arguments(self, args: ast.arguments, scope: Scope, annotated: bool) -> None:
        self.out.append("args(")
        for kind in ("posonlyargs", "args", "vararg", "kwonlyargs", "kwarg"):
            value = getattr(args, kind)
            for arg in value if isinstance(value, list) else [value] if value else []:
                self.out.append(f"{kind} {arg.arg},")
                if arg.annotation is not None:
                    self.hints |= self.table.in_annotation(arg.annotation, typing=True)
                    if annotated:
                        self.visit(arg.annotation, scope)
        self._values(args.defaults, scope)
        self._values(args.kw_defaults, scope)
        self.out.append(")")

    def _block(self, body: Iterable[ast.AST], scope: Scope, bindings: Bindings) -> None:
        inside = Scope("function", scope, bindings)
        self.depth += 1
        for node in body:
            self.visit(node, inside)
        # An import that no name uses is there for what it does.
        for name in sorted(inside.unused):
            self.out.append(f"import {sorted(filter(None, bindings.names[name]))},")
        self.depth -= 1

    def on_classdef(self, node: ast.ClassDef, scope: Scope) -> None:
        self.out.append(f"class {node.name}(")
        self._decorators(node.decorator_list, scope)
        self._values([*node.bases, *node.keywords], scope)
        own = [*getattr(node, "type_params", ()), *node.body]
        inside = Scope("class", scope, Bindings(own, self.table.package))
        inside.has_fields = bool(node.decorator_list or node.bases or node.keywords)
        for statement in node.body:
            self.visit(statement, inside)
        self.out.append(")")
        # A model may take fields from a plain class beside it, which a subclass alone does not.
        if len(node.bases) > 1 or node.keywords or node.decorator_list:
            for base in node.bases:
                self._base(base)
        if node is self.top and _gathers_subclasses(node):
            self.edits.add(f"{self.table.module}:{node.name}<")

    def _base(self, base: ast.expr) -> None:
        root, chain = chain_of(base)
        if isinstance(root, ast.Name):
            imported, own = self.table.meanings(root.id, chain)
            self._ref(*(join(ref, [FIELDS]) for ref in (*imported, *own)))

    def on_annassign(self, node: ast.AnnAssign, scope: Scope) -> None:
        if not (scope.kind == "class" and scope.has_fields):
            if node.value is not None:
                self.assign([node.target], node.value, scope)
            return
        # In a dataclass or a model the annotated names are the fields, whatever their types say;
        # types that are the project's own belong to what building one runs.
        self.out.append("field ")
        self._ref(*self.table.in_annotation(node.annotation, typing=False))
        quoted = ast.dump(node.annotation)
        if "Call(" in quoted or any(mark in quoted for mark in _FIELD_MARKS):
            self.visit(node.annotation, scope)
        self.assign([node.target], node.value, scope)

    def on_if(self, node: ast.If, scope: Scope) -> None:
        if guards_typing(node.test) is None:
            self._plain(node, scope)
        else:
            for statement in run_branch(node):
                self.visit(statement, scope)

    def on_import(self, node: ast.Import, scope: Scope) -> None:
        self._import(node, scope)

    def on_importfrom(self, node: ast.ImportFrom, scope: Scope) -> None:
        self._import(node, scope)

    def _import(self, node: ast.Import | ast.ImportFrom, scope: Scope) -> None:
        loaded = loaded_modules(node, self.table.package)
        self._ref(*(f"!{target}" for target in loaded))
        names = dict(import_targets(node, self.table.package))
        bound = scope.bindings.names
        ambiguous = [(name, names[name]) for name in names if len(bound.get(name, ())) > 1]
        if scope.kind == "function" and ambiguous:
            self.out.append(f"import {ambiguous},")
        if scope.kind == "class":
            self.out.append(f"attributes {sorted(names)},")
        # In a function the names that use the import say what is imported.
        if scope.kind != "function":
            self.out.append(f"import {loaded},")
        # What becomes an attribute or a global may be used anywhere.
        reached = scope.bindings.globals if scope.kind == "function" else names
        if scope.kind != "module":
            self._ref(*(target for name, target in names.items() if name in reached))

    def on_listcomp(self, node: ast.ListComp, scope: Scope) -> None:
        self._comprehension(node, [node.elt], node.generators, scope)

    def on_setcomp(self, node: ast.SetComp, scope: Scope) -> None:
        self._comprehension(node, [node.elt], node.generators, scope)

    def on_generatorexp(self, node: ast.GeneratorExp, scope: Scope) -> None:
        self._comprehension(node, [node.elt], node.generators, scope)

    def on_dictcomp(self, node: ast.DictComp, scope: Scope) -> None:
        self._comprehension(node, [node.key, node.value], node.generators, scope)

    def _comprehension(
        self,
        node: ast.expr,
        made: list[ast.expr],
        generators: list[ast.comprehension],
        scope: Scope,
    ) -> None:
        targets = Bindings([generator.target for generator in generators], self.table.package)
        inside = Scope("function", scope, targets)
        self.out.append(f"{type(node).__name__}(")
        for index, generator in enumerate(generators):
            self.out.append(f"for {generator.is_async}")
            self.visit(generator.target, inside)
            self.visit(generator.iter, inside if index else scope)
            self._values(generator.ifs, inside)
        self._values(made, inside)
        self.out.append(")")

    def on_call(self, node: ast.Call, scope: Scope) -> None:
        self.mutates(node, scope)
        self.calls |= self.depth == 0
        root, chain = chain_of(node.func)
        if isinstance(root, ast.Name):
            self._dynamic_import(node, root.id, chain, scope)
        self._plain(node, scope)

    def _dynamic_import(self, node: ast.Call, name: str, chain: list[str], scope: Scope) -> None:
        imports, is_global = scope.resolve(name)
        refs = [join(target, chain) for target in imports]
        if is_global:
            refs += self.table.meanings(name, chain)[0]
        dotted = {ref.replace(":", ".") for ref in refs}
        if name == "__import__" or "importlib.import_module" in dotted:
            first = node.args[0] if node.args else None
            literal = first.value if isinstance(first, ast.Constant) else None
            if isinstance(literal, str) and not literal.startswith("."):
                self._ref(f"{literal}:")
                return
        elif not any(path.startswith(("pkgutil.", "runpy.", *_FIND_MODULES)) for path in dotted):
            return
        # Any module of the package may be meant.
        self._ref(f"{self.table.module.partition('.')[0]}:")


def _gathers_subclasses(node: ast.ClassDef) -> bool:
    """Whether defining a subclass may change the class."""
    return (
        any(keyword.arg == "metaclass" for keyword in node.keywords)
        or any(isinstance(base, ast.Name) and base.id == "type" for base in node.bases)
        or any(getattr(inner, "name", "") == "__init_subclass__" for inner in node.body)
    )
