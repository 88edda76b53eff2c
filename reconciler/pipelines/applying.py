"""The step that changes an org: applies exactly a saved plan."""

from __future__ import annotations

from reconciler.pipelines.planning import load
from reconciler.pipelines.running import Ran, reconciler
from reconciler.pipelines.settings import Settings
from reconciler.pipelines.telling import block, note, output, summary

_ENDINGS = {
    1: "Nothing was applied, or nothing worked.",
    3: "The plan was refused, and nothing was applied.",
    4: "The plan was applied in part.",
}
_ADVICE = {
    1: "The log says what is wrong.",
    3: "It no longer fits what is there. Run the whole workflow again: it makes a new plan to look at.",
    4: "The log says what failed and why. Run the whole workflow again: it plans what is left, and nothing twice.",
}


def apply(settings: Settings) -> int:
    """Applies the plan, or says in plain words why not; the exit code is that of the command."""
    environment = settings.needs_environment()
    changes = len(load(settings.plan_file)["changes"])
    ran = reconciler("apply", str(settings.plan_file), "--env", environment, *settings.arguments)
    output("exit-code", ran.code)
    output("plan-file", str(settings.plan_file))
    output("changes", changes)
    ended = "\n".join(line for line in ran.said.splitlines() if not line.startswith("started "))
    summary(f"## Apply in `{environment}`\n\n{_how(ran)}\n\n{block(ended)}\n")
    if ran.code:
        note("error", f"{environment}: {_how(ran)}")
    return ran.code


def _how(ran: Ran) -> str:
    """How it ended, in a few sentences."""
    if ran.code == 0:
        return "Done: everything in the plan was applied."
    code = ran.code if ran.code in _ENDINGS else 1
    return " ".join(filter(None, [_ENDINGS[code], ran.error, _ADVICE[code]]))
