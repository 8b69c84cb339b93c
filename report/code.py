"""The source code behind a recipe: each function as it was when its hash was taken, on a page.

A page holds what the run's recipes name of one module. Its name is made of the symbols and their
hashes, so a page once written keeps showing the code of its run, however the file goes on.
"""

from __future__ import annotations

import ast
import functools
import hashlib
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from engine.recipe import canonical_json
from engine.store import code_cache, project_root
from engine.symbols.files import Project
from report.site import Site


@dataclass(frozen=True)
class Source:
    """One function, class or constant: its name in its module, text, and first line in the file."""

    symbol: str
    name: str
    hash: str
    line: int
    text: str


@dataclass(frozen=True)
class CodePage:
    """The symbols of one module that a run depends on."""

    module: str
    file: str
    sources: list[Source]


class Code:
    """Finds the sources of a run's symbols and writes their pages.

    Arguments:
        recipes: the `code` of each recipe of the run: symbol → hash.
        render: the text of a page.
        look: says how pages look; another look gives pages of their own.
    """

    def __init__(
        self,
        site: Site,
        recipes: Iterable[Mapping[str, str]],
        render: Callable[[CodePage], str],
        look: str,
    ) -> None:
        self._modules = _Modules()
        self._look = look
        self._hrefs: dict[tuple[str, str], str] = {}
        self._sources: dict[tuple[str, str], Source] = {}
        wanted: dict[str, dict[str, str]] = {}
        for recipe in recipes:
            for symbol, digest in recipe.items():
                module = self._modules.of(symbol)
                if module:
                    wanted.setdefault(module, {})[symbol] = digest
        for module, symbols in wanted.items():
            self._place(site, module, symbols, render)

    def href(self, symbol: str, digest: str) -> str | None:
        """Where the symbol's source is shown, from the site's root; None where it is unknown."""
        return self._hrefs.get((symbol, digest))

    def source(self, symbol: str, digest: str) -> Source | None:
        """The symbol's source, if the file still holds what this hash was taken of."""
        return self._sources.get((symbol, digest))

    def _place(
        self,
        site: Site,
        module: str,
        symbols: Mapping[str, str],
        render: Callable[[CodePage], str],
    ) -> None:
        page = self._modules.read(module, symbols)
        self._sources |= {(source.symbol, source.hash): source for source in page.sources}
        short = hashlib.sha256(canonical_json([self._look, dict(symbols)]).encode()).hexdigest()[
            :10
        ]
        name = f"code/{module}-{short}.html"
        if site.exists(name) or len(page.sources) == len(symbols):
            site.share(name, lambda: render(page).encode())
            for symbol, digest in symbols.items():
                self._hrefs[symbol, digest] = f"{name}#{symbol.removeprefix(module + '.')}"
        elif page.sources:
            # Part of it has changed since: what is left gets a page of its own.
            self._place(site, module, {s.symbol: s.hash for s in page.sources}, render)


class _Modules:
    """Source files of the project, each read once."""

    def __init__(self) -> None:
        self._root = project_root()
        self._project = Project(os.fspath(self._root), os.fspath(code_cache()))

    def of(self, symbol: str) -> str:
        """The module of `module.symbol`, or nothing where there is no such file."""
        module = symbol.rpartition(".")[0]
        while module:
            path = self._project.locate(module)
            if path and path.endswith(".py"):
                return module
            module = module.rpartition(".")[0]
        return ""

    def read(self, module: str, symbols: Mapping[str, str]) -> CodePage:
        """Those of the symbols whose hash is still that of the file, in the file's order."""
        path = self._project.locate(module)
        summary = self._project.summary(module)
        if path is None or summary is None:
            return CodePage(module, "", [])
        hashes = {f"{module}.{name}": facts["hash"] for name, facts in summary["symbols"].items()}
        texts = _texts(Path(path))
        found = []
        for symbol, digest in symbols.items():
            name = symbol.removeprefix(f"{module}.")
            if hashes.get(symbol) == digest and name in texts:
                line, text = texts[name]
                found.append(Source(symbol, name, digest, line, text))
        shown = os.path.relpath(path, self._root)
        return CodePage(module, shown, sorted(found, key=lambda source: source.line))


def _texts(path: Path) -> dict[str, tuple[int, str]]:
    """Name at the top of a file → line and text of what defines it, decorators and all."""
    try:
        source = path.read_text("utf-8")
        tree = ast.parse(source)
    except (OSError, ValueError, SyntaxError):
        return {}
    lines = source.splitlines()
    parts: dict[str, list[tuple[int, str]]] = {}
    for node in _flat(tree.body):
        decorators = getattr(node, "decorator_list", [])
        first = min([node.lineno, *(d.lineno for d in decorators)])
        text = "\n".join(lines[first - 1 : node.end_lineno])
        for name in _names(node):
            parts.setdefault(name, []).append((first, text))
    return {n: (found[0][0], "\n".join(text for _, text in found)) for n, found in parts.items()}


def _flat(body: Iterable[ast.stmt]) -> Iterable[ast.stmt]:
    """Statements at the top of a file, those under an `if` or `try` among them."""
    for node in body:
        if isinstance(node, ast.If | ast.Try | ast.With):
            for part in ("body", "orelse", "finalbody"):
                yield from _flat(getattr(node, part, []))
            for handler in getattr(node, "handlers", []):
                yield from _flat(handler.body)
        else:
            yield node


def _names(node: ast.stmt) -> Iterable[str]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return [node.name]
    return {
        inner.id
        for inner in ast.walk(node)
        if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store)
    }


@functools.cache
def _highlighter() -> Callable[[str], str]:
    from pygments import highlight
    from pygments.formatters import HtmlFormatter
    from pygments.lexers import PythonLexer

    lexer, formatter = PythonLexer(stripnl=False, ensurenl=False), HtmlFormatter(nowrap=True)
    return lambda text: highlight(text, lexer, formatter)


def to_html(text: str) -> str:
    """Python source as escaped HTML with the classes that Pygments gives its tokens."""
    return _highlighter()(text)
