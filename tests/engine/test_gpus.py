"""Which GPUs TensorFlow would see, told from the system's devices and the environment."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.gpus import count_gpus


@pytest.fixture
def devices(tmp_path: Path) -> Path:
    for name in ("nvidia0", "nvidia1", "nvidiactl", "nvidia-uvm", "null"):
        (tmp_path / name).touch()
    return tmp_path


@pytest.mark.parametrize(
    ("visible", "count"),
    [(None, 2), ("0", 1), ("1,0", 2), ("0,1,2", 2), ("", 0), ("-1", 0), ("0,-1,1", 1)],
)
def test_cuda_hides_what_its_variable_does_not_name(
    devices: Path, visible: str | None, count: int
) -> None:
    environment = {} if visible is None else {"CUDA_VISIBLE_DEVICES": visible}
    assert count_gpus(environment, devices) == count


def test_there_are_none_on_a_machine_without(tmp_path: Path) -> None:
    assert count_gpus({}, tmp_path) == 0


def test_amd_cards_are_found(tmp_path: Path) -> None:
    (tmp_path / "kfd").touch()
    (tmp_path / "dri").mkdir()
    (tmp_path / "dri" / "renderD128").touch()
    assert count_gpus({}, tmp_path) == 1
    assert count_gpus({"HIP_VISIBLE_DEVICES": ""}, tmp_path) == 0


def test_who_knows_better_may_say_so(devices: Path) -> None:
    assert count_gpus({"LATENTFLOW_GPUS": "0"}, devices) == 0
    assert count_gpus({"LATENTFLOW_GPUS": "1"}, devices / "none") == 1
