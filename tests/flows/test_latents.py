"""The flow digits in an autoencoder's latent space."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from engine import InputError, Store, load
from engine.session import Session
from flows.digit_cells import latent_size, place_in, plan_cells
from flows.digits import digits
from tests.flows.test_digits import SMALL as DIGITS
from tests.flows.test_digits import draw_bars

HOW = ["epochs=2", "batch=16", "rate=.003", "precision=float32"]
LATENT = ['sweep.spaces=["raw","ae3"]', "shown.space=ae3", *(f"autoencoder.{how}" for how in HOW)]


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Store]:
    x, y = draw_bars(np.random.default_rng(0), 120)
    folder = tmp_path_factory.mktemp("own")
    np.savez(folder / "bars.npz", x=x, y=y)
    store, path = Store(folder / "store"), f"data.path={folder / 'bars.npz'}"
    p = digits.configure("quick", [*DIGITS, *LATENT, path])
    return digits.run(p, store=store).record, store


@pytest.mark.slow
def test_a_latent_space_is_clustered_and_drawn_like_any_other(ran: tuple[Any, Store]) -> None:
    record, store = ran
    assert record.status == "completed"
    with Session(store).active():
        cells = load(record.results["cells"])
    # In one scaling, however many the sweep has.
    assert set(cells.loc[cells["space"] == "ae3", "scaling"]) == {"unit"}
    assert set(cells.loc[cells["space"] == "raw", "scaling"]) == {"unit", "normalise"}
    assert set(cells.loc[cells["space"] == "ae3", "dimensions"]) == {3}
    slots = set(record.stages)
    assert {"train_autoencoder[z=3]", "decode", "decode[prototypes]"} <= slots
    assert not any(slot.startswith("invert_centroids") for slot in slots)


def test_places_of_a_latent_space_are_one_whatever_the_scalings() -> None:
    assert place_in("normalise", "ae16") == ("unit", "ae16")
    assert place_in("normalise", "pca40") == ("normalise", "pca40")
    assert [latent_size(space) for space in ("ae16", "raw", "pca40", "pca0.9")] == [
        16,
        None,
        None,
        None,
    ]
    p = digits.configure(overrides=['sweep.spaces=["ae16"]', 'reference.spaces=["ae16"]'])
    assert {place for group in plan_cells(p) for place in group.places} == {("unit", "ae16")}


@pytest.mark.parametrize("space", ["ae0", "ae", "ae1.5", "ae99999"])
def test_what_is_no_latent_space_is_named(space: str) -> None:
    with pytest.raises(InputError, match=f"{space} is no space; there is raw .* ae16"):
        digits.configure(overrides=[f"shown.space={space}"])
