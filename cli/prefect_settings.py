"""What Prefect is told in the environment, wherever this project starts it; the user's own settings win.

`prefect.toml` says the same to commands that are started in the project's folder.
"""

from __future__ import annotations

from collections.abc import MutableMapping

_DEFAULTS = {
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    # One by one, task runs make SQLite answer 503 after a burst.
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_BATCH_SIZE": "50",
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_READ_BATCH_SIZE": "50",
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_FLUSH_INTERVAL": "1",
    "PREFECT_SERVER_LOGGING_LEVEL": "ERROR",
    # A killed run is to be noticed within minutes: see operations/crashed.yaml.
    "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": "30",
    # A server that has gone away is waited for a quarter of a minute, not a whole one.
    "PREFECT_CLIENT_MAX_RETRIES": "3",
}


def set_defaults(environment: MutableMapping[str, str]) -> None:
    """Complete an environment, before Prefect is imported in it."""
    for name, value in _DEFAULTS.items():
        environment.setdefault(name, value)
