"""A course of the rate that cannot be is refused before any stage runs, in every flow that trains."""

from __future__ import annotations

import pytest

from engine import InputError
from flows.autoencoder import autoencoder
from flows.digits import digits
from flows.dreams import dreams


@pytest.mark.parametrize(
    ("flow", "section"), [(dreams, "training"), (autoencoder, "training"), (digits, "autoencoder")]
)
def test_warm_up_fits_the_schedule(flow, section):
    with pytest.raises(InputError, match="a constant rate has none"):
        flow.configure("quick", [f"{section}.schedule=constant", f"{section}.warm_up=.3"])
    with pytest.raises(InputError, match="a share of all steps"):
        flow.configure("quick", [f"{section}.schedule=one-cycle", f"{section}.warm_up=2"])
    with pytest.raises(InputError, match="still rise at the end of 4 epochs"):
        flow.configure("standard", [f"{section}.epochs=4", f"{section}.warm_up=4"])
    flow.configure("standard", [f"{section}.epochs=4", f"{section}.warm_up=3.5"])
    made = flow.configure("quick", [f"{section}.schedule=constant", f"{section}.warm_up=0"])
    assert getattr(made, section).schedule == "constant"
