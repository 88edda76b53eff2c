"""The command line: commands, and the one place where exit codes are decided.

Exit codes (a contract): 0 done or nothing to do; 1 error; 2 changes pending (``plan --detailed-exitcode``) or
drift found (``drift``); 3 stale or already applied plan, or locked; 4 applied in part.
"""

from __future__ import annotations

import sys
import tempfile
import traceback
from collections.abc import Sequence

import typer

from reconciler.cli.commands import CommandsOnDemand
from reconciler.cli.output import explain, people
from reconciler.problems import ReconcilerError
from reconciler.version import VERSION

app = typer.Typer(
    name="reconciler",
    cls=CommandsOnDemand,
    help="Keeps Genesys Cloud flows and IVRs as the YAML in this repository says.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


@app.callback(invoke_without_command=True)
def _root(
    context: typer.Context,
    version: bool = typer.Option(False, "--version", help="Print the version and leave.", is_eager=True),
) -> None:
    if version:
        typer.echo(f"reconciler {VERSION}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


def run(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; returns its exit code after everything has been written."""
    try:
        app(args=list(arguments) if arguments is not None else None)
    except ReconcilerError as error:
        explain(error)
        return error.exit_code
    except KeyboardInterrupt:
        people().print("Stopped.")
        return 1
    except BrokenPipeError:
        # Whoever read our output has gone; there is nobody to tell.
        sys.stderr.close()
        return 1
    except OSError as error:
        explain(ReconcilerError(*_file_problem(error)))
        return 1
    except SystemExit as leaving:
        return _exit_code(leaving)
    except Exception as error:  # noqa: BLE001 - no traceback ever reaches a user; the file has it for us
        explain(ReconcilerError(f"Internal error: {type(error).__name__}.", remedy=_keep_traceback()))
        return 1
    return 0


def _file_problem(error: OSError) -> tuple[str]:
    where = f"{error.filename}: " if error.filename else ""
    return (f"{where}{error.strerror or error}.",)


def _keep_traceback() -> str:
    """Writes the traceback where a maintainer can ask for it; says where."""
    with tempfile.NamedTemporaryFile("w", prefix="reconciler-", suffix=".log", delete=False) as file:
        file.write(traceback.format_exc())
    return f"Please report it to the maintainers with the file {file.name} (look first whether it holds a secret)."


def _exit_code(leaving: SystemExit) -> int:
    """A command's own code; 1 for a wrong use of options, for which the library would take 2, which is ours."""
    context = leaving.__context__
    if context is not None and isinstance(context.__cause__, KeyboardInterrupt):
        people().print("Stopped.")
        return 1
    own = isinstance(context, typer.Exit)
    code = leaving.code if isinstance(leaving.code, int) else 1
    return code if own or code == 0 else 1
