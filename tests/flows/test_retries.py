"""What is tried again: a download, which may go well the next time, and nothing else."""

from __future__ import annotations

from pathlib import Path

from engine import Store
from flows.study import PARTS


def test_only_what_asks_the_network_is_tried_again(tmp_path: Path) -> None:
    store = Store(tmp_path)
    for flow in PARTS.values():
        for call in flow.plan(flow.configure("quick"), store=store).calls:
            options = call.stage.options
            assert (options.retries > 0) == (call.stage.name == "download_dataset"), call.slot
