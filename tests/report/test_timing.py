from __future__ import annotations

import math
from pathlib import Path

import pandas as pd
import pytest

from engine.journal import RunRecord, StageRun
from engine.outcome import Outcome
from report.timing import add_seconds

SLOTS = "fit[{algorithm},space={scaling} {space},k={k},seed=*]"


@pytest.fixture
def record() -> RunRecord:
    seconds = {
        "fit[kmeans,space=unit pca0.9,k=1,seed=0]": 1.0,
        "fit[kmeans,space=unit pca0.9,k=1,seed=1]": 9.0,
        "fit[kmeans,space=unit pca0.9,k=1,seed=2]": 3.0,
        "fit[kmeans,space=unit pca0.9,k=10,seed=0]": 20.0,
        "fit[kmeans,space=unit pca0x9,k=1,seed=0]": 500.0,
        "rate[kmeans,space=unit pca0.9,k=1,seed=0]": 700.0,
    }
    stages = {
        slot: StageRun(slot, slot.partition("[")[0], "key", Outcome.CACHED, seconds=each)
        for slot, each in seconds.items()
    }
    return RunRecord("id", "flow", Path("journal"), stages=stages)


def test_a_row_gets_the_median_of_its_own_calls(record: RunRecord) -> None:
    table = pd.DataFrame(
        {"scaling": "unit", "space": "pca0.9", "algorithm": "kmeans", "k": [1, 10, 100]}
    )
    seconds = add_seconds(table, SLOTS, record)["seconds"]
    assert list(seconds[:2]) == [3.0, 20.0]
    assert math.isnan(seconds[2])
    assert "seconds" not in table


def test_a_table_without_rows_stays_without(record: RunRecord) -> None:
    empty = pd.DataFrame({"scaling": [], "space": [], "algorithm": [], "k": []})
    timed = add_seconds(empty.assign(accuracy=[]), SLOTS, record)
    assert list(timed.columns)[3:] == ["k", "seconds", "accuracy"]
