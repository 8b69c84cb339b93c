from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine import InputError, StageError, work
from tasks.autoencoder.training import train_autoencoder
from tasks.training.model_file import read_model
from tests.tasks.autoencoder.train_small import digest, small_images

SCRIPT = Path(__file__).with_name("train_small.py")
SMALL: dict[str, Any] = {"z": 3, "batch": 32, "rate": 0.002}


@pytest.fixture(scope="module")
def images() -> dict[str, np.ndarray]:
    return small_images()


@pytest.fixture(scope="module")
def three_epochs(images: dict[str, np.ndarray]) -> Any:
    return train_autoencoder.fn(images, images, epochs=3, **SMALL)


def test_it_learns_and_its_parts_fit_together(
    images: dict[str, np.ndarray], three_epochs: Any
) -> None:
    history = three_epochs.history
    assert list(history["epoch"]) == [1, 2, 3] and list(history["step"]) == [5, 10, 15]
    assert history["loss"].iloc[0] > history["loss"].iloc[2] > 0.0584  # of a perfect copy
    x = images["x"][:, :, :, None].astype(np.float32) / 255
    model, encoder, decoder = (
        read_model(file)
        for file in (three_epochs.model, three_epochs.encoder, three_epochs.decoder)
    )
    rebuilt = model(x).numpy().astype(np.float64)
    assert (decoder(encoder(x)).numpy() == rebuilt.astype(np.float32)).all()
    error = -(x * np.log(rebuilt) + (1 - x) * np.log(1 - rebuilt)).mean()
    assert error == pytest.approx(three_epochs.summary["test_loss"], abs=1e-4)
    assert three_epochs.summary["parameters"] == model.count_params()


def test_more_epochs_go_on_and_equal_as_many_in_one_go(
    images: dict[str, np.ndarray], three_epochs: Any
) -> None:
    two = train_autoencoder.fn(images, images, epochs=2, **SMALL)
    assert digest(two) != digest(three_epochs)
    with work.earlier_is(two):
        assert digest(train_autoencoder.fn(images, images, epochs=3, **SMALL)) == digest(
            three_epochs
        )


def test_a_rate_that_falls_to_the_end_begins_anew(images: dict[str, np.ndarray]) -> None:
    few = {name: values[:40] for name, values in images.items()}
    how = {**SMALL, "schedule": "cosine"}
    one, two = (train_autoencoder.fn(few, few, epochs=n, **how) for n in (1, 2))
    with work.earlier_is(one):
        assert digest(train_autoencoder.fn(few, few, epochs=2, **how)) == digest(two)


def test_a_vae_tells_both_parts_of_its_loss(images: dict[str, np.ndarray]) -> None:
    fit = train_autoencoder.fn(
        images, images, epochs=1, kl_weight=2.0, variant="corrected", **SMALL
    )
    last = fit.history.iloc[-1]
    expected = last["test_cross_entropy"] + 2.0 * last["test_kl"] / 784
    assert last["test_loss"] == pytest.approx(expected, rel=1e-5)
    assert last["test_kl"] > 0
    assert [tuple(each.shape) for each in read_model(fit.encoder).outputs] == [(None, 3)] * 2


def test_colours_and_odd_sizes_are_trained_too() -> None:
    x = np.random.default_rng(0).integers(0, 256, (40, 10, 7, 3), dtype=np.uint8)
    images: dict[str, np.ndarray] = {"x": x, "y": np.zeros(40, np.int64)}
    fit = train_autoencoder.fn(images, images, epochs=1, precision="bfloat16", **SMALL)
    assert read_model(fit.model)(x[:2] / np.float32(255)).shape == (2, 10, 7, 3)
    assert fit.summary["precision"] == "bfloat16"


def test_a_rate_too_large_is_told(images: dict[str, np.ndarray]) -> None:
    with pytest.raises(
        StageError, match=r"diverged: the loss .* in epoch \d+, step .* try a smaller rate"
    ):
        train_autoencoder.fn(
            images, images, epochs=20, z=3, batch=32, rate=1.0, variant="corrected"
        )


def test_impossible_values_are_named(images: dict[str, np.ndarray]) -> None:
    with pytest.raises(InputError, match="kl_weight = -1"):
        train_autoencoder.fn(images, images, kl_weight=-1)
    with pytest.raises(InputError, match="precision = 'half'"):
        train_autoencoder.fn(images, images, precision="half")  # type: ignore[arg-type]


def in_own_process(folder: Path, moment: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, str(SCRIPT), str(folder), "2", moment],
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": str(SCRIPT.parents[3]), "PATH": "/usr/bin:/bin"},
    )
    assert done.returncode in (0, -signal.SIGKILL), done.stderr
    return done.returncode, done.stdout.strip()


@pytest.mark.slow
def test_killed_again_and_again_it_ends_with_the_same_bits(tmp_path: Path) -> None:
    """Inside an epoch, then in the middle of a checkpoint's write; see `test_loop` for other moments."""
    _, undisturbed = in_own_process(tmp_path / "undisturbed", "never")
    assert len(undisturbed) == 64
    folder = tmp_path / "killed"
    for moment in ("epoch 2", "write 2"):
        status, printed = in_own_process(folder, moment)
        assert (status, printed) == (-signal.SIGKILL, "")
    status, printed = in_own_process(folder, "never")
    assert (status, printed) == (0, undisturbed)
