"""What a flow run shows in Prefect's UI: published on every run, cached or not."""

from __future__ import annotations

import base64
import html
import io
import logging
import re
from typing import Any

import httpx
from prefect.artifacts import create_markdown_artifact, create_table_artifact

from engine.artifact import Artifact
from engine.flow import Run
from engine.graph import to_mermaid
from engine.outcome import Outcome
from engine.served import address_of
from engine.store import Store

log = logging.getLogger(__name__)

# The UI keeps pictures in its database: about 20 kB each is sharp enough on a screen.
_WIDTH_PIXELS = 720
_COLOURS = 48

# Of the stages that ran: what took long comes before the graph.
_SLOWEST = 12

# A findings table opens with what a reader looks for.
_FIRST_COLUMNS = ("name", "value", "unit", "expected", "met")


def publish(run: Run, store: Store) -> None:
    """Publish a run's tables, its summary with the graph, and its pictures as artifacts.

    A server that cannot be reached costs the pages, never the run: a warning says so.
    """
    flow = run.record.flow
    for part in (_publish_tables, _publish_summary, _publish_pictures):
        try:
            part(run, store)
        except httpx.TransportError as error:
            log.warning("Prefect's server is gone (%s): nothing is shown in its UI", error)
            return  # each further request would be tried for a minute
        except Exception as error:  # noqa: BLE001 - pages are no part of the result
            log.warning("%s is not shown in the UI: %s", part.__name__[9:], error)
    log.info("flow %s: %s", flow, _counts(run))


def _publish_tables(run: Run, store: Store) -> None:
    """Every result that is a list of rows, or has one under its own name."""
    for name, artifact in run.record.results.items():
        if artifact.format != "json":
            continue
        found = store.load(artifact)
        rows = found.get(name) if isinstance(found, dict) else found
        if isinstance(rows, list) and rows and all(isinstance(row, dict) for row in rows):
            create_table_artifact(
                key=artifact_key(run.record.flow, name),
                table=[_row(row) for row in rows],
                description=f"{name} of flow {run.record.flow}",
            )


def _publish_summary(run: Run, store: Store) -> None:
    record = run.record
    slow = sorted(
        (s for s in record.stages.values() if s.outcome in (Outcome.RAN, Outcome.UNCHANGED)),
        key=lambda s: -s.seconds,
    )
    lines = [f"# {record.flow}", "", f"{_counts(run)} in {record.seconds:.1f} s.", ""]
    if run.page is not None:
        address = address_of(run.page, store)
        shown = f"[{address}]({address})" if address else f"`{run.page}`"
        lines += [f"Report page: {shown}", ""]
    if slow:
        lines += ["| stage | outcome | seconds | why |", "| --- | --- | ---: | --- |"]
        for stage in slow[:_SLOWEST]:
            why = "; ".join(reason.text for reason in stage.reasons[:3]).replace("|", "\\|")
            cells = (stage.slot, stage.outcome.word, f"{stage.seconds:.2f}", html.escape(why))
            lines.append("| " + " | ".join(cells) + " |")
        more = len(slow) - _SLOWEST
        lines += ["", f"{more} more took less."] if more > 0 else []
        lines.append("")
    # Last: the older of Prefect's two UIs shows its source.
    lines += ["```mermaid", to_mermaid(record), "```"]
    create_markdown_artifact(
        key=artifact_key(record.flow, "summary"),
        markdown="\n".join(lines),
        description=f"What ran in flow {record.flow}, and why",
    )


def _publish_pictures(run: Run, store: Store) -> None:
    pictures = {n: a for n, a in run.record.results.items() if a.format == "png"}
    if not pictures:
        return
    lines = [f"# Figures of {run.record.flow}"]
    for name, artifact in pictures.items():
        alt = " ".join(str(artifact.spec.get("alt", "")).split())
        title = name.removeprefix("draw_").replace("_", " ")
        caption = _plain(alt)
        lines += ["", f"## {_plain(title)}", "", f"![{caption}]({_thumbnail(store, artifact)})", ""]
        lines.append(caption)
    create_markdown_artifact(
        key=artifact_key(run.record.flow, "figures"),
        markdown="\n".join(lines),
        description=f"Figures of flow {run.record.flow}",
    )


def _thumbnail(store: Store, artifact: Artifact) -> str:
    """A small PNG as a data address, the form of picture that both of Prefect's UIs show."""
    from PIL import Image

    with Image.open(io.BytesIO(store.load(artifact).data)) as opened:
        image = opened.convert("RGB")
    if image.width > _WIDTH_PIXELS:
        height = round(image.height * _WIDTH_PIXELS / image.width)
        image = image.resize((_WIDTH_PIXELS, height), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    # An octree keeps the few saturated colours of a chart; a median cut drowns them in its whites.
    small = image.quantize(_COLOURS, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    small.save(buffer, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()


def _counts(run: Run) -> str:
    return " · ".join(f"{number} {word}" for word, number in run.record.counts.items()) or "nothing"


def artifact_key(flow: str, name: str) -> str:
    """The key of an artifact in the UI: small letters, digits and dashes."""
    return re.sub(r"[^a-z0-9]+", "-", f"{flow}-{name}".lower()).strip("-")


def _plain(text: str) -> str:
    """Text from data, made harmless in Markdown."""
    return re.sub(r"([\\`*_{}\[\]<>|!#])", r"\\\1", text)


def _row(row: dict[str, Any]) -> dict[str, Any]:
    first = [name for name in _FIRST_COLUMNS if name in row]
    return {name: _cell(row[name]) for name in dict.fromkeys([*first, *row])}


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.6g}"
    return "" if value is None else value
