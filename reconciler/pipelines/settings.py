"""What a step is to do: options, or the variables that ``action.yml`` and ``.gitlab-ci.yml`` set for them."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from reconciler.pipelines.surroundings import Surroundings
from reconciler.problems import ReconcilerError

COMMANDS = {
    "validate": "check all specs offline; without --env for every environment",
    "environments": "which environments a change concerns",
    "plan": "plan, and keep one comment on the pull request or merge request up to date",
    "pending": "which of the saved plans in a folder have something to apply",
    "apply": "apply exactly a saved plan",
    "drift": "look for what was changed by hand, and keep one issue about it",
}
_WORDS = {"true": True, "false": False, "": False}


@dataclass(frozen=True)
class Settings:
    """One step."""

    command: str
    environment: str
    plan_file: Path
    arguments: tuple[str, ...]
    """More options of the command."""
    comment: bool
    """Write to the forge: the comment of a plan, the issue about drift."""
    sarif: bool
    """Hand findings over to code scanning."""
    only_changed: bool
    """Plan only what the change concerns."""
    token: str
    around: Surroundings

    def needs_environment(self) -> str:
        """The environment, which this command cannot do without."""
        if not self.environment:
            raise ReconcilerError(
                f"{self.command} needs to know the environment.",
                remedy="Set the input environment of the action, or RECONCILER_ENVIRONMENT.",
            )
        return self.environment


def read(arguments: Sequence[str] | None, environ: Mapping[str, str], around: Surroundings) -> Settings:
    """The settings of this step.

    Raises:
        ReconcilerError: a variable does not say what it should.
        SystemExit: the command line is wrong, or asks for help.
    """
    given = _options(arguments)
    environment = given.env if given.env is not None else environ.get("RECONCILER_ENVIRONMENT", "")
    if environment and (not environment.strip("-._ ") or "/" in environment or environment.startswith("-")):
        raise ReconcilerError(
            f"{environment!r} is no environment.", remedy="Name a file below environments/, without .yaml."
        )
    plan_file = given.plan_file or environ.get("RECONCILER_PLAN_FILE") or f".reconciler/{environment}.plan.json"
    return Settings(
        command=given.command,
        environment=environment,
        plan_file=Path(plan_file),
        arguments=_words("RECONCILER_ARGS", given.args or environ.get("RECONCILER_ARGS", "")),
        comment=_switch("RECONCILER_COMMENT", environ, default=True),
        sarif=_switch("RECONCILER_SARIF", environ, default=False),
        only_changed=_switch("RECONCILER_ONLY_CHANGED", environ, default=False),
        token=environ.get("RECONCILER_TOKEN", ""),
        around=around,
    )


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="reconciler-pipeline",
        description="Runs a command of the reconciler as a step of a pipeline of GitHub or GitLab.",
        epilog="Every option is also a variable; docs/pipelines.md lists them.",
    )
    listed = "; ".join(f"{name}: {help}" for name, help in COMMANDS.items())
    parser.add_argument("command", choices=list(COMMANDS), help=listed, metavar="COMMAND")
    parser.add_argument("--env", metavar="E", help="the environment (RECONCILER_ENVIRONMENT)")
    parser.add_argument("--plan-file", metavar="FILE", help="the saved plan, or the folder (RECONCILER_PLAN_FILE)")
    parser.add_argument("--args", metavar="OPTIONS", help="more options of the command (RECONCILER_ARGS)")
    return parser.parse_args(arguments)


def _words(name: str, text: str) -> tuple[str, ...]:
    try:
        return tuple(shlex.split(text))
    except ValueError as error:
        raise ReconcilerError(f"{name} cannot be read: {error}.", remedy="Close the quotes.") from None


def _switch(name: str, environ: Mapping[str, str], *, default: bool) -> bool:
    value = environ.get(name)
    if value is None:
        return default
    if value not in _WORDS:
        raise ReconcilerError(f"{name} is {value!r}.", remedy="Write true or false.")
    return _WORDS[value]
