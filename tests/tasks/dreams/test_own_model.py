from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from engine import InputError
from tasks.dreams.own_model import describe_network
from tasks.training.model_file import pack_model
from tests.tasks.dreams.networks import small_cnn


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("own") / "net.keras"
    path.write_bytes(pack_model(small_cnn((40, 40, 3))).read_bytes())
    return path


def test_a_file_tells_its_layers(own: Path) -> None:
    found = describe_network(own)
    assert found.convolutions == ["Conv2D_1", "Conv2D_2", "Conv2D_3"]
    assert found.layers["Conv2D_1"] == 6 and found.layers["average"] is None
    assert found.classes == 10 and found.sides == (40, 40)
    assert describe_network(own, "classes") == found


def test_it_is_told_without_tensorflow(own: Path) -> None:
    code = (
        "import sys; from tasks.dreams.own_model import describe_network; "
        f"describe_network({str(own)!r}, 'Conv2D_2'); "
        "sys.exit(any(name in sys.modules for name in ('tensorflow', 'keras')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    "change",
    [
        [], "x", {"config": []}, {"config": {"layers": ["x"]}},
        {"config": {"layers": [{"class_name": "InputLayer", "config": {"batch_shape": 5}}]}},
        {"config": {"layers": [
            {"class_name": "InputLayer", "config": {"batch_shape": [None, "a", 9, 1]}}]}},
    ],
)  # fmt: skip
def test_a_configuration_that_is_none_is_refused_by_the_file_s_name(
    own: Path, tmp_path: Path, change: Any
) -> None:
    whole = {"class_name": "Functional"} | change if isinstance(change, dict) else change
    path = tmp_path / "odd.keras"
    with zipfile.ZipFile(own) as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            new.writestr(name, json.dumps(whole) if name == "config.json" else old.read(name))
    with pytest.raises(InputError, match=r"odd\.keras"):
        describe_network(path)


def test_a_dense_layer_before_the_end_gives_no_classes(tmp_path: Path) -> None:
    import keras

    image = keras.Input((12, 12, 1))
    maps = keras.layers.Conv2D(10, 3)(image)
    gate = keras.layers.Dense(10)(keras.layers.GlobalAveragePooling2D()(maps))
    gated = keras.layers.Multiply()([maps, keras.layers.Reshape((1, 1, 10))(gate)])
    (tmp_path / "gated.keras").write_bytes(
        pack_model(keras.Model(image, keras.layers.Conv2D(3, 3)(gated))).read_bytes()
    )
    assert describe_network(tmp_path / "gated.keras").classes is None


def test_what_is_missing_is_named_with_what_is_there(own: Path, tmp_path: Path) -> None:
    import keras

    with pytest.raises(
        InputError, match='no layer "conv9"; its convolutions are Conv2D_1, Conv2D_2'
    ):
        describe_network(own, "conv9")
    with pytest.raises(InputError, match="cannot be read: No such file"):
        describe_network(tmp_path / "missing.keras")
    (tmp_path / "broken.keras").write_bytes(own.read_bytes()[:500])
    with pytest.raises(InputError, match=r"no sound \.keras file"):
        describe_network(tmp_path / "broken.keras")
    for number, model in enumerate(
        (
            keras.Sequential([keras.Input((7,)), keras.layers.Dense(2)]),
            keras.Sequential([keras.Input((9, 9, 1)), keras.layers.Flatten()]),
        )
    ):
        path = tmp_path / f"{number}.keras"
        path.write_bytes(pack_model(model).read_bytes())
        with pytest.raises(InputError, match=("expected one of images", "no convolution")[number]):
            describe_network(path)
