"""Small images and models for the tests of the autoencoder's stages."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from engine import File
from engine.store import project_root
from tasks.autoencoder.networks import build_networks
from tasks.training.model_file import pack_model
from tasks.training.runtime import start_tensorflow

Images = dict[str, np.ndarray]


@functools.cache
def mnist(train: int = 3000, test: int = 600) -> tuple[Images, Images, dict[str, Any]]:
    """The first images of MNIST, uint8 (n, 28, 28), their codes, and what is told of them."""
    with np.load(project_root() / "data" / "mnist.npz") as file:
        parts = [
            {"x": file[f"x_{name}"][:count], "y": file[f"y_{name}"][:count].astype(np.int64)}
            for name, count in (("train", train), ("test", test))
        ]
    about = {"name": "mnist", "classes": [str(i) for i in range(10)], "shape": [28, 28]}
    return parts[0], parts[1], about


def noise(rows: int, *shape: int, classes: int = 3) -> Images:
    """Random images, uint8 (rows, *shape), and codes that come round."""
    x = np.random.default_rng(3).integers(0, 256, (rows, *shape), dtype=np.uint8)
    return {"x": x, "y": (np.arange(rows) % classes).astype(np.int64)}


@functools.cache
def untrained(*shape: int, z: int = 3, variational: bool = False) -> tuple[File, File]:
    """Encoder and decoder of untrained networks for images of a shape."""
    networks = build_networks(shape, z=z, variational=variational, seed=1)
    return pack_model(networks.encoder), pack_model(networks.decoder)


@functools.cache
def plain_decoder() -> File:
    """A decoder of two coordinates whose 4 × 4 pixels are σ(z1) on the left and σ(z2) on the right."""
    start_tensorflow()
    import keras

    weights = np.zeros((2, 4, 4), np.float32)
    weights[0, :, :2] = weights[1, :, 2:] = 1
    code = keras.Input((2,))
    dense = keras.layers.Dense(16, activation="sigmoid", use_bias=False)
    model = keras.Model(code, keras.layers.Reshape((4, 4, 1))(dense(code)))
    dense.set_weights([weights.reshape(2, 16)])
    return pack_model(model)


def sigmoid(values: np.ndarray) -> np.ndarray:
    """σ of values as a grey value, 0..255."""
    return np.asarray(np.rint(255 / (1 + np.exp(-values))))
