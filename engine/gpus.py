"""How many GPUs TensorFlow would find here, without importing it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

_ASSUMED = "LATENTFLOW_GPUS"


def count_gpus(environment: Mapping[str, str] | None = None, devices: Path = Path("/dev")) -> int:
    """Devices of NVIDIA's or AMD's driver, less those that the environment hides.

    Arguments:
        environment: of this process unless given; `LATENTFLOW_GPUS` in it is the answer.
        devices: the system's folder of devices.
    """
    found = os.environ if environment is None else environment
    if found.get(_ASSUMED, "").isdigit():
        return int(found[_ASSUMED])
    cards = [p for p in devices.glob("nvidia*") if p.name.removeprefix("nvidia").isdigit()]
    hidden = ["CUDA_VISIBLE_DEVICES"]
    if not cards and (devices / "kfd").exists():
        cards = list((devices / "dri").glob("renderD*"))
        hidden = ["HIP_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES"]
    count = len(cards)
    for name in hidden:
        if name in found:
            count = min(count, _listed(found[name]))
    return count


def _listed(text: str) -> int:
    """Entries of a list of devices, up to the first that is none: as CUDA reads it."""
    number = 0
    for entry in text.split(","):
        if not entry.strip() or entry.strip().startswith("-"):
            break
        number += 1
    return number
