"""Run the group of the tests through Prefect, in a process that has its server's address."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from engine import Store
from engine.group import PartsFailed
from engine.prefect_flow import as_prefect
from tests.engine.test_group import both


def main(root: str, overrides: str) -> None:
    """Write the outcomes, or what failed."""
    run = as_prefect(both, module="tests.engine.group_process", store=Store(Path(root)))
    try:
        sys.stdout.write(json.dumps(run(both.configure(overrides=json.loads(overrides)))) + "\n")
    except PartsFailed as failed:
        sys.stdout.write(json.dumps({"failed": failed.causes}) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
