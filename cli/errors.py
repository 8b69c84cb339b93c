"""Errors that only the command line raises."""

from __future__ import annotations

from engine.errors import LatentflowError


class BrokenFlow(LatentflowError):
    """A flow whose module cannot be imported."""


class ServerLost(LatentflowError):
    """A Prefect server that cannot be reached, did not start, or went away."""
