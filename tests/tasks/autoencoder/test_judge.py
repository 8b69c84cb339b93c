from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tasks.autoencoder.judge import Judge, fit_judge, judge_samples
from tests.tasks.autoencoder.made import mnist


@pytest.fixture(scope="module")
def judge() -> Judge:
    train, test, _ = mnist()
    return fit_judge.fn(train, test, trials=300)


def test_real_images_pass_and_what_is_none_does_not(judge: Judge) -> None:
    train, test, about = mnist()
    rng = np.random.default_rng(0)
    digits = test["x"][300:400]
    sources = {
        "digits": digits,
        "noise": rng.integers(0, 256, (100, 28, 28), dtype=np.uint8),
        "shuffled": rng.permuted(digits.reshape(100, -1), axis=1).reshape(digits.shape),
        "black": np.zeros((100, 28, 28), np.uint8),
        "mean": np.repeat(train["x"].mean(axis=0)[None], 100, axis=0).astype(np.uint8),
        "of light": np.full((100, 28, 28), 255, np.uint8),
    }
    images = np.concatenate(list(sources.values()))
    table = pd.DataFrame({"row": range(600), "source": np.repeat(list(sources), 100)})
    found = judge_samples.fn(images, table, train, judge.rows, judge.limits, about)
    share = found.summary["share"]
    assert share["digits"] > 0.75
    # The mean of all digits is as near to all of them as a blurred one: a majority it may find.
    assert {
        name: s for name, s in share.items() if name not in ("digits", "mean") and s > 0.02
    } == {}
    assert found.summary["clear"]["mean"] == 0
    own = found.table[found.table["source"] == "digits"]
    told = own["clear"].to_numpy()
    truth = np.array([str(code) for code in test["y"][300:400]])
    assert (own["label"].to_numpy()[told] == truth[told]).mean() > 0.9
    assert found.shares["labels"][0] == 10
    clear = found.table["clear"].to_numpy()
    assert not (clear & ~found.table["passes"].to_numpy()).any()
    assert 0.6 < found.summary["clear"]["digits"] < share["digits"]


def test_the_judge_says_what_it_passes_of_known_cases(judge: Judge) -> None:
    known = judge.limits
    assert known["unseen"] > known["blends"] + 0.1
    assert known["unseen_clear"] > known["blends_clear"] + 0.2
    told = f"{100 * known['unseen']:.1f} %, clearly {100 * known['unseen_clear']:.1f} % of unseen"
    assert told in known["finding"]


def test_a_stricter_majority_passes_fewer(judge: Judge) -> None:
    train, test, _ = mnist()
    strict = fit_judge.fn(train, test, trials=300, agreement=0.9).limits
    assert strict["blends"] == strict["blends_clear"] < judge.limits["blends_clear"]


def test_colours_and_small_sets_are_judged_too() -> None:
    rng = np.random.default_rng(0)
    codes = np.arange(40) % 2
    x = np.where(codes[:, None, None, None] == 1, 200, 40) + rng.integers(0, 9, (40, 5, 6, 3))
    images: dict[str, np.ndarray] = {"x": x.astype(np.uint8), "y": codes.astype(np.int64)}
    judge = fit_judge.fn(images, images)
    table = pd.DataFrame({"row": range(40), "source": ["all"] * 40})
    found = judge_samples.fn(
        images["x"], table, images, judge.rows, judge.limits, {"classes": ["dark", "bright"]}
    )
    assert found.summary["share"]["all"] > 0.9
