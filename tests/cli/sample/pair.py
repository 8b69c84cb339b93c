"""Two flows in one; a copy of it lies beside the toy flow in each test project."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flows.toy import ToyParameters, toy  # type: ignore[import-untyped]

from engine import Parameters, flow, stage
from engine.group import Group

again = flow(name="again", parameters=ToyParameters, presets={})(toy.fn)


class PairParameters(Parameters):
    """Of both."""

    toy: ToyParameters = ToyParameters()
    again: ToyParameters = ToyParameters()


@stage
def join(findings: dict[str, Any]) -> Any:
    """The findings of all parts."""
    rows = [row for name in sorted(findings) for row in findings[name]["findings"]]
    return {"findings": rows, "sentence": f"{len(rows)} numbers of {len(findings)} flows."}


def close(p: PairParameters, results: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Two flows."""
    return {"findings": join({name: found["findings"] for name, found in results.items()})}


pair = Group(close, "pair", PairParameters, {}, {"toy": toy, "again": again})
