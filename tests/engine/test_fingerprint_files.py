"""Where source is found, what happens when it is not, and what is kept between processes."""

from __future__ import annotations

import functools
import hashlib
import json
import math
import os
import re
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import engine
from engine.fingerprint import Fingerprinter, fingerprint
from engine.symbols import places
from engine.symbols.files import FORMAT
from engine.symbols.summary import summarise
from tests.engine.fingerprint_process import fingerprints, run, write
from tests.engine.fingerprint_project import FILES

SCRIPT = {
    "demo.py": """
        from engine import stage
        from helpers import double

        FACTOR = 3

        class Settings:
            level = 1

        def make(k):
            def inner(x):
                return k
            return inner

        @stage
        def plain(x):
            return double(x) * FACTOR

        made = stage(make(4))
        held = stage(make(Settings()))

        if __name__ == "__main__":
            print(plain(2))
    """,
    "helpers.py": """
        def double(x):
            return x + x
    """,
}


def _load(path: Path, name: str = "loaded_for_a_test") -> Any:
    """The module's namespace; nothing is left in sys.modules."""
    namespace: dict[str, Any] = {"__file__": str(path), "__name__": name}
    exec(compile(path.read_text(), path, "exec"), namespace)
    return namespace


def test_a_script_has_the_same_symbols_as_when_it_is_imported(tmp_path: Path) -> None:
    write(tmp_path, SCRIPT)
    imported = fingerprints(tmp_path, "demo")
    assert list(imported["plain"]) == ["demo.FACTOR", "demo.plain", "helpers.double"]
    assert "demo.Settings" in imported["held"]
    program = f"""
import importlib.util, json, os, sys, types
package = types.ModuleType("engine"); package.__path__ = [{engine.__path__[0]!r}]
class Stage:
    def __init__(self, fn): self.fn = fn
    def __call__(self, x): return self.fn(x)
package.stage = Stage
sys.modules["engine"] = package
from engine.fingerprint import fingerprint
sys.path.insert(0, {str(tmp_path)!r})
if sys.argv[1] == "path":
    spec = importlib.util.spec_from_file_location("elsewhere", {str(tmp_path / "demo.py")!r})
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    space = vars(module)
else:
    os.chdir({str(tmp_path)!r})
    space = sys.modules["__main__"].__dict__
    space["__file__"] = {str(tmp_path / "demo.py")!r}
    exec(compile(open("demo.py").read(), "demo.py", "exec"), space)
    os.chdir("/")
print(json.dumps({{n: fingerprint(v.fn) for n, v in space.items() if type(v).__name__ == "Stage"}}))
"""
    for how in ("path", "main"):
        done = subprocess.run(
            [sys.executable, "-S", "-I", "-c", program, how],
            capture_output=True,
            text=True,
            check=True,
        )
        assert json.loads(done.stdout.splitlines()[-1]) == imported


def test_functions_of_equal_text_keep_their_own_names(tmp_path: Path) -> None:
    text = "from engine import stage\n\n@stage\ndef {}(x):\n    return twin(x)\n\ndef twin(x):\n    return x\n"
    write(
        tmp_path, {"p/__init__.py": "", "p/a.py": text.format("one"), "p/b.py": text.format("two")}
    )
    found = fingerprints(tmp_path, "p.a", "p.b")
    assert found["one"].keys() == {"p.a.one", "p.a.twin"}
    assert found["one"]["p.a.twin"] == found["two"]["p.b.twin"]


