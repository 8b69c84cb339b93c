"""Every command of the README runs, on data so small that it takes seconds.

Commands stand in the order of the page, in one folder and on one store, as a reader would try them.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from tests.engine.s3_server import BUCKET, KEYS, open_server
from tests.flows.own import draw_bars
from tests.flows.test_autoencoder import SMALL as AUTOENCODER
from tests.flows.test_digits import SMALL as DIGITS
from tests.flows.test_dreams import SMALL as DREAMS
from tests.flows.test_wifi import SMALL as WIFI
from tests.tasks.dreams.networks import bars
from tests.waiting import PATIENCE

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"^```sh\n(.*?)^```", README, re.DOTALL | re.MULTILINE)
LINES = [line.split("  #")[0].strip() for block in BLOCKS for line in block.splitlines()]

# What makes a flow's run small; what a line of the page says itself comes after it and wins.
TRAINING = ["training.epochs=1", "training.batch=32", "training.precision=float32"]
SMALLER = {
    "autoencoder": [*AUTOENCODER, "data.dataset=digits8x8", "data.limit=200"],
    "wifi": [*WIFI, "data.offline=true"],
    "digits": DIGITS,
    "dreams": [*DREAMS, *TRAINING, "data.path=bars.npz"],
}
# Run for real elsewhere, or by whoever reads this: in CI by `.ci/run`.
BY_MAKE = {"make run": "latentflow run study --preset quick", "make test": "-m pytest"}
ELSEWHERE = {"latentflow serve": "tests/flows/serving.py"}
SHELL = {
    "source .venv/bin/activate": "requirements/install",
    ".venv/bin/python -m pip install -e '.[s3]'": "pyproject.toml",
}

pytestmark = pytest.mark.slow


@dataclass
class Desk:
    """A reader's folder: what lies there, and the environment that earlier lines have set."""

    folder: Path
    environment: dict[str, str]

    def run(self, *arguments: str) -> str:
        """What `latentflow` with these arguments prints; it must succeed."""
        done = subprocess.run(
            [sys.executable, "-m", "cli.main", *arguments],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert done.returncode == 0, f"{arguments}\n{done.stdout}\n{done.stderr}"
        return done.stdout


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """A table, pictures, a photo and a network of a person's own, under the README's names."""
    folder = tmp_path_factory.mktemp("reader")
    rng = np.random.default_rng(0)
    heap = np.repeat([0, 1, 2], 10)
    table = {"length": 5 * heap + rng.normal(size=30), "width": rng.normal(size=30)}
    names = np.array(["setosa", "versicolor", "virginica"])[heap]
    pd.DataFrame({**table, "species": names}).to_csv(folder / "my.csv", index=False)
    for number, (image, name) in enumerate(zip(*draw_bars(rng, 120), strict=True)):
        place = folder / "my-pictures" / str(name)
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(255 - image).save(place / f"{number}.png")
    own = bars(60)
    np.savez(folder / "bars.npz", x=own["x"], y=own["y"])
    Image.fromarray(rng.integers(0, 255, (90, 120, 3), dtype=np.uint8)).save(folder / "holiday.jpg")
    environment = {
        **os.environ,
        "LATENTFLOW_STORE": str(folder / "artifacts"),
        "PYTHONPATH": str(ROOT),
        "COLUMNS": "120",
    }
    return Desk(folder, environment)


@pytest.fixture(scope="module")
def model(desk: Desk) -> None:
    """A network with the layer that the README names."""
    import keras
    from keras import layers

    network = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(4, 3, activation="relu", name="conv_4"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(3, activation="softmax"),
        ]
    )
    network.save(desk.folder / "my-model.keras")


@pytest.fixture(scope="module")
def bucket(desk: Desk) -> Iterator[None]:
    """The bucket of the README."""
    with open_server() as port:
        desk.environment |= {**KEYS, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}"}
        desk.environment |= {"LATENTFLOW_CACHE": str(desk.folder / "cache")}
        yield


@pytest.mark.parametrize(("number", "line"), list(enumerate(LINES)), ids=LINES)
def test_the_line_does_what_it_says(
    number: int, line: str, desk: Desk, request: pytest.FixtureRequest
) -> None:
    if line in BY_MAKE:
        done = subprocess.run(
            ["make", "--dry-run", *line.split()[1:]], cwd=ROOT, capture_output=True, text=True,
            check=True,
        )  # fmt: skip
        assert BY_MAKE[line] in done.stdout
    elif line in ELSEWHERE:
        assert shlex.split(line)[1] in (ROOT / ELSEWHERE[line]).read_text()
    elif line in SHELL:
        word = "s3 = [" if "pip" in line else ".venv"
        assert word in (ROOT / SHELL[line]).read_text()
    elif line.startswith("export "):
        name, _, value = line.removeprefix("export ").partition("=")
        request.getfixturevalue("bucket")
        desk.environment[name] = value.replace("bucket", BUCKET)
    else:
        program, command, *rest = shlex.split(line)
        assert program == "latentflow"
        if "network.path=my-model.keras" in rest:
            request.getfixturevalue("model")
        assert_works(desk, line, command, rest, through_prefect=LINES.index(line) == number)


def assert_works(
    desk: Desk, line: str, command: str, rest: list[str], *, through_prefect: bool
) -> None:
    """Run a command; where it is a flow's, small, and through Prefect where nothing else is asked."""
    if command not in ("run", "plan"):
        assert desk.run(command, *rest).strip(), line
        return
    flow, *options = rest
    small = [part for each in SMALLER[flow] for part in ("--set", each)]
    plain = not options and through_prefect
    local = ["--local"] if command == "run" and not plain and "--local" not in options else []
    said = desk.run(command, flow, *small, *options, *local)
    if command == "run":
        assert re.search(rf"^{flow}: .*\b(ran|cached)\b", said, re.MULTILINE), said
        assert "report: " in said
    else:
        assert f"{flow}: " in said


def test_what_the_page_says_of_a_new_stage_is_a_stage(tmp_path: Path) -> None:
    (code,) = re.findall(r"^```python\n(.*?)^```", README, re.DOTALL | re.MULTILINE)
    (tmp_path / "smoothing.py").write_text(code)
    told = subprocess.run(
        [sys.executable, "-c", "import numpy, smoothing; print(smoothing.smooth.fn(numpy.eye(5)[2]))"],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": f"{ROOT}:{tmp_path}"}, capture_output=True,
        text=True, check=True,
    )  # fmt: skip
    assert told.stdout.split() == ["[0.", "0.33333333", "0.33333333", "0.33333333", "0.", "]"]


def test_every_file_that_the_page_names_is_there() -> None:
    named = re.findall(r"\]\(([^)]+)\)|`((?:docs|data|tasks|operations)/[\w./-]+)`", README)
    for link, path in named:
        place = (link or path).partition("#")[0]
        assert place.startswith("https://") or (ROOT / place).exists(), place
    folders = re.findall(r"^(\w+)/ ", README, re.MULTILINE)
    assert len(folders) >= 8
    for folder in folders:
        assert (ROOT / folder).is_dir(), folder
