"""What is installed is what the lock says: exact versions, of proven content, that fit together."""

from __future__ import annotations

import importlib.metadata
import re
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
LOCKS = ["requirements/runtime.txt", "requirements/dev.txt", "benchmarks/requirements.txt"]
OWN = {"latentflow", "pip"}  # this project, and what Python's own venv brings


def entries(lock: str) -> list[tuple[Requirement, list[str]]]:
    """Each pin of a lock file and the options that stand with it."""
    text = (ROOT / lock).read_text().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    parts = [line.split(" --") for line in lines]
    return [(Requirement(pin), [option.strip() for option in options]) for pin, *options in parts]


def pins(lock: str) -> dict[str, str]:
    """Package → version, of those that belong to this Python on this system."""
    here = [pin for pin, _ in entries(lock) if pin.marker is None or pin.marker.evaluate()]
    found: dict[str, str] = {
        canonicalize_name(pin.name): str(pin.specifier).removeprefix("==") for pin in here
    }
    assert len(found) == len(here)
    return found


@pytest.mark.parametrize("lock", LOCKS)
def test_every_pin_is_exact_and_proven(lock: str) -> None:
    assert entries(lock)
    for pin, options in entries(lock):
        assert re.fullmatch(r"==[0-9][0-9A-Za-z.!+]*", str(pin.specifier)), pin
        assert pin.url is None and not pin.extras
        assert options, f"{pin} has no hash"
        for option in options:
            assert re.fullmatch(r"hash=sha256:[0-9a-f]{64}", option), f"{pin}: {option}"


def test_development_is_runtime_and_more() -> None:
    runtime, dev = pins("requirements/runtime.txt"), pins("requirements/dev.txt")
    assert runtime.items() <= dev.items()


def test_the_lock_is_what_is_installed() -> None:
    installed: dict[str, str] = {
        canonicalize_name(found.metadata["Name"]): found.version
        for found in importlib.metadata.distributions()
    }
    wanted = pins("requirements/dev.txt")
    assert {name: installed.get(name) for name in wanted} == wanted
    assert installed.keys() - wanted.keys() <= OWN


def test_what_is_installed_fits_together() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pip", "check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
