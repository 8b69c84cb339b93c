"""The whole study: clusters in signals and digits, latent spaces, dreams, and how the numbers compare."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field, field_validator

from engine import Flow, Parameters
from engine.group import Group
from flows.autoencoder import autoencoder
from flows.autoencoder_parameters import AutoencoderParameters
from flows.digits import digits
from flows.digits_parameters import DigitsParameters
from flows.dreams import dreams
from flows.dreams_parameters import DreamsParameters
from flows.wifi import wifi
from flows.wifi_parameters import WifiParameters
from report.page import Section, page_of
from tasks.headlines import collect_headlines

PARTS: dict[str, Flow[Any]] = {
    "wifi": wifi,
    "digits": digits,
    "autoencoder": autoencoder,
    "dreams": dreams,
}

SECTIONS = (
    Section(
        "Headline results",
        "Each number beside what the posts report or what was measured before; a flow's own page "
        "tells the rest.",
        tables=("findings",),
        sentences=("findings",),
    ),
)


class StudyParameters(Parameters):
    """The parameters of all flows, and which of them run."""

    flows: list[str] = Field(
        default=list(PARTS),
        min_length=1,
        description="The flows that run, in the order of the study",
    )
    wifi: WifiParameters = WifiParameters()
    digits: DigitsParameters = DigitsParameters()
    autoencoder: AutoencoderParameters = AutoencoderParameters()
    dreams: DreamsParameters = DreamsParameters()

    @field_validator("flows")
    @classmethod
    def _known(cls, flows: list[str]) -> list[str]:
        for name in flows:
            if name not in PARTS:
                raise ValueError(f"there is no flow {name}; there is {', '.join(PARTS)}")
        return flows


def compare(p: StudyParameters, results: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """All four flows one after the other, and their headline numbers in one table."""
    found = {name: part["findings"] for name, part in results.items() if "findings" in part}
    return {"findings": collect_headlines(found)}


study = Group(
    compare,
    name="study",
    parameters=StudyParameters,
    presets={
        preset: {name: part.presets.get(preset, {}) for name, part in PARTS.items()}
        for preset in ("quick", "standard", "seed")
    },
    parts=PARTS,
    page=page_of(SECTIONS, about=__doc__, parameters=StudyParameters),
    chosen=lambda p: p.flows,
)
