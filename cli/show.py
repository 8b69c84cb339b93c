"""`latentflow show`: one artifact: what it is, what it was made from, what is inside."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Any

import typer

from cli import options, words
from cli.contents import describe, print_contents
from cli.find_artifact import Found, find_artifacts
from cli.lineage import Node, trace
from cli.messages import outcome_cell, print_json
from cli.screen import Screen, Table
from engine import Recipe, Store

_SYMBOLS = 8
_CELLS = 2  # of a repeated stage in the tree


def show(
    artifact: Annotated[
        str,
        typer.Argument(
            metavar="ARTIFACT",
            help="fit_pca.loadings, wifi/fit_pca.loadings, fit_kmeans[k=5], a result such as "
            "findings, or 6 or more digits of a digest.",
        ),
    ],
    rows: Annotated[
        int,
        typer.Option("--rows", "-n", min=0, metavar="N", help="Rows of a table, lines of JSON."),
    ] = 10,
    json: options.Json = False,
) -> None:
    """Show an artifact: contents, recipe, provenance.

    It is that of the newest run that has one of this name.
    """
    store = Store()
    found = find_artifacts(store, artifact)
    recipe = _recipe(store, found[0])
    lineage = trace(store, found[0].run, found[0].artifact, found[0].stage)
    if json:
        print_json(_to_json(store, found, recipe, lineage, rows))
        return
    screen = Screen()
    for each in found:
        _show_head(screen, store, each)
        print_contents(screen, store, each.artifact, rows)
        screen.print()
    if recipe is not None:
        _show_recipe(screen, recipe)
    screen.print("provenance", style="bold")
    _print_tree(screen, lineage)


def _recipe(store: Store, found: Found) -> Recipe | None:
    if found.stage is None or not found.stage.key:
        return None
    try:
        record = store.read_record(found.stage.key)
    except ValueError:
        return None
    return record.recipe if record else None


def _to_json(
    store: Store, found: list[Found], recipe: Recipe | None, lineage: Node, rows: int
) -> dict[str, Any]:
    return {
        "run": found[0].run.id,
        "flow": found[0].run.flow,
        "artifacts": [
            {
                **each.artifact.to_json(),
                "name": each.name,
                "path": str(store.path_of(each.artifact)),
                "fault": store.fault(each.artifact),
                "contents": describe(store, each.artifact, rows),
            }
            for each in found
        ],
        "recipe": recipe.to_json() if recipe else None,
        "provenance": lineage.to_json(),
    }


def _show_head(screen: Screen, store: Store, found: Found) -> None:
    artifact, run = found.artifact, found.run
    screen.print(found.name, style="bold")
    made = Table(["key", "value"], wide=("value",), header=False)
    made.add("kind", f"{artifact.format}, {words.size(artifact.size)}")
    made.add("digest", artifact.digest)
    made.add("file", str(store.path_of(artifact)))
    if found.stage is not None:
        made.add("stage", f"{found.stage.slot}, {words.seconds(found.stage.seconds)} to compute")
        made.add("outcome", outcome_cell(found.stage.outcome))
    made.add("run", f"{run.flow} {run.id}, {words.when(run.started)}")
    page = store.report / "runs" / run.flow / f"{run.id}.html"
    if page.exists():
        made.add("page", str(page))
    screen.print_table(made)


def _show_recipe(screen: Screen, recipe: Recipe) -> None:
    screen.print(f"recipe {recipe.key}", style="bold")
    made = Table(["key", "value"], wide=("value",), header=False)
    for name, value in recipe.params.items():
        made.add(f"params.{name}", words.number(value))
    for name, digest in recipe.inputs.items():
        made.add(f"input {name}", digest[:16])
    for name, version in recipe.env.items():
        made.add(name, version or "not installed")
    symbols = ", ".join([*recipe.code][:_SYMBOLS]) + (" …" if len(recipe.code) > _SYMBOLS else "")
    made.add(f"code ({words.plural(len(recipe.code), 'symbol')})", symbols)
    screen.print_table(made)
    screen.print()


def _print_tree(screen: Screen, node: Node, stem: str = "", branch: str = "") -> None:
    """The node and what it was made from, one line each; many cells of one stage are cut short."""
    place = f"{node.place}: " if node.place else ""
    screen.print(screen.cut(f"{stem}{branch}{place}{node.name}  {node.digest[:8]}{node.note}"))
    stem += {"": "", "├── ": "│   ", "└── ": "    "}[branch]
    shown, hidden = _some(node.inputs)
    for index, child in enumerate(shown):
        last = index == len(shown) - 1 and not hidden
        _print_tree(screen, child, stem, "└── " if last else "├── ")
    for index, (stage, count) in enumerate(hidden.items()):
        last = index == len(hidden) - 1
        screen.print(f"{stem}{'└── ' if last else '├── '}… {count} more of {stage}", style="dim")


def _some(inputs: list[Node]) -> tuple[list[Node], dict[str, int]]:
    """The inputs to show, and how many more of each repeated stage there are."""
    seen: Counter[str] = Counter()
    shown = []
    for node in inputs:
        stage = node.name.partition("[")[0]
        seen[stage] += "[" in node.name
        if seen[stage] <= _CELLS:
            shown.append(node)
    return shown, {stage: count - _CELLS for stage, count in seen.items() if count > _CELLS}
