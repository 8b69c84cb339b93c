"""The whole study: clusters in signals and digits, latent spaces, dreams, and how the numbers compare."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, Field, ValidationError, field_validator, model_validator

from engine import Flow, Parameters
from engine.group import Group
from engine.parameters import nearest
from flows.autoencoder import autoencoder
from flows.autoencoder_parameters import AutoencoderParameters
from flows.digits import digits
from flows.digits_parameters import DigitsParameters
from flows.dreams import dreams
from flows.dreams_parameters import DreamsParameters
from flows.wifi import wifi
from flows.wifi_parameters import WifiParameters
from report.page import Section, page_of
from tasks.figures.glance import draw_glance
from tasks.headlines import collect_headlines

# digits clusters the latent points of autoencoder, which therefore runs before it.
PARTS: dict[str, Flow[Any]] = {
    "wifi": wifi,
    "autoencoder": autoencoder,
    "digits": digits,
    "dreams": dreams,
}
ORDER = ("wifi", "digits", "autoencoder", "dreams")  # of the posts
SHARED = "ae16"  # the latent space that both have

SECTIONS = (Section("At a glance", "A picture of each flow.", figures=("draw_glance",)),)


class StudyParameters(Parameters):
    """The parameters of all flows, and which of them run.

    `digits` trains its autoencoders as `autoencoder` does, in the first variant of that, so that
    the training is one stage of both; what is set in `digits.autoencoder` itself stays.
    """

    flows: list[str] = Field(
        default=list(PARTS),
        min_length=1,
        description="The flows that run, in the order of the study",
    )
    wifi: WifiParameters = WifiParameters()
    autoencoder: AutoencoderParameters = AutoencoderParameters()
    digits: DigitsParameters = DigitsParameters()
    dreams: DreamsParameters = DreamsParameters()

    @field_validator("flows", mode="before")
    @classmethod
    def _in_words(cls, flows: Any) -> Any:
        """One name, or several with commas between, as a person types them."""
        return [name.strip() for name in flows.split(",")] if isinstance(flows, str) else flows

    @field_validator("flows")
    @classmethod
    def _known(cls, flows: list[str]) -> list[str]:
        for name in flows:
            if name not in PARTS:
                raise ValueError(f"there is no flow {name}{nearest(name, list(PARTS))}")
        return flows

    @model_validator(mode="before")
    @classmethod
    def _one_training(cls, values: Any) -> Any:
        if not isinstance(values, Mapping):
            return values
        try:
            trained = AutoencoderParameters.model_validate(values.get("autoencoder", {}))
        except ValidationError:
            return values  # that is told of `autoencoder` itself
        clusters = _given(values.get("digits", {}))
        own = _given(clusters.get("autoencoder", {})) if clusters is not None else None
        if clusters is None or own is None:
            return values
        shared = {**trained.training.model_dump(), "variant": trained.models.variants[0]}
        return {**values, "digits": {**clusters, "autoencoder": {**shared, **own}}}


def _given(values: Any) -> dict[str, Any] | None:
    """What was set of a section; None if it is no section."""
    if isinstance(values, BaseModel):
        return values.model_dump(exclude_unset=True)
    return dict(values) if isinstance(values, Mapping) else None


def compare(p: StudyParameters, results: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """All four flows one after the other, and their headline numbers in one table.

    What they have in common is computed once: the images, and the autoencoder of 16 dimensions,
    whose latent points `digits` clusters beside pixels and components.
    """
    found = {name: part["findings"] for name, part in results.items() if "findings" in part}
    seen = {name: part["glance"] for name, part in results.items() if "glance" in part}
    glance = {"draw_glance": draw_glance(seen)} if seen else {}
    return {"findings": collect_headlines(found, order=ORDER), **glance}


def _preset(name: str) -> dict[str, Any]:
    """The parts' presets, and the shared space among those that are clustered.

    Of `seed` this is the space of the post's autoencoder, decoder and training as they stand there.
    """
    values = {part: dict(flow.presets.get(name, {})) for part, flow in PARTS.items()}
    sweep = digits.configure(name).sweep
    spaces = {"spaces": [*sweep.spaces, SHARED]}
    values["digits"]["sweep"] = {**values["digits"].get("sweep", {}), **spaces}
    return values


study = Group(
    compare,
    name="study",
    parameters=StudyParameters,
    presets={preset: _preset(preset) for preset in ("quick", "standard", "seed")},
    parts=PARTS,
    page=page_of(SECTIONS, about=__doc__, parameters=StudyParameters),
    chosen=lambda p: p.flows,
)
