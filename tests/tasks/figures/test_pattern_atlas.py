from __future__ import annotations

import io
import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from engine import InputError
from tasks.figures.pattern_atlas import pack_atlas, pack_best, pack_patterns

ABOUT = {"classes": ["zero", "one", "two"]}
TEST = {
    "x": np.arange(6, dtype=np.uint8).repeat(64).reshape(6, 8, 8) * 40,
    "y": np.array([0, 1, 2, 0, 1, 2]),
}
TOP = np.array([[0, 3], [5, 2], [1, 1]])


@pytest.fixture
def tables() -> dict[str, Any]:
    card = pd.DataFrame(
        {
            "map": [0, 1, 2], "class": ["zero", "two", "one"], "activation": [2.0, 1.23456789, 0.0],
            "unsearched": [0.0, 1.0, 0.0], "best_real": [1.0, 0.5, 0.0], "gain": [2.0, 2.5, np.nan],
            "called": ["zero", "one", "one"], "chance": [0.9, 0.5, 0.1], "shifted": [0.8, 0.7, np.nan],
            "turned": [0.6, 0.5, np.nan], "dead": [False, False, True],
        }
    )  # fmt: skip
    maps = pd.DataFrame(
        {"map": range(4), "class": ["zero", "two", "one", "one"], "score": [0.5, 0.4, 0.0, 0.1],
         "active": [0.3, 0.2, 0.0, 0.1]}
    )  # fmt: skip
    means = pd.DataFrame(
        [(m, c, m + k / 10) for m in range(4) for k, c in enumerate(("one", "two", "zero"))],
        columns=["map", "class", "mean"],
    )
    return {"scorecard": card, "maps": maps, "means": means}


def test_every_map_has_its_class_its_scores_and_its_best_images(tables: dict[str, Any]) -> None:
    atlas = pack_atlas.fn(**tables, test=TEST, about=ABOUT, top=TOP, layer="Conv2D_3")
    second = atlas["maps"][1]
    assert (second["class"], second["score"], second["called"]) == ("two", 0.4, "one")
    assert second["activation"] == 1.2346
    assert second["best"] == [{"row": 5, "class": "two"}, {"row": 2, "class": "two"}]
    assert atlas["classes"] == ["zero", "one", "two"] and second["means"] == [1.2, 1.0, 1.1]
    assert atlas["finding"] == (
        "2 of 3 maps of Conv2D_3 have a pattern that triggers them; 2 classes drive them."
    )


def test_what_is_missing_is_none_and_all_is_plain_data(tables: dict[str, Any]) -> None:
    atlas = pack_atlas.fn(**tables, test=TEST, about=ABOUT, top=TOP)
    assert atlas["maps"][2]["gain"] is None and atlas["maps"][2]["dead"] is True
    json.dumps(atlas, allow_nan=False)


def test_tables_of_other_maps_are_refused(tables: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=r"3 maps.*4 rows.*2 maps"):
        pack_atlas.fn(**tables, test=TEST, about=ABOUT, top=TOP[:2])


def test_sheets_hold_patterns_in_contrast_and_the_best_images_map_by_map() -> None:
    patterns = np.random.default_rng(0).normal(size=(3, 8, 8, 1)).astype(np.float32)
    sheet = np.asarray(Image.open(io.BytesIO(pack_patterns.fn(patterns).read_bytes())).convert("L"))
    assert sheet.shape == (16, 16)
    assert {0, 255} <= set(sheet.ravel().tolist()) and not sheet[8:, 8:].any()
    best = np.asarray(Image.open(io.BytesIO(pack_best.fn(TEST, TOP).read_bytes())).convert("L"))
    shades = [int(best[8 * (n // 3), 8 * (n % 3)]) for n in range(6)]
    assert np.abs(np.array(shades) - 40 * TOP.ravel()).max() <= 9
