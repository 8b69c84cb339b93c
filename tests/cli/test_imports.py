"""Help, a plan and a cached run load no heavy library."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.cli.project import Project, use_store
from tests.heavy import HEAVY

CODE = """
import atexit, json, os, sys
def tell():
    loaded = {name.partition('.')[0] for name in sys.modules}
    os.write(3, json.dumps(sorted(loaded)).encode())
atexit.register(tell)
from cli.main import main
sys.argv = ['latentflow', *sys.argv[1:]]
main()
"""


@pytest.fixture(scope="module")
def ran(folder: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The project after a first run; these tests add more."""
    project = use_store(folder, tmp_path_factory.mktemp("ran") / "store")
    project.good("run", "toy", "--local")
    return project


@pytest.mark.parametrize(
    "arguments",
    [
        ("--help",),
        ("run", "--help"),
        ("run", "toy", "--local"),
        ("run", "toy"),
        ("run", "toy", "--json"),
        ("run", "toy", "--runner", "dask"),
        ("plan", "toy"),
        ("status",),
        ("runs",),
        ("diff", "last"),
    ],
    ids=" ".join,
)
def test_nothing_heavy_is_loaded(ran, tmp_path, arguments):
    loaded = tmp_path / "loaded.json"
    done = subprocess.run(
        ["sh", "-c", f'exec 3>{loaded}; exec "$@"', "sh", sys.executable, "-c", CODE, *arguments],
        cwd=ran.root,
        env=ran.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert not set(json.loads(loaded.read_text())) & (HEAVY | {"rich", "httpx"})
