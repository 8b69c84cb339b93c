from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from engine import InputError
from tasks.autoencoder.networks import build_networks
from tasks.training.model_file import pack_model, read_model


@pytest.mark.parametrize(("z", "parameters"), [(16, 392_209), (2, 216_579)])
@pytest.mark.parametrize("variant", ["seed", "corrected"])
def test_the_posts_numbers_of_parameters(z: int, parameters: int, variant: Any) -> None:
    networks = build_networks((28, 28), z=z, variant=variant)
    assert networks.model.count_params() == parameters
    assert networks.encoder.count_params() + networks.decoder.count_params() == parameters


def test_a_vae_has_one_more_head() -> None:
    networks = build_networks((28, 28), z=16, variational=True)
    assert networks.model.count_params() == 392_209 + 6272 * 16 + 16
    assert [tuple(output.shape) for output in networks.encoder.outputs] == [(None, 16)] * 2


def test_only_the_seed_variant_bends_what_goes_into_the_sigmoid() -> None:
    names = {
        variant: [layer.name for layer in build_networks((8, 8), variant=variant).decoder.layers]
        for variant in ("seed", "corrected")
    }
    assert names["seed"][-3:] == ["transposed_3", "leaky_3", "pixels"]
    assert names["corrected"][-2:] == ["transposed_3", "pixels"]


@pytest.mark.parametrize(
    "shape", [(28, 28), (28, 28, 3), (4, 4), (29, 30), (7, 5, 3), (12, 31, 1)], ids=str
)
def test_any_size_comes_back_as_it_went_in(shape: tuple[int, ...]) -> None:
    networks = build_networks(shape, z=3)
    images = np.zeros((2, *(shape if len(shape) == 3 else (*shape, 1))), np.float32)
    code = networks.encoder(images)
    assert code.shape == (2, 3)
    assert networks.decoder(code).shape == networks.model(images).shape == images.shape


def test_what_is_missing_to_a_multiple_of_4_is_added_on_both_sides() -> None:
    encoder = build_networks((29, 30), z=3).encoder
    assert encoder.get_layer("pad").padding == ((1, 2), (1, 1))
    assert "pad" not in [layer.name for layer in build_networks((28, 32), z=3).encoder.layers]


def test_a_seed_gives_one_start_and_layers_of_one_shape_begin_apart() -> None:
    one, same, other = (build_networks((8, 8), z=3, seed=seed) for seed in (1, 1, 2))
    for a, b, c in zip(*(n.model.get_weights() for n in (one, same, other)), strict=True):
        assert (a == b).all()
        assert (a != c).any() or not a.any()
    mu, log_var = (
        build_networks((8, 8), z=3, variational=True).encoder.get_layer(name).kernel.numpy()
        for name in ("mu", "log_var")
    )
    assert (mu != log_var).any()


@pytest.mark.parametrize("variational", [False, True])
def test_each_half_loads_alone_and_gives_the_same(variational: bool) -> None:
    networks = build_networks((9, 10, 3), z=3, variational=variational)
    images = np.random.default_rng(0).random((2, 9, 10, 3)).astype(np.float32)
    encoder, decoder, model = (read_model(pack_model(each)) for each in networks)
    found, expected = encoder(images), networks.encoder(images)
    for a, b in zip(found, expected, strict=True) if variational else [(found, expected)]:
        assert (a.numpy() == b.numpy()).all()
    code = expected[0] if variational else expected
    assert (decoder(code).numpy() == networks.decoder(code).numpy()).all()
    assert (model(images).numpy() == networks.model(images).numpy()).all()


@pytest.mark.parametrize(
    ("shape", "values", "told"),
    [
        ((28, 28), {"variant": "best"}, "variant = 'best': choose one of seed, corrected"),
        ((28, 28), {"z": 0}, "z = 0: expected 1 to 4,096"),
        ((28, 28, 4), {}, r"shape \(28, 28, 4\)"),
        ((3, 28), {}, "at least 4 pixels"),
    ],
)
def test_impossible_values_are_named(shape: Any, values: dict[str, Any], told: str) -> None:
    with pytest.raises(InputError, match=told):
        build_networks(shape, **values)
