"""The command `latentflow`."""

from __future__ import annotations

import contextlib
import importlib
import sys
import traceback
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from cli.messages import complain
from cli.process import leave

_DEBUG = "--debug"

# name → (module, what it defines there, example); a module is imported when its command is.
_COMMANDS = {
    "run": ("cli.run", "run", "run wifi --preset quick --set classifier.splits=4 --local"),
    "plan": ("cli.plan", "plan", "plan wifi --set clusters.k_max=15"),
    "status": ("cli.status", "status", "status"),
    "runs": ("cli.status", "runs", "runs wifi --newest 5"),
    "diff": ("cli.diff", "diff", "diff wifi:last~1 wifi:last"),
    "show": ("cli.show", "show", "show wifi/fit_pca.loadings"),
    "verify": ("cli.keep", "verify_store", "verify --repair"),
    "gc": ("cli.keep", "gc", "gc --keep 3 --dry-run"),
    "pin": ("cli.keep", "pin_run", "pin wifi:last"),
    "serve": ("cli.serve", "serve", "serve"),
    "deploy": ("cli.deploy", "deploy", "deploy --webhook https://chat.example/hook"),
    "data": ("cli.data", "app", "data fetch wifi --offline"),
}


class Commands(TyperGroup):
    """Imports a command when it is asked for, and turns errors into a message and an exit status."""

    def list_commands(self, ctx: Any) -> list[str]:
        """The commands in the order of the help."""
        return list(_COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command of that name, or None."""
        if cmd_name not in _COMMANDS:
            return None
        module, name, example = _COMMANDS[cmd_name]
        found = getattr(importlib.import_module(module), name)
        if isinstance(found, typer.Typer):
            return typer.main.get_command(found)
        alone = typer.Typer(add_completion=False, rich_markup_mode=None)
        alone.command(cmd_name, epilog=f"Example: latentflow {example}")(found)
        return typer.main.get_command(alone)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command that the first argument names; suggests the nearest one."""
        if args[0] not in _COMMANDS and not args[0].startswith("-"):
            from engine.parameters import nearest

            ctx.fail(f"there is no command {args[0]}{nearest(args[0], [*_COMMANDS])}")
        return super().resolve_command(ctx, args)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Take `--debug` wherever it stands."""
        ctx.meta[_DEBUG] = _DEBUG in args
        return super().parse_args(ctx, [arg for arg in args if arg != _DEBUG])

    def invoke(self, ctx: Any) -> Any:
        """Run the command; 1 for an error of ours, 130 for Ctrl-C."""
        from engine.errors import LatentflowError

        try:
            return super().invoke(ctx)
        except LatentflowError as error:
            if ctx.meta[_DEBUG]:
                traceback.print_exception(error)
            complain("\n".join([str(error), *_place(error), *getattr(error, "__notes__", [])]))
            raise typer.Exit(1) from error
        except KeyboardInterrupt:
            print("interrupted", file=sys.stderr)
            raise typer.Exit(130) from None


app = typer.Typer(
    cls=Commands,
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(wanted: bool) -> None:
    if wanted:
        from engine.environment import version_of

        print(version_of("latentflow") or "not installed: run from its folder")
        raise typer.Exit


@app.callback(epilog="Example: latentflow run wifi --preset quick --local")
def _options(
    debug: Annotated[bool, typer.Option(_DEBUG, help="Show the traceback of an error.")] = False,
    version: Annotated[
        bool,
        typer.Option(
            "--version", help="Show the version and exit.", is_eager=True, callback=_show_version
        ),
    ] = False,
) -> None:
    """Experiments on how machines see, as flows whose every stage is cached by what went into it."""


def _place(error: BaseException) -> list[str]:
    """Where in the project the error that caused this one was raised."""
    from engine.errors import LatentflowError, StageError
    from engine.store import project_root
    from engine.symbols.places import is_foreign

    cause = error.__cause__
    if not isinstance(error, StageError) or cause is None or isinstance(cause, LatentflowError):
        return []
    frames = traceback.extract_tb(cause.__traceback__)
    root = str(project_root())
    ours = [f for f in frames if f.filename.startswith(root) and not is_foreign(f.filename)]
    return [f"at {ours[-1].filename}:{ours[-1].lineno} in {ours[-1].name}"] if ours else []


def main() -> None:
    """Run the command line."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError):
            stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    try:
        app(prog_name="latentflow")
    except SystemExit as end:
        leave(end.code if isinstance(end.code, int) else int(bool(end.code)))


if __name__ == "__main__":
    main()
