from __future__ import annotations

import numpy as np
import pytest

from tasks.autoencoder.encoding import encode
from tasks.autoencoder.reconstruction import reconstruct, reconstruct_components
from tasks.components import fit_components, project
from tests.tasks.autoencoder.made import mnist, noise, plain_decoder, untrained


def test_errors_are_those_of_what_the_decoder_made() -> None:
    """z of +9 and −9 is white and black to a thousandth: right images, and one that is wrong."""
    images = np.zeros((3, 4, 4), np.uint8)
    images[:, :, :2] = 255
    points = np.array([[9, -9], [9, -9], [-9, 9]], np.float32)
    found = reconstruct.fn(plain_decoder(), points, {"x": images})
    assert found.images[:2] == pytest.approx(images[:2])
    assert found.images[2] == pytest.approx(255 - images[2])
    assert found.errors["mse"].tolist() == pytest.approx([0, 0, 1], abs=1e-3)
    assert found.errors["bce"].tolist() == pytest.approx([0, 0, 9], abs=1e-3)
    assert found.errors["floor"].tolist() == [0, 0, 0]
    assert found.summary["rows"] == 3 and found.summary["dimensions"] == 2
    assert found.summary["above"] == pytest.approx(found.errors["bce"].mean())


@pytest.mark.parametrize("shape", [(6, 9), (8, 8, 3)])
def test_no_reconstruction_lies_below_the_floor(shape: tuple[int, ...]) -> None:
    encoder, decoder = untrained(*shape)
    images = noise(30, *shape)
    found = reconstruct.fn(decoder, encode.fn(encoder, images, images).test, images)
    assert found.images.shape == images["x"].shape
    assert (found.errors["bce"] >= found.errors["floor"]).all()


def test_more_components_keep_more_and_all_of_them_everything() -> None:
    train, test, _ = mnist()
    basis = fit_components.fn(train).basis
    ssim = []
    for count in (2, 16, 784):
        projection = project.fn(train, test, basis, components=count)
        found = reconstruct_components.fn(projection.test, basis, test)
        ssim.append(found.summary["ssim"])
        assert found.summary["bce"] is None and "bce" not in found.errors
    assert ssim[0] < ssim[1] < ssim[2]
    assert np.abs(found.images.astype(int) - test["x"]).max() <= 1
