from __future__ import annotations

import numpy as np
import pytest

from engine import InputError
from tasks.autoencoder.encoding import decode, decode_points, encode, load_part, to_bytes
from tests.tasks.autoencoder.made import noise, untrained


@pytest.mark.parametrize("shape", [(8, 8), (6, 9), (8, 8, 3)])
def test_points_and_images_are_those_of_the_models_in_the_images_own_shape(
    shape: tuple[int, ...],
) -> None:
    encoder, decoder = untrained(*shape)
    train, test = noise(1203, *shape), noise(7, *shape)
    found = encode.fn(encoder, train, test)
    assert found.train.shape == (1203, 3) and found.test.shape == (7, 3)
    assert found.train.dtype == np.float32
    given = test["x"].reshape(7, *shape[:2], -1) / np.float32(255)
    assert found.test == pytest.approx(load_part(encoder)(given).numpy(), abs=1e-5)
    images = decode.fn(decoder, found.train)
    assert images.shape == (1203, *shape) and images.dtype == np.uint8
    alone = load_part(decoder)(found.train[1200:]).numpy().reshape(3, *shape)
    assert np.abs(images[1200:] - 255 * alone).max() <= 0.51


def test_of_a_variational_encoder_the_mean_is_the_place() -> None:
    encoder, _ = untrained(8, 8, variational=True)
    images = noise(5, 8, 8)
    mu, log_var = load_part(encoder)(images["x"][..., None] / np.float32(255))
    found = encode.fn(encoder, images, images)
    assert found.test == pytest.approx(mu.numpy(), abs=1e-5)
    assert np.abs(found.test - log_var.numpy()).max() > 1e-3


@pytest.mark.parametrize("shape", [(8, 8), (6, 9, 3)])
@pytest.mark.parametrize("variational", [False, True])
def test_in_bfloat16_points_lie_a_little_beside(shape: tuple[int, ...], variational: bool) -> None:
    encoder, _ = untrained(*shape, variational=variational)
    images = noise(300, *shape)
    exact, near = (
        encode.fn(encoder, images, images, precision=p).train for p in ("float32", "bfloat16")
    )
    error = np.abs(near - exact).max() / exact.std()
    assert near.dtype == np.float32 and 0 < error < 0.1
    with pytest.raises(InputError, match="precision = 'half'"):
        encode.fn(encoder, images, images, precision="half")  # type: ignore[arg-type]


def test_the_same_images_give_the_same_bytes() -> None:
    encoder, _ = untrained(8, 8)
    images = noise(700, 8, 8)
    one, other = (encode.fn(encoder, images, images) for _ in range(2))
    assert one.train.tobytes() == other.train.tobytes()
    assert one.summary == other.summary


def test_what_a_model_does_not_take_is_named() -> None:
    encoder, decoder = untrained(8, 8)
    with pytest.raises(InputError, match=r"takes images of shape \(8, 8, 1\), not \(12, 12, 1\)"):
        encode.fn(encoder, noise(5, 12, 12), noise(5, 12, 12))
    with pytest.raises(InputError, match="takes points of 3 coordinates"):
        decode_points(load_part(decoder), np.zeros((4, 2), np.float32))


def test_bytes_are_rounded_and_never_wrap() -> None:
    assert to_bytes(np.array([-0.2, 0.0, 0.5, 0.999, 1.0, 1.3])).tolist() == [
        0,
        0,
        128,
        255,
        255,
        255,
    ]


def test_the_finding_speaks_of_the_mean_and_not_of_the_points() -> None:
    encoder, _ = untrained(8, 8)
    images = noise(300, 8, 8)
    found = encode.fn(encoder, images, images)
    far = float(np.linalg.norm(found.train.mean(axis=0)))
    assert (
        f"the mean of the training points lies {far:.1f} from the origin"
        in (found.summary["finding"])
    )
