"""What a result was computed with: versions, processor, threads, commit."""

from __future__ import annotations

import contextlib
import functools
import os
import platform
import re
import sys
from pathlib import Path
from typing import Any

_FLAGS = ("avx2", "avx512f", "avx512_bf16", "avx512_vnni", "amx_bf16", "asimd", "bf16")


@functools.cache
def _installed() -> dict[str, str]:
    """Normalised name → version of every installed distribution, by the names of its folder.

    `importlib.metadata` would read the same, but takes longer to import than a cached run takes.
    """
    versions: dict[str, str] = {}
    for folder in sys.path:
        with contextlib.suppress(OSError):
            for entry in os.listdir(folder or "."):  # noqa: PTH208 - a third of iterdir's time
                if entry.endswith(".dist-info"):
                    name, _, version = entry.removesuffix(".dist-info").partition("-")
                    versions.setdefault(_normalised(name), version)
    return versions


def _normalised(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def version_of(distribution: str) -> str | None:
    """The installed version of a distribution, or None where it is not installed."""
    return _installed().get(_normalised(distribution))


@functools.cache
def processor_flags() -> tuple[str, ...]:
    """The processor's instruction sets that change results or speed, as Linux names them."""
    try:
        for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines():
            if line.startswith(("flags", "Features")):
                found = set(line.split(":", 1)[1].split())
                return tuple(flag for flag in _FLAGS if flag in found)
    except OSError:
        pass
    return ()


def git_commit(root: Path) -> str | None:
    """The commit that is checked out in `root`, read from `.git` without starting git."""
    git = root / ".git"
    try:
        if git.is_file():  # a worktree's pointer
            git = (root / git.read_text("utf-8").split(":", 1)[1].strip()).resolve()
        head = (git / "HEAD").read_text("utf-8").strip()
        if not head.startswith("ref: "):
            return head
        name = head[5:]
        common = git / "commondir"
        base = (git / common.read_text("utf-8").strip()).resolve() if common.exists() else git
        loose = base / name
        if loose.exists():
            return loose.read_text("utf-8").strip()
        for line in (base / "packed-refs").read_text("utf-8").splitlines():
            if line.endswith(f" {name}"):
                return line.split(" ", 1)[0]
    except OSError:
        pass
    return None


def describe(root: Path) -> dict[str, Any]:
    """Where a run takes place, for its journal."""
    return {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "processor_flags": list(processor_flags()),
        "cores": usable_cores(),
        "git_commit": git_commit(root),
        "command": [Path(sys.argv[0]).name, *sys.argv[1:]] if sys.argv[0] else [],
    }


def usable_cores() -> int:
    """How many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return max(1, len(os.sched_getaffinity(0)))
    return os.cpu_count() or 1