def test_a_script_finds_the_packages_that_python_finds(tmp_path: Path) -> None:
    write(
        tmp_path, {"lib/tool/__init__.py": "", "lib/tool/work.py": "def work(x):\n    return x\n"}
    )
    write(
        tmp_path, {"scripts/go.py": "from tool.work import work\ndef go(x):\n    return work(x)\n"}
    )
    program = f"""
import sys
sys.path[:0] = [{str(tmp_path / "scripts")!r}, {str(tmp_path / "lib")!r}, {str(Path(engine.__path__[0]).parent)!r}]
import types
package = types.ModuleType("engine"); package.__path__ = [{engine.__path__[0]!r}]
sys.modules["engine"] = package
from go import go
from engine.fingerprint import fingerprint
print(*fingerprint(go))
"""
    command = [sys.executable, "-S", "-I", "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["go.go", "tool.work.work"]


def test_a_function_without_a_source_file_is_refused() -> None:
    space: dict[str, Any] = {}
    exec("def typed(x):\n    return x\n", space)
    with pytest.raises(LookupError, match=r"no source file for 'typed'.*Write it to a \.py file"):
        fingerprint(space["typed"])


@pytest.mark.parametrize(
    "fn", [os.path.join, json.dumps, math.sin, functools.partial(math.pow, 2), engine.Store]
)
def test_code_that_is_not_the_projects_is_refused(fn: Callable[..., Any]) -> None:
    with pytest.raises(LookupError, match=r"Wrap it in a function|no source file"):
        fingerprint(fn)


def test_a_function_that_was_edited_away_is_refused(tmp_path: Path) -> None:
    write(tmp_path, {"gone.py": "def gone(x):\n    return x\n"})
    fn = _load(tmp_path / "gone.py")["gone"]
    (tmp_path / "gone.py").write_text("def other(x):\n    return x\n")
    with pytest.raises(LookupError, match=r"gone\.gone is not in .*gone\.py as that file is now"):
        fingerprint(fn)
    (tmp_path / "gone.py").write_text("def gone(x)\n    return x\n")
    with pytest.raises(LookupError, match="as that file is now"):
        fingerprint(fn)


def test_an_expression_without_end_is_refused(tmp_path: Path) -> None:
    write(tmp_path, {"deep.py": f"def deep(x):\n    return {' + '.join(['x'] * 2000)}\n"})
    fn = _load(tmp_path / "deep.py")["deep"]
    with pytest.raises(LookupError, match=r"deep\.py holds an expression nested deeper"):
        fingerprint(fn)


def test_a_value_that_cannot_be_compared_is_named(tmp_path: Path) -> None:
    write(
        tmp_path,
        {"held.py": "def make(lock):\n    def inner(x):\n        return lock\n    return inner\n"},
    )
    fn = _load(tmp_path / "held.py")["make"](threading.Lock())
    with pytest.raises(LookupError, match=r"lock of make.<locals>.inner holds a _thread\.lock"):
        fingerprint(fn)


def test_values_are_told_apart_by_content(tmp_path: Path) -> None:
    source = "def make(value):\n    def inner(x):\n        return value\n    return inner\n"
    write(tmp_path, {"values.py": source})
    make = _load(tmp_path / "values.py")["make"]
    ring: list[Any] = [1]
    ring.append(ring)
    values = [
        None, True, 1, 1.0, "1", b"1", -0.0, 0.0, (1,), [1], {1}, frozenset({1}), {1: 2}, {2: 1},
        {"a": 1, "b": 2}, {"b": 2, "a": 1}, ring, math.sin, math.cos, int, float, re.compile("a"),
        re.compile("b"), Path("a"), Path("b"), functools.partial(int, base=2), json, 10**5000, range(3),
    ]  # fmt: skip
    found = [json.dumps(fingerprint(make(value))) for value in values]
    assert len(set(found)) == len(values)
    assert found == [json.dumps(fingerprint(make(value))) for value in values]


def test_fingerprints_do_not_depend_on_the_hash_seed(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "m.py": """
                from engine import stage
                def make(names):
                    def inner(x):
                        return x in names
                    return inner
                one = stage(make({"a", "b", "c", "d", "e"}))
                @stage
                def two(x):
                    return x in {"a", "b", "c", "d"} and (lambda y: y in {"p", "q", "r"})(x)
            """
        },
    )
    assert len({json.dumps(fingerprints(tmp_path, "m")) for _ in range(4)}) == 1


def test_a_file_is_read_again_when_it_changed_but_a_snapshot_stays(tmp_path: Path) -> None:
    path = tmp_path / "edited.py"
    path.write_text("K = 1\n\ndef f(x):\n    return K\n")
    fn = _load(path)["f"]
    snapshot = Fingerprinter()
    first = snapshot.fingerprint(fn)
    assert fingerprint(fn) == first
    path.write_text("K = 2\n\ndef f(x):\n    return K\n")
    changed = fingerprint(fn)
    assert changed["edited.f"] == first["edited.f"]
    assert changed["edited.K"] != first["edited.K"]
    assert snapshot.fingerprint(fn) == first
    assert not snapshot.is_current()


CACHED = {
    "p/__init__.py": "",
    "p/a.py": "from engine import stage\nfrom .b import g\n\n@stage\ndef f(x):\n    return g(x)\n",
    "p/b.py": "def g(x):\n    return x\n",
}


def _count(folder: Path) -> int:
    return len(list(folder.iterdir()))


