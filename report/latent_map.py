"""The page of a latent map: points to hover over, filter and catch with a lasso, images beside them.

The points are drawn by Bokeh's own script, which the installed package holds and the site gets a
copy of. What the page needs lies beside it: the points in a script, the images in sheets.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.artifact import Artifact
from report.results import Results, title_of

if TYPE_CHECKING:
    from report.gathered import Gathered
    from report.layout import Pages

_SCRIPTS = ("bokeh.min.js", "bokeh-api.min.js")
_SHEET = re.compile(r"\[sheets\]\[(.*)\]$")


@dataclass(frozen=True)
class Map:
    """A packed latent map: where its page will be, and its artifacts.

    Arguments:
        sheets: name → sheet of images, the images themselves first.
    """

    name: str
    title: str
    page: str
    finding: str
    points: Artifact
    data: dict[str, Any]
    sheets: dict[str, Artifact]


def find_map(results: Results, name: str) -> Map | None:
    """The latent map of this name as `tasks/figures/latent_map.py` packs it; None if parts lack."""
    found = results.named(name)
    points = found.get(f"{name}[points]")
    data = results.read(f"{name}[points]", points) if points is not None else None
    sheets = {}
    for full, artifact in found.items():
        match = _SHEET.search(full)
        if match:
            key = match[1]
            sheets[json.loads(key) if key.startswith('"') else key] = artifact
    if points is None or not data or not sheets:
        return None
    flow = results.record.flow
    first = sorted(sheets, key=lambda key: key != "image")
    return Map(
        name,
        title_of(name),
        f"maps/{flow}-{name}.html",
        str(data.get("finding", "")),
        points,
        data,
        {key: sheets[key] for key in first},
    )


def library() -> list[Path] | None:
    """Bokeh's scripts in the installed package; None where it is not installed."""
    spec = importlib.util.find_spec("bokeh")
    if spec is None or not spec.submodule_search_locations:
        return None
    folder = Path(spec.submodule_search_locations[0]) / "server" / "static" / "js"
    paths = [folder / name for name in _SCRIPTS]
    return paths if all(path.is_file() for path in paths) else None


def write_map(pages: Pages, found: Gathered, shown: Map) -> None:
    """Write the page of a latent map and what it needs."""
    site, scripts = pages.site, library()
    sheets = []
    for name, artifact in shown.sheets.items():
        file = found.results.read(f"{shown.name}[sheets][{name}]", artifact)
        if file is not None:
            sheets.append({"name": name, "file": site.add_picture(artifact, file.read_bytes())})
    text = json.dumps({**shown.data, "sheets": sheets}, separators=(",", ":"))
    script = f"latentMap={text};\n".encode()
    data = site.share(f"maps/{hashlib.sha256(script).hexdigest()[:20]}.js", lambda: script)
    own = [site.add_static("map.js")] if scripts else []
    site.needs.add(shown.page)
    pages.write(
        shown.page,
        "map.html.j2",
        scripts=[*(site.add_file(path) for path in scripts or ()), data, *own],
        styled_by_scripts=True,
        record=found.record,
        shown=shown,
        drawn=scripts is not None,
        recipe=_recipe(found, shown),
        sheets=sheets,
    )


def _recipe(found: Gathered, shown: Map) -> str:
    maker = found.lineage.maker_of(shown.points)
    if maker is None:
        return found.run_page
    return f"{found.run_page}#{found.lineage.group_of(maker).id}"
