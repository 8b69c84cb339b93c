"""Who may import whom, what nobody may use, and what a light command may load."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path

from tests.heavy import HEAVY, modules_after

ROOT = Path(__file__).parent.parent.parent
LAYERS = ("engine", "tasks", "report", "flows", "cli")
MAY_IMPORT = {
    "engine": {"engine"},
    "tasks": {"engine", "tasks"},
    "report": {"engine", "report"},
    "flows": {"engine", "tasks", "report", "flows"},
    "cli": set(LAYERS),
}
# These are loaded only where Prefect is wanted.
MAY_USE_PREFECT = ("engine", "flows", "cli")
PREFECTS_OWN = (
    "engine/prefect_",
    "engine/dask_runner",
    "flows/deployed",
    "cli/served",
    "cli/temporary_server",
)
FORBIDDEN_MODULES = {"pickle", "cloudpickle", "dill", "shelve", "marshal", "joblib"}


def sources(*folders: str) -> list[Path]:
    found = (path for folder in folders for path in sorted((ROOT / folder).rglob("*.py")))
    return [p for p in found if "/." not in f"/{p.relative_to(ROOT).as_posix()}"]  # no .venv


def imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.module or ""


def at_import(node: ast.AST) -> Iterator[str]:
    """What is imported as soon as the module is, without what only a type checker reads."""
    if isinstance(node, ast.Import | ast.ImportFrom):
        yield from imports(node)
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
        return
    inner = ast.iter_child_nodes(node)
    if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
        inner = iter(node.orelse)
    for child in inner:
        yield from at_import(child)


def roots(names: Iterable[str]) -> set[str]:
    return {name.split(".")[0] for name in names}


def place(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


def test_imports_run_one_way():
    wrong = {}
    for path in sources(*LAYERS):
        layer = path.relative_to(ROOT).parts[0]
        found = roots(imports(parse(path))) & {*LAYERS, "prefect", "tests"}
        allowed = MAY_IMPORT[layer] | ({"prefect"} if layer in MAY_USE_PREFECT else set())
        if not found <= allowed:
            wrong[place(path)] = found - allowed
    assert wrong == {}


def test_nothing_is_pickled_or_evaluated():
    wrong = []
    for path in sources(*LAYERS, "benchmarks"):
        tree = parse(path)
        wrong += [f"{place(path)}: {name}" for name in roots(imports(tree)) & FORBIDDEN_MODULES]
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and _is_forbidden(node):
                wrong.append(f"{place(path)}:{node.lineno}: {ast.unparse(node)}")
    assert wrong == []


def _is_forbidden(call: ast.Call) -> bool:
    for keyword in call.keywords:
        if keyword.arg == "allow_pickle" and ast.unparse(keyword.value) != "False":
            return True
    if isinstance(call.func, ast.Name):
        return call.func.id in {"eval", "exec", "compile", "__import__"}
    return isinstance(call.func, ast.Attribute) and call.func.attr in {"read_pickle", "to_pickle"}


def test_nothing_heavy_is_imported_at_the_top():
    """A plan or a cached run imports these modules and must load none of it."""
    wrong = {
        place(path): found
        for path in sources("engine", "tasks", "flows", "cli")
        if not place(path).startswith(PREFECTS_OWN)
        and (found := roots(at_import(parse(path))) & HEAVY)
    }
    assert wrong == {}


def test_the_engine_alone_is_light():
    found = modules_after("import engine")
    assert "engine" in found
    assert not found & (HEAVY | (set(LAYERS) - {"engine"}))


def test_a_cached_run_and_a_plan_of_it_are_light(tmp_path):
    code = (
        "from pathlib import Path\n"
        "from engine import Store\n"
        "from tests.engine.toy import plan_toy, run_toy\n"
        f"store = Store(Path({str(tmp_path)!r}))\n"
        "run = run_toy(store); plan = plan_toy(store)\n"
        "assert set(plan.values()) == {'cached'}, plan\n"
    )
    assert {"numpy", "pandas", "pyarrow"} <= modules_after(code)
    assert not modules_after(code) & HEAVY
