"""Networks as the stages here take them: one `.keras` file, standardised images of one size in.

The CNN is trained so. A person's own network is adopted: what it expects instead stands before its
first layer from then on, so that nothing behind has to know.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from engine import File, InputError, stage
from tasks.dreams.measure import find_output, image_shape
from tasks.dreams.pixels import DOOR, DOORS, Pixels
from tasks.training.model_file import pack_model, read_model
from tasks.training.runtime import start_tensorflow

if TYPE_CHECKING:
    from pathlib import Path

PACKAGES = ("tensorflow", "keras", "numpy")
OPEN_SIDE = 96  # pixels of the images for a network that takes any size


class Adopted(NamedTuple):
    """model: a `.keras` file · summary: shape (of its images), layers {name: shape of its output},
    classes (numbers it gives, 0 if they are no row), parameters, finding."""

    model: File
    summary: dict[str, Any]


def open_network(file: File | Path | str) -> Any:
    """The Keras model in a file, as functional as it can be sliced.

    Raises:
        InputError: it cannot be read, or is no network of images.
    """
    start_tensorflow()
    network = _functional(read_model(file))
    image_shape(network)
    return network


@stage(packages=PACKAGES)
def adopt_network(raw: File, *, pixels: Pixels = "standard", side: int = OPEN_SIDE) -> Adopted:
    """A person's own network, made to take standardised images of one size; its layers keep their names.

    Arguments:
        raw: a `.keras` file; no code of it is run.
        pixels: what it expects (`tasks.dreams.pixels`).
        side: height and width of the images, where it leaves them open.

    Raises:
        InputError: it cannot be read, or takes something else than images of 1 or 3 channels.
    """
    start_tensorflow()
    import keras

    own = _functional(read_model(raw))
    expected: Any = own.inputs[0].shape[1:] if len(own.inputs) == 1 else ()
    wanted = (expected[0] or side, expected[1] or side, expected[2]) if len(expected) == 3 else None
    shape = image_shape(own, wanted)
    if shape[2] not in (1, 3):
        raise InputError(f"the network takes images of {shape[2]} channels; expected 1 or 3")
    taken = {layer.name for layer in own.layers}
    image = keras.Input(shape, name=_free("images", taken))
    scale, offset = DOORS[pixels]
    inner = image
    if (scale, offset) != (1, 0):
        inner = keras.layers.Rescaling(scale, offset, name=_free(DOOR, taken))(image)

    def enter(layer: Any, *values: Any, **options: Any) -> Any:
        return layer(*(inner if value is image else value for value in values), **options)

    network = keras.models.clone_model(own, input_tensors=image, call_function=enter)
    for layer in own.layers:
        if layer.weights:
            network.get_layer(layer.name).set_weights(layer.get_weights())
    layers = {layer.name: list(layer.output.shape[1:]) for layer in network.layers[1:]}
    scores = find_output(network, "").shape
    classes = int(scores[1]) if len(scores) == 2 else 0
    return Adopted(
        pack_model(network),
        {
            "shape": list(shape),
            "layers": layers,
            "classes": classes,
            "parameters": int(network.count_params()),
            "finding": f"A network of {len(layers)} layers and {network.count_params():,} parameters "
            f"that takes images of {shape[1]} × {shape[0]} pixels in "
            f"{'colour' if shape[2] == 3 else 'grey'}.",
        },
    )


def _free(name: str, taken: set[str]) -> str:
    """The name, lengthened until no layer has it."""
    while name in taken:
        name += "_"
    return name


def _functional(model: Any) -> Any:
    """The model as a graph of its layers; a Sequential one is a graph already, in a wrapper.

    Raises:
        InputError: it is no graph, so that no layer can be looked at.
    """
    import keras

    if isinstance(model, keras.Sequential) and model.built:
        return keras.Model(model.inputs[0], model.outputs[0], name=model.name)
    if not getattr(model, "inputs", None):
        raise InputError(
            "the network was never built, or is no graph of layers: build it as a Sequential or "
            "functional model with an Input"
        )
    return model
