"""Timing of whole commands in turn, so that a machine whose speed drifts is fair to all."""

from __future__ import annotations

import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Command:
    """A command with its folder; its exit status must be 0."""

    arguments: Sequence[str]
    folder: Path
    environment: Mapping[str, str]

    def seconds(self) -> float:
        """Wall time of one whole process."""
        environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
        started = time.perf_counter()
        done = subprocess.run(
            self.arguments,
            cwd=self.folder,
            env={**environment, **self.environment},
            capture_output=True,
            text=True,
            check=False,
        )
        seconds = time.perf_counter() - started
        if done.returncode != 0:
            raise RuntimeError(f"{' '.join(self.arguments)} failed:\n{done.stdout}\n{done.stderr}")
        return seconds

    def usage(self) -> tuple[float, float, float]:
        """Wall time and processor time in seconds of one whole process, its peak memory in GB.

        Linux counts the memory of the process that starts another one in the other's peak as well:
        a benchmark that asks for it must stay small itself.
        """
        with tempfile.TemporaryFile("w+") as output:
            started = time.perf_counter()
            process = subprocess.Popen(
                self.arguments,
                cwd=self.folder,
                env={**os.environ, **self.environment},
                stdout=output,
                stderr=subprocess.STDOUT,
            )
            _, status, used = os.wait4(process.pid, 0)
            seconds = time.perf_counter() - started
            process.returncode = os.waitstatus_to_exitcode(status)
            if process.returncode != 0:
                output.seek(0)
                raise RuntimeError(f"{' '.join(self.arguments)} failed:\n{output.read()}")
        return seconds, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024 / 1e9


def in_turn(
    contestants: Mapping[str, Callable[[], float]], rounds: int, warm_up: int = 1
) -> dict[str, list[float]]:
    """Seconds of each contestant, A B C A B C …, after rounds that do not count."""
    times: dict[str, list[float]] = {name: [] for name in contestants}
    for round_number in range(rounds + warm_up):
        for name, run in contestants.items():
            seconds = run()
            if round_number >= warm_up:
                times[name].append(seconds)
    return times


def table(times: Mapping[str, Sequence[float]], reference: str) -> str:
    """A Markdown table of medians and ranges, each beside the reference in the same rounds."""
    lines = [
        f"| | median [s] | min – max [s] | × {reference} (median of the rounds) |",
        "| --- | ---: | ---: | ---: |",
    ]
    for name, seconds in times.items():
        ratios = [s / r for s, r in zip(seconds, times[reference], strict=True)]
        lines.append(
            f"| {name} | {statistics.median(seconds):.3f} | {min(seconds):.3f} – "
            f"{max(seconds):.3f} | {statistics.median(ratios):.2f} |"
        )
    return "\n".join(lines)