def test_a_warm_cache_parses_nothing(tmp_path: Path) -> None:
    write(tmp_path / "project", CACHED)
    cache = tmp_path / "made" / "here"
    cold = run(tmp_path / "project", "p.a", cache=cache)
    assert "engine.symbols.summary" in cold["loaded"]
    files = sorted(path.name for path in cache.iterdir())
    assert len(files) == 3
    assert all(re.fullmatch(r"[0-9a-f]{64}\.json", name) for name in files)
    warm = run(tmp_path / "project", "p.a", cache=cache)
    assert warm["found"] == cold["found"]
    assert "engine.symbols.summary" not in warm["loaded"]
    assert "ast" not in warm["loaded"]
    # One file changed: one summary more.
    (tmp_path / "project" / "p" / "b.py").write_text("def g(x):\n    return -x\n")
    edited = run(tmp_path / "project", "p.a", cache=cache)
    assert edited["found"]["f"]["p.b.g"] != cold["found"]["f"]["p.b.g"]
    assert _count(cache) == 4


@pytest.mark.parametrize(
    "damage",
    [b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"symbols": {}}', "half", "types", "symbol"],
    ids=str,
)
def test_a_damaged_cache_is_made_again(damage: bytes | str, tmp_path: Path) -> None:
    write(tmp_path / "project", CACHED)
    cache = tmp_path / "cache"
    cold = run(tmp_path / "project", "p.a", cache=cache)
    good = {path.name: path.read_bytes() for path in cache.iterdir()}
    for path in cache.iterdir():
        content = path.read_bytes()
        if damage == "half":
            content = content[: len(content) // 2]
        elif damage == "types":
            content = content.replace(b'"stars":[]', b'"stars":[1]')
        elif damage == "symbol":
            content = json.dumps(json.loads(content) | {"symbols": {"g": {"hash": 3}}}).encode()
        else:
            content = bytes(damage)  # type: ignore[arg-type]
        path.write_bytes(content)
    again = run(tmp_path / "project", "p.a", cache=cache)
    assert again["found"] == cold["found"]
    assert {path.name: path.read_bytes() for path in cache.iterdir()} == good


def test_a_cache_that_cannot_be_written_does_no_harm(tmp_path: Path) -> None:
    write(tmp_path / "project", CACHED)
    (tmp_path / "file").write_text("no folder")
    found = run(tmp_path / "project", "p.a", cache=tmp_path / "file")
    assert found["found"] == run(tmp_path / "project", "p.a")["found"]
    assert (
        run(tmp_path / "project", "p.a", cache=tmp_path / "file" / "below")["found"]
        == found["found"]
    )


def test_threads_get_the_same_answer(tmp_path: Path) -> None:
    names = [f"f{i}" for i in range(40)]
    source = "".join(
        f"def {name}(x):\n    return {names[i - 1]}(x)\n" for i, name in enumerate(names)
    )
    write(tmp_path, {"many.py": source})
    space = _load(tmp_path / "many.py")
    fingerprinter = Fingerprinter(tmp_path / "cache")
    found: dict[str, dict[str, str]] = {}

    def work(name: str) -> None:
        found[name] = fingerprinter.fingerprint(space[name])

    threads = [threading.Thread(target=work, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # A ring of functions: each depends on all.
    assert all(answer == found["f0"] and len(answer) == 40 for answer in found.values())
    assert found.keys() == set(names)


@pytest.mark.parametrize(
    ("files", "live", "expected"),
    [
        (["a/__init__.py", "a/b/__init__.py", "a/b/c.py"], "x", ("", "a.b.c")),
        (["a/__init__.py", "a/b/c.py"], "__main__", ("", "a.b.c")),
        (["a/__init__.py"], "a", ("", "a")),
        (["a/c.py"], "__main__", ("a", "c")),
        (["a/c.py"], "a.c", ("", "a.c")),
        (["a/c.py"], "b.c", ("a", "c")),
    ],
)
def test_a_module_is_named_by_its_folders(
    files: list[str], live: str, expected: tuple[str, str], tmp_path: Path
) -> None:
    write(tmp_path, dict.fromkeys(files, ""))
    root, name = places.place_of(str(tmp_path / files[-1]), live)
    assert (Path(root), name) == (tmp_path / expected[0], expected[1])


def test_a_change_of_the_summaries_needs_a_new_format() -> None:
    text = "\n".join(textwrap.dedent(text) for text in FILES.values()).replace(
        "from __future__", "#"
    )
    summary = json.dumps(summarise(text.encode(), "p.m", "p"))
    digest = hashlib.sha256(summary.encode()).hexdigest()[:16]
    # Another digest means that caches on disk hold what is no longer meant: raise FORMAT.
    assert (FORMAT, digest) == (2, "7332fd3d2d8a0d14")
