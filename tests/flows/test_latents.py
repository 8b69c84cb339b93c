"""The flow digits in an autoencoder's latent space."""

from __future__ import annotations

import pytest

from engine import InputError
from flows.digit_cells import latent_size, place_in, plan_cells
from flows.digits import digits
from tests.flows.own import Ran, run_small, save_bars
from tests.flows.test_digits import SMALL as DIGITS

HOW = ["epochs=2", "batch=16", "rate=.003", "precision=float32"]
LATENT = ['sweep.spaces=["raw","ae3"]', "shown.space=ae3", *(f"autoencoder.{how}" for how in HOW)]


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    folder = tmp_path_factory.mktemp("own")
    return run_small(digits, [*DIGITS, *LATENT, save_bars(folder, 120)], folder)


@pytest.mark.slow
def test_a_latent_space_is_clustered_and_drawn_like_any_other(ran: Ran) -> None:
    assert ran.record.status == "completed"
    cells = ran.value("cells")
    # In one scaling, however many the sweep has.
    assert set(cells.loc[cells["space"] == "ae3", "scaling"]) == {"unit"}
    assert set(cells.loc[cells["space"] == "raw", "scaling"]) == {"unit", "normalise"}
    assert set(cells.loc[cells["space"] == "ae3", "dimensions"]) == {3}
    slots = set(ran.record.stages)
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
