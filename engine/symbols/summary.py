"""What one source file says: a hash of each symbol and the names each symbol depends on."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, TypedDict

from .definitions import DefinitionReader
from .module import Module
from .order import Step, with_positions
from .reader import Piece, Reader
from .reference import EFFECTS, FIELDS
from .scopes import FUNCTIONS, Bindings, guards_typing, loaded_modules, run_branch


class Symbol(TypedDict, total=False):
    hash: str
    kind: str  # "def", "class" or "value"
    refs: list[str]  # `module:path` of all it names
    now: list[str]  # those of refs that are evaluated by importing the file
    edits: list[str]  # what its functions change in place when they are called
    hints: list[str]  # what the annotations of its arguments name


class Summary(TypedDict):
    symbols: dict[str, Symbol]
    imports: dict[str, list[str]]
    stars: list[str]
    loads: list[str]  # modules loaded by importing the file
    later: list[str]  # modules its functions load
    foreign: list[list[str]]  # [what of another module is changed in place, symbol that does it]
    inner: dict[str, list[list[str]]]  # line -> [function's name, hash, symbol], nested ones only


_WITHOUT_TARGET = (ast.Assert, ast.Expr, ast.Import, ast.ImportFrom, ast.Pass, ast.Raise)


@dataclass
class _Draft:
    kind: str
    pieces: list[Piece] = field(default_factory=list)
    extra_refs: set[str] = field(default_factory=set)


def short_hash(text: str) -> str:
    """The first 16 hex digits of the text's sha256."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def summarise(source: bytes, module: str, package: str) -> Summary:
    """Summary of a file that is imported as `module` and whose relative imports start at `package`.

    A file that is no valid Python gets one symbol, so that its text still counts.
    """
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        whole = Symbol(hash=hashlib.sha256(source).hexdigest()[:16], kind="value")
        return _summary({EFFECTS: whole})
    table = Module(module, package)
    statements = list(_flatten(tree.body, (), False))
    for statement, tests, _ in statements:
        table.declare(statement, conditional=bool(tests))
    table.declare_rest(tree)
    steps: list[Step] = []
    keeps_docs = b"__doc__" in source
    for statement, tests, guarded in statements:
        reader = DefinitionReader(table, keeps_docs and _mentions_doc(statement))
        piece = reader.read(statement, tests)
        names = _targets(table, statement, reader, guarded)
        if isinstance(statement, (ast.Import, ast.ImportFrom)) and not tests:
            names = [name for name in names if name in table.kinds]
        if names:
            steps.append((piece, names))
    drafts: dict[str, _Draft] = {}
    foreign: set[tuple[str, str]] = set()
    for piece, names in with_positions(steps, module):
        for name in names:
            drafts.setdefault(name, _Draft(table.kinds.get(name, "value"))).pieces.append(piece)
        home = EFFECTS if EFFECTS in names else names[0]
        foreign.update((target, home) for target in piece.foreign)
    for name, draft in list(drafts.items()):
        for piece in draft.pieces:
            for declared in piece.declared:
                made = drafts.setdefault(declared, _Draft("value"))
                made.extra_refs.add(f"{module}:{name}")
    symbols = {name: _symbol(draft) for name, draft in drafts.items()}
    symbols.update(_documented(tree, statements))
    inner: dict[str, list[list[str]]] = {}
    for name, draft in drafts.items():
        for piece in draft.pieces:
            for line, function, digest in piece.inner:
                inner.setdefault(str(line), []).append([function, digest, name])
    summary = _summary(symbols)
    summary["imports"] = table.imports
    summary["stars"] = table.stars
    summary["loads"], summary["later"] = _loads(tree, package)
    summary["foreign"] = [list(pair) for pair in sorted(foreign)]
    summary["inner"] = inner
    return summary


def _summary(symbols: dict[str, Symbol]) -> Summary:
    return Summary(symbols=symbols, imports={}, stars=[], loads=[], later=[], foreign=[], inner={})


