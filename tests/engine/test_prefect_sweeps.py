"""Which runner a run has, and what stands in its way."""

from __future__ import annotations

import socket
import sys

import pytest

from engine import InputError
from engine.prefect_sweeps import Sweeps, reach

CLUSTER = "tcp://box:8786"


@pytest.mark.parametrize(
    ("asked", "environment", "expected"),
    [
        (("", ""), {}, Sweeps("threads")),
        (("dask", ""), {}, Sweeps("dask")),
        (("dask", CLUSTER), {}, Sweeps("dask", CLUSTER)),
        (("", ""), {"LATENTFLOW_RUNNER": "dask"}, Sweeps("dask")),
        (
            ("", ""),
            {"LATENTFLOW_RUNNER": "dask", "LATENTFLOW_SCHEDULER": CLUSTER},
            Sweeps("dask", CLUSTER),
        ),
        (("dask", ""), {"LATENTFLOW_SCHEDULER": CLUSTER}, Sweeps("dask", CLUSTER)),
        (("threads", ""), {"LATENTFLOW_RUNNER": "dask", "LATENTFLOW_SCHEDULER": CLUSTER}, Sweeps()),
    ],
)
def test_what_is_asked_for_wins_over_the_environment(asked, environment, expected):
    runner, scheduler = asked
    assert Sweeps.chosen(runner, scheduler, environment) == expected


def test_unfit_choices_are_refused():
    with pytest.raises(InputError, match="there is no runner ray: threads or dask"):
        Sweeps.chosen("ray", "", {})
    with pytest.raises(InputError, match="is for the runner dask, not threads"):
        Sweeps.chosen("", CLUSTER, {})


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "prefect_dask", None)
    Sweeps("threads").check()
    with pytest.raises(InputError, match=r"pip install -e '.\[dask\]'"):
        Sweeps("dask").check()


@pytest.mark.parametrize("address", ["box", "tcp://", "tcp://box", "tcp://box:port", ""])
def test_no_address_is_told(address: str):
    with pytest.raises(InputError, match="give its address as tcp://host:8786"):
        reach(address)


def test_nobody_at_an_address_is_told():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and does not listen
        address = f"tcp://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(InputError, match=f"answers at {address} .Connection refused"):
            Sweeps("dask", address).check()
