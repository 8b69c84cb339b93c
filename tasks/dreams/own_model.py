"""What a person's own `.keras` file holds, told without loading TensorFlow, before any stage runs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from engine import InputError
from tasks.training.model_file import read_config

_CONVOLUTIONS = ("Conv2D", "DepthwiseConv2D", "SeparableConv2D")
_ENDS = ("Activation", "Softmax")  # behind the layer that gives the classes' scores


class Described(NamedTuple):
    """layers: their names in order, with the number of their maps, None if that cannot be told ·
    convolutions: those of them that have maps · classes: numbers that a dense layer at the end gives,
    None if there is none · sides: height and width of its images, None where it leaves them open."""

    layers: dict[str, int | None]
    convolutions: list[str]
    classes: int | None
    sides: tuple[int | None, int | None]


def describe_network(path: Path | str, layer: str | None = None) -> Described:
    """What the file's configuration says of its layers.

    Arguments:
        layer: a layer that has to be there.

    Raises:
        InputError: no sound `.keras` file, no graph of layers, no images of 1 or 3 channels, or no
            such layer; with what is there.
    """
    path = Path(path).expanduser()
    config = read_config(path)
    try:
        return _describe(path, config, layer)
    except (AttributeError, KeyError, TypeError) as error:
        raise InputError(f"{path}: its configuration is none that Keras writes") from error


def _describe(path: Path, config: Any, layer: str | None) -> Described:
    parts = config.get("config", {}).get("layers")
    if config.get("class_name") not in ("Functional", "Sequential", "Model") or not parts:
        raise InputError(
            f"{path} holds a {config.get('class_name', 'model')}, which is no graph of layers; "
            "expected a Sequential or functional model"
        )
    sides = _check_input(path, parts)
    named = [
        (str(part["config"].get("name", part.get("name", ""))), str(part["class_name"]), part)
        for part in parts
        if part.get("class_name") != "InputLayer"
    ]
    layers = {name: _count_maps(part["config"]) for name, _, part in named}
    convolutions = [name for name, kind, _ in named if kind in _CONVOLUTIONS]
    if layer is not None and layer not in layers:
        shown = convolutions or list(layers)
        more = f" and {len(shown) - 40} more" if len(shown) > 40 else ""
        what = "convolutions" if convolutions else "layers"
        raise InputError(
            f'{path} has no layer "{layer}"; its {what} are {", ".join(shown[:40])}{more}'
        )
    if layer is None and not convolutions:
        raise InputError(
            f"{path} has no convolution of its own; name the layer whose maps are meant: "
            f"{', '.join(list(layers)[:40])}"
        )
    # The layer that gives the output stands last: none is behind it.
    last = next((part for _, kind, part in reversed(named) if kind not in _ENDS), None)
    classes = _count_maps(last["config"]) if last and last["class_name"] == "Dense" else None
    return Described(layers, convolutions, classes, sides)


def _count_maps(config: Mapping[str, Any]) -> int | None:
    count = config.get("filters", config.get("units"))
    return count if isinstance(count, int) else None


def _check_input(path: Path, parts: list[dict[str, Any]]) -> tuple[int | None, int | None]:
    """Height and width of the images that the network takes."""
    inputs = [part["config"] for part in parts if part.get("class_name") == "InputLayer"]
    shapes = [
        list(each.get("batch_shape") or each.get("batch_input_shape") or ()) for each in inputs
    ]
    if (
        len(shapes) != 1
        or len(shapes[0]) != 4
        or shapes[0][3] not in (1, 3)
        or not _are_sides(shapes[0])
    ):
        found = ", ".join(str(tuple(shape)) for shape in shapes) or "none"
        raise InputError(
            f"{path} takes inputs of the shape {found}; expected one of images (batch, height, width, "
            "1 or 3)"
        )
    return shapes[0][1], shapes[0][2]


def _are_sides(shape: list[Any]) -> bool:
    return all(side is None or (isinstance(side, int) and side > 0) for side in shape[1:3])