def _flatten(
    body: list[ast.stmt], tests: tuple[ast.expr, ...], guarded: bool
) -> Iterator[tuple[ast.stmt, tuple[ast.expr, ...], bool]]:
    """Statements of the module with the tests of the `if`s around them."""
    for node in body:
        if not isinstance(node, ast.If):
            yield node, tests, guarded
        elif guards_typing(node.test) is not None:
            yield from _flatten(run_branch(node), tests, guarded)
        else:
            if any(isinstance(part, ast.NamedExpr) for part in ast.walk(node.test)):
                yield ast.Expr(node.test), tests, guarded
            other = ast.UnaryOp(ast.Not(), node.test)
            yield from _flatten(node.body, (*tests, node.test), guarded or _is_main(node.test))
            yield from _flatten(node.orelse, (*tests, other), guarded)


def _is_main(test: ast.expr) -> bool:
    return isinstance(test, ast.Compare) and {
        getattr(side, "id", getattr(side, "value", None)) for side in (test.left, *test.comparators)
    } == {"__name__", "__main__"}


def _mentions_doc(node: ast.AST) -> bool:
    return any(
        (isinstance(inner, ast.Attribute) and inner.attr == "__doc__")
        or (isinstance(inner, ast.Name) and inner.id == "__doc__")
        for inner in ast.walk(node)
    )


def _targets(table: Module, statement: ast.stmt, reader: Reader, guarded: bool) -> list[str]:
    """Symbols that the statement makes or changes, in a fixed order."""
    bound = Bindings([statement], table.package).names
    names = dict.fromkeys(name for name in bound if name != "*")
    names.update(dict.fromkeys(sorted(reader.own_edits)))
    lost = not names and not isinstance(statement, _WITHOUT_TARGET)
    # A script's last lines run the flow; they are no part of what its functions mean.
    if (reader.has_effect or lost) and not guarded:
        names[EFFECTS] = None
    return list(names)


def _symbol(draft: _Draft) -> Symbol:
    pieces = draft.pieces
    symbol = Symbol(hash=short_hash("\n".join(piece.text for piece in pieces)), kind=draft.kind)
    parts: dict[str, set[str]] = {
        "refs": set().union(draft.extra_refs, *(piece.refs for piece in pieces)),
        "now": set().union(*(piece.now for piece in pieces)),
        "edits": set().union(*(piece.edits for piece in pieces)),
        "hints": set().union(*(piece.hints for piece in pieces)),
    }
    values: dict[str, Any] = {key: sorted(part) for key, part in parts.items() if part}
    symbol.update(values)  # type: ignore[typeddict-item]
    return symbol


def _documented(
    tree: ast.Module, statements: list[tuple[ast.stmt, tuple[ast.expr, ...], bool]]
) -> dict[str, Symbol]:
    """Docstrings and annotated names, which count only for those who ask for them by name."""
    found: dict[str, Symbol] = {}
    named = [s for s, _, _ in statements if isinstance(s, (*FUNCTIONS, ast.ClassDef))]
    for node in (tree, *named):
        prefix = "" if isinstance(node, ast.Module) else f"{node.name}."
        text = ast.get_docstring(node, clean=False)
        if text is not None:
            found[f"{prefix}__doc__"] = Symbol(hash=short_hash(text), kind="value")
        if isinstance(node, ast.ClassDef):
            fields = [
                statement.target.id
                for statement in node.body
                if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name)
            ]
            if fields:
                found[prefix + FIELDS] = Symbol(hash=short_hash(repr(fields)), kind="value")
    return found


def _loads(tree: ast.Module, package: str) -> tuple[list[str], list[str]]:
    """Modules loaded at import and those loaded inside functions, `if TYPE_CHECKING` left out."""
    now: set[str] = set()
    later: set[str] = set()

    def walk(node: ast.AST, inside: bool) -> None:
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            (later if inside else now).update(loaded_modules(node, package))
        elif isinstance(node, ast.If) and guards_typing(node.test) is not None:
            for statement in run_branch(node):
                walk(statement, inside)
        elif not isinstance(node, ast.expr):
            deeper = inside or isinstance(node, FUNCTIONS)
            for child in ast.iter_child_nodes(node):
                walk(child, deeper)

    walk(tree, False)
    return sorted(now), sorted(later - now)
