"""`latentflow deploy`: tell a Prefect server of the work pool, the deployments and the automations."""

from __future__ import annotations

import contextlib
import hashlib
import os
import sys
from json import dumps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli import options
from cli.crashed_runs import settle
from cli.errors import ServerLost
from cli.messages import print_json
from cli.prefect_process import answers
from cli.prefect_settings import set_defaults
from engine.errors import InputError
from engine.store import Store, project_root

if TYPE_CHECKING:
    from prefect.client.orchestration import SyncPrefectClient

POOL = "local"

_RUNS_AT_ONCE = 2  # flow runs of the pool; each uses all cores where it can
_REGISTERED = "latentflow_registered"
_WEBHOOK = "latentflow-webhook"
_NO_BLOCK = "00000000-0000-0000-0000-000000000000"


def deploy(
    webhook: Annotated[
        str, typer.Option(help="Address that is told of failed and late runs.")
    ] = "",
    json: options.Json = False,
) -> None:
    """Register deployments and automations with a Prefect server.

    It is the one at PREFECT_API_URL.

    `latentflow serve` does this by itself; else a worker runs them: prefect worker start --pool local
    """
    set_defaults(os.environ)
    from prefect.settings import PREFECT_API_URL

    address = PREFECT_API_URL.value()
    fault = answers(address) if address else "PREFECT_API_URL is not set"
    if fault:
        raise ServerLost(
            f"no Prefect server to register with ({fault}): start one with `latentflow serve` or "
            "`prefect server start` and set PREFECT_API_URL to its address"
        )
    with contextlib.redirect_stdout(sys.stderr) if json else contextlib.nullcontext():
        register(webhook, always=True)
    if json:
        print_json({"api": address})
    else:
        print(f"registered with {address}")


def register(webhook: str = "", *, always: bool = False) -> None:
    """Bring the server at PREFECT_API_URL up to date; what was changed in its UI stays otherwise.

    Arguments:
        webhook: address that is told of failed and late runs; empty: nobody new is.
        always: also when the server knows this project's deployments as they are.

    Raises:
        InputError: the address is none.
        ServerLost: the server refused the deployments.
    """
    if webhook and not webhook.startswith(("http://", "https://")):
        raise InputError(f"--webhook {webhook}: expected an address that starts with http(s)://")
    from prefect import get_client

    with get_client(sync_client=True) as client:
        settle(client, Store())
        mark = _mark(webhook)
        known = client.read_variable_by_name(_REGISTERED)
        if known is not None and known.value == mark and not always:
            return
        _make_pool(client)
        _deploy_all()
        _automate(client, webhook)
        _remember(client, mark, known is not None)


def _mark(webhook: str) -> str:
    """Hash of all that is registered: the files, and the forms that the flows' parameters make."""
    from flows import deployed

    forms = {
        name: flow.parameters.model_dump(mode="json")
        for name, flow in sorted(vars(deployed).items())
        if hasattr(flow, "parameters") and hasattr(flow, "deploy")
    }
    sha = hashlib.sha256(dumps([forms, webhook], sort_keys=True, default=str).encode())
    for path in [project_root() / "prefect.yaml", *sorted(_operations().glob("*.yaml"))]:
        sha.update(path.read_bytes())
    return sha.hexdigest()


def _operations() -> Path:
    return project_root() / "operations"


def _make_pool(client: SyncPrefectClient) -> None:
    from prefect.client.schemas.actions import WorkPoolCreate
    from prefect.exceptions import ObjectNotFound
    from prefect.workers.process import ProcessWorker

    try:
        client.read_work_pool(POOL)
    except ObjectNotFound:
        client.create_work_pool(
            WorkPoolCreate(
                name=POOL,
                type="process",
                description="Flow runs as processes of this machine",
                base_job_template=ProcessWorker.get_default_base_job_template(),
                concurrency_limit=_RUNS_AT_ONCE,
            )
        )


def _deploy_all() -> None:
    from prefect.cli import app

    os.chdir(project_root())  # where prefect.yaml lies
    sys.argv = ["prefect", "--no-prompt", "deploy", "--all"]
    try:
        app()
    except SystemExit as end:
        if end.code:
            raise ServerLost("the server refused the deployments of prefect.yaml") from None


def _automate(client: SyncPrefectClient, webhook: str) -> None:
    """Make each automation of `operations/` anew or bring it up to date."""
    import yaml
    from prefect.events.schemas.automations import AutomationCore

    for path in sorted(_operations().glob("*.yaml")):
        text = path.read_text("utf-8")
        if _NO_BLOCK in text:
            if not webhook:
                continue
            text = text.replace(_NO_BLOCK, _webhook_block(webhook))
        for entry in yaml.safe_load(text)["automations"]:
            automation = AutomationCore.model_validate(entry)
            known = client.read_automations_by_name(automation.name)
            if not known:
                client.create_automation(automation)
            elif _content(known[0]) != _content(automation):
                # Only then: an update forgets which runs it has heard a heartbeat of.
                client.update_automation(known[0].id, automation)


def _content(automation: Any) -> Any:
    """An automation without ids, and without whether somebody has switched it off."""
    parts = automation.model_dump(
        mode="json", include={"name", "description", "trigger", "actions"}
    )
    for key in ("expect", "after", "for_each"):  # sets
        parts["trigger"][key] = sorted(parts["trigger"][key])
    parts["trigger"].pop("id", None)
    return parts


def _webhook_block(address: str) -> str:
    from prefect.blocks.webhook import Webhook

    secrets: Any = {"url": address, "headers": {"Content-Type": "application/json"}}
    block = Webhook(**secrets)
    return str(block.save(_WEBHOOK, overwrite=True))


def _remember(client: SyncPrefectClient, mark: str, known: bool) -> None:
    from prefect.client.schemas.actions import VariableCreate, VariableUpdate

    if known:
        client.update_variable(VariableUpdate(name=_REGISTERED, value=mark))
    else:
        client.create_variable(VariableCreate(name=_REGISTERED, value=mark))


def main(arguments: list[str]) -> None:
    """`register` in a process of its own; an error is a line on standard error."""
    try:
        register(*arguments)
    except (InputError, ServerLost) as error:
        sys.exit(str(error))
