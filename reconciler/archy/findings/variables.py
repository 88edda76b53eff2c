"""Variables that somebody forgot to declare, to set or to read."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.archy.findings.view import View, problem
from reconciler.archy.model import Problem
from reconciler.archy.variables import LOCAL_SCOPES, Variable, variables_of


def check_variables(view: View) -> Iterator[Problem]:
    """``undeclared-variable``, ``variable-never-set``, ``variable-never-read`` and ``unused-variable``.

    Slots are left out: the bot fills them, and whoever called it may read them.
    """
    for variable in variables_of(view.root, view.body):
        if variable.scope == "slot":
            continue
        if variable.declared is None:
            yield from _undeclared(view, variable)
        elif not variable.sets and not variable.reads and not variable.is_input and not variable.is_output:
            yield problem(
                "unused-variable",
                f"{_called(view, variable)} is neither set nor read.",
                variable.declared,
                "Remove it.",
            )
        elif not (variable.sets or variable.initial or variable.is_input):
            yield _never_set(view, variable)
        elif not (variable.reads or variable.is_output) and (
            variable.is_input or any(use.counts for use in variable.sets)
        ):
            yield _never_read(view, variable)


def _undeclared(view: View, variable: Variable) -> Iterator[Problem]:
    """Archy seems to make what an output is written to (a published flow of the corpus); a read alone is a slip."""
    use = next(iter([*variable.reads, *variable.sets]), None)
    if use is not None:
        how = "is read" if variable.reads else "is set"
        where = {"task": "the task", "state": "the state"}.get(variable.scope, "the flow")
        yield problem(
            "undeclared-variable",
            f"{view.place_of(use.path)}: {variable.name} {how}, but {where} does not declare it.",
            use.path,
            f"Declare it below `variables:` of {where}, or correct the name.",
            "info" if variable.sets else None,
        )


def _never_set(view: View, variable: Variable) -> Problem:
    assert variable.declared is not None
    if variable.reads:
        first = variable.reads[0].path
        message = f"{view.place_of(first)}: {_called(view, variable)} is read, but nothing gives it a value."
        return problem(
            "variable-never-set", message, first, "Set it before, give it an initial value, or do without it."
        )
    return problem(
        "variable-never-set",
        f"{_called(view, variable)} is an output, but nothing gives it a value.",
        variable.declared,
        "Set it, give it an initial value, or remove it.",
    )


def _never_read(view: View, variable: Variable) -> Problem:
    assert variable.declared is not None
    how = "an input that nothing reads" if variable.is_input else "set but never read"
    return problem(
        "variable-never-read", f"{_called(view, variable)} is {how}.", variable.declared, "Use it or remove it."
    )


def _called(view: View, variable: Variable) -> str:
    if variable.scope in LOCAL_SCOPES and variable.owner in view.flow.nodes:
        return f"variable {variable.name} of {view.container(variable.owner)}"
    return f"variable {variable.name}"
