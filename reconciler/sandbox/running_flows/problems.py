"""Why a run ends early."""

from __future__ import annotations


class RunProblem(Exception):
    """A run that cannot go on; becomes ``flowErrorInfo`` of the execution."""

    code = "flow.failed"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class CannotRun(RunProblem):
    """Something that the sandbox does not know how to do; the platform may well."""

    code = "sandbox.cannot.run"


class FlowFailed(RunProblem):
    """Something that fails on the platform too."""
