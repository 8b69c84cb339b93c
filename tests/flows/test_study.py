"""The study: one training serves two flows, and its parameters go where a person expects."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from engine import InputError, Selection, Store
from engine.journal import list_runs, read_run
from engine.outcome import Outcome
from flows.study import PARTS, SHARED, StudyParameters, study
from tests.flows.own import save_bars
from tests.flows.test_digits import SMALL as DIGITS
from tests.heavy import HEAVY, modules_after

HOW = ["epochs=1", "batch=16", "rate=.003", "precision=float32"]
DATA = ["offline=true", "size=8", "test_fraction=.25"]


@pytest.fixture
def small(tmp_path: Path) -> list[str]:
    """The flows that share a latent space, on few small images of a person's own."""
    data = [*(f"data.{each}" for each in DATA), save_bars(tmp_path, 120)]
    return [
        'flows=["autoencoder","digits"]',
        *(f"autoencoder.{each}" for each in data),
        *(f"autoencoder.training.{each}" for each in HOW),
        "autoencoder.models.z=[3]",
        *(f"digits.{each}" for each in [*DIGITS, data[-1]]),
        'digits.sweep.spaces=["ae3"]',
    ]


@pytest.mark.slow
def test_one_training_is_computed_and_both_flows_have_its_latent_points(
    small: list[str], tmp_path: Path
) -> None:
    store = Store(tmp_path / "store")
    study.run(study.configure("quick", small), Selection(until=("encode",)), store)
    trained, clustered = (
        {s.slot: s for s in read_run(list_runs(store, flow)[0]).stages.values()}
        for flow in ("autoencoder", "digits")
    )
    for slot in ("train_autoencoder[z=3]", "encode[z=3]"):
        assert trained[slot].outcome is Outcome.RAN
        assert clustered[slot].outcome is Outcome.CACHED
        assert trained[slot].artifacts == clustered[slot].artifacts


@pytest.mark.parametrize("preset", ["quick", "standard", "seed"])
def test_every_preset_trains_the_shared_space_once(preset: str, tmp_path: Path) -> None:
    plan = study.plan(study.configure(preset), store=Store(tmp_path))
    z = SHARED.removeprefix("ae")
    calls: dict[str, Any] = {call.slot.partition("/")[0]: call for call in plan.calls
                             if call.slot.endswith(f"/train_autoencoder[z={z}]")}  # fmt: skip
    assert set(calls) == {"autoencoder", "digits"}
    assert calls["autoencoder"].bound.params == calls["digits"].bound.params
    images = {
        part: json.dumps([c.bound.params for c in plan.calls if c.slot == f"{part}/load_images"])
        for part in ("autoencoder", "digits", "dreams")
    }
    assert len(set(images.values())) == 1  # MNIST is read once


def test_what_the_autoencoder_is_told_holds_for_the_space_that_digits_clusters() -> None:
    p = study.configure("quick", ["autoencoder.training.epochs=6"])
    assert p.digits.autoencoder.epochs == p.autoencoder.training.epochs == 6
    p = study.configure("quick", ["autoencoder.training.epochs=6", "digits.autoencoder.epochs=2"])
    assert (p.digits.autoencoder.epochs, p.autoencoder.training.epochs) == (2, 6)
    assert p.digits.autoencoder.rate == p.autoencoder.training.rate
    p = study.configure(overrides=['autoencoder.models.variants=["seed","corrected"]'])
    assert p.digits.autoencoder.variant == "seed"
    assert StudyParameters.model_validate(p.model_dump()) == p
    assert StudyParameters.model_validate(p) == p


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("autoencoder.training.epochs=0", r"^autoencoder\.training\.epochs: [^\n]*$"),
        ("digits.autoencoder.epochs=0", r"^digits\.autoencoder\.epochs: [^\n]*$"),
        ("digits.autoencoder=5", r"^digits\.autoencoder: [^\n]*$"),
        ("digits=5", r"^digits: [^\n]*$"),
        ("autoencoder.training.epoch=3", r"did you mean autoencoder\.training\.epochs\?"),
        ('flows=["wify"]', r"there is no flow wify; did you mean wifi\?"),
    ],
)
def test_a_mistake_is_told_once_and_where_it_was_made(setting: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        study.configure("quick", [setting])


def test_every_flow_can_be_left_out() -> None:
    for name in PARTS:
        assert study.configure("quick", [f"flows={name}"]).flows == [name]
    assert study.configure("quick", ["flows=wifi, dreams"]).flows == ["wifi", "dreams"]


def test_no_plan_of_a_flow_loads_a_heavy_library(tmp_path: Path) -> None:
    found = modules_after(
        "from pathlib import Path\nfrom engine import Store\nfrom flows.study import study\n"
        f"plan = study.plan(study.configure('quick'), store=Store(Path({str(tmp_path)!r})))\n"
        "assert set(study.parts) <= {call.slot.partition('/')[0] for call in plan.calls}\n"
    )
    assert "flows" in found and not found & HEAVY
