"""A flow with an atlas: made-up patterns and scores, real digits, a dead map, a hostile class."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from engine import Parameters, Store, flow, stage
from report.page import Section, page_of
from tasks.figures.pattern_atlas import pack_atlas, pack_best, pack_patterns
from tests.report.map_sample import FILE
from tests.report.sample import EVIL

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd


class AtlasParameters(Parameters):
    """How many maps."""

    maps: int = 12


class Made(NamedTuple):
    """What the stages of the flow `dreams` give."""

    test: dict[str, np.ndarray]
    about: dict[str, Any]
    scorecard: pd.DataFrame
    maps: pd.DataFrame
    means: pd.DataFrame
    top: np.ndarray
    images: np.ndarray


@stage(ignore=("file",))
def make_atlas(*, maps: int, file: str = FILE) -> Made:
    """Maps whose numbers follow from their own; the last one is dead, 5 is called nothing."""
    import numpy as np
    import pandas as pd

    with np.load(file) as data:
        x, y = data["x_test"][:200], data["y_test"][:200].astype(np.int64)
    rng = np.random.default_rng(0)
    own = np.arange(maps)
    names = [EVIL if code == 4 else f"{code}" for code in range(10)]
    driver = np.array(names, dtype=object)[own % 10]
    dead = own == maps - 1
    left = np.where(dead, np.nan, 0.5 + own / (4 * maps))
    scorecard = pd.DataFrame(
        {"map": own, "class": driver, "activation": np.where(dead, 0.0, 1.0 + own), "unsearched": 0.0,
         "best_real": 0.5, "gain": np.where(dead, np.nan, 2.0 + 2 * own),
         "called": pd.Series(driver).mask(own == 5, None), "chance": np.where(own == 5, np.nan, 0.9),
         "shifted": left, "turned": left, "dead": dead}
    )  # fmt: skip
    table = pd.DataFrame({"map": own, "class": driver, "score": 1.0 / (own + 1), "active": 0.25})
    means = pd.DataFrame(
        [(m, name, float(rng.random())) for m in own for name in names],
        columns=["map", "class", "mean"],
    )
    top = np.stack([np.flatnonzero(y == m % 10)[:6] for m in own])
    images = rng.normal(size=(maps, 28, 28, 1)).astype(np.float32)
    return Made({"x": x, "y": y}, {"classes": names}, scorecard, table, means, top, images)


SECTIONS = (Section("The atlas", "What triggers each map.", atlases=("pattern_atlas", "none")),)


@flow(
    name="maps",
    parameters=AtlasParameters,
    presets={},
    page=page_of(SECTIONS, about="Maps of a network.", parameters=AtlasParameters),
)
def maps(p: AtlasParameters) -> dict[str, Any]:
    """An atlas of a few maps."""
    made = make_atlas(maps=p.maps)
    atlas = pack_atlas(made.scorecard, made.maps, made.means, made.test, made.about, made.top)
    patterns, images = pack_patterns(made.images), pack_best(made.test, made.top)
    return {"pattern_atlas": {"maps": atlas, "patterns": patterns, "images": images}}


def run_atlas(folder: Path, *overrides: str) -> Store:
    """Run the flow on a store in this folder."""
    store = Store(folder)
    maps.run(maps.configure(overrides=overrides), None, store)
    return store
