from __future__ import annotations

import subprocess
import sys

import pytest

from tasks.training import runtime
from tasks.training.runtime import count_lanes, start_tensorflow


def test_it_is_started_once_and_deterministic() -> None:
    tf = start_tensorflow()
    assert start_tensorflow() is tf
    from tensorflow.python.framework import config

    assert config.is_op_determinism_enabled()


@pytest.mark.parametrize(
    ("cores", "batch", "lanes"), [(2, 128, 2), (8, 128, 4), (8, 16, 1), (1, 128, 1)]
)
def test_lanes_are_as_many_as_processors_if_there_is_work_for_them(
    cores: int, batch: int, lanes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runtime, "usable_cores", lambda: cores)
    assert count_lanes(batch) == lanes


def test_it_is_quiet_and_other_peoples_words_are_kept() -> None:
    code = (
        "import os\n"
        "from tasks.training import runtime\n"
        "with runtime._without_noise():\n"
        "    os.write(2, b'I0000 00:00:1.2  99 port.cc:153] oneDNN\\n')\n"
        "    os.write(2, b'a warning of somebody else\\n')\n"
        "tf = runtime.start_tensorflow(lanes=1)\n"
        "print(tf.config.threading.get_intra_op_parallelism_threads())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == "a warning of somebody else\n"
    assert done.stdout == "1\n"
