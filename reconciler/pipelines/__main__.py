"""Entry point of ``reconciler-pipeline``: one step of a pipeline."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module

from reconciler.pipelines.running import log
from reconciler.pipelines.settings import read
from reconciler.pipelines.surroundings import surroundings
from reconciler.pipelines.telling import note
from reconciler.problems import ReconcilerError

_MODULES = {
    "validate": "checking",
    "environments": "skipping",
    "plan": "planning",
    "pending": "planning",
    "apply": "applying",
    "drift": "drifting",
}
"""Where each command is; loaded when it is asked for."""


def run(arguments: Sequence[str] | None = None) -> int:
    """Does one step; its exit code is that of the command, but for changes pending and drift, which are no failure."""
    try:
        settings = read(arguments, os.environ, surroundings(os.environ))
        module = import_module(f"reconciler.pipelines.{_MODULES[settings.command]}")
        code: int = getattr(module, settings.command)(settings)
        return code
    except ReconcilerError as error:
        note("error", " ".join(filter(None, [error.message, error.remedy])))
    except OSError as error:
        note("error", f"{error.filename or ''}: {error.strerror or error}.")
    except KeyboardInterrupt:
        log("Stopped.")
    return 1


def main() -> None:
    """See ``run``."""
    sys.exit(run())


if __name__ == "__main__":
    main()
