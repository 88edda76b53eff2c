"""Calls of common modules that do not fit the module."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.archy.contracts import Binding, Contract, ModuleCall, Parameter, api_type_of
from reconciler.archy.findings.registry import FINDINGS
from reconciler.archy.model import Problem
from reconciler.archy.wording import in_words
from reconciler.suggest import near

_WIDENS = {("integer", "decimal"), ("integer", "number"), ("integer", "currency"), ("decimal", "currency")}
"""Types that are taken where another one is wanted, as (given, wanted)."""
_PLAIN = frozenset(("boolean", "integer", "decimal", "number"))
"""Types for which a text as a literal is certainly wrong; dates, numbers of phones and JSON may be texts."""


def check_call(root: str, call: ModuleCall, contract: Contract) -> Iterator[Problem]:
    """Everything in which one call does not fit the contract of the module that it calls.

    ``root`` is the root key of the calling flow. Paths lead into the calling flow.
    """
    caller = api_type_of(root)
    if contract.compatible and caller and caller != "COMMONMODULE" and caller not in contract.compatible:
        kinds = ", ".join(sorted(name.lower() for name in contract.compatible))
        yield _problem(
            "incompatible-module",
            call,
            f"cannot be called from a flow of type {caller.lower()}, only from {kinds}",
            f"Add `- flowType: {caller.lower()}` below `compatibleFlowTypes:` of the module, or call another one.",
        )
    for binding in call.bindings:
        yield from _binding_problems(call, binding, contract)
    # Bound to no value is bound: that is how one says that an input is left out on purpose.
    bound = {binding.name.lower() for binding in call.bindings if binding.direction == "input"}
    for parameter in contract.parameters:
        if parameter.is_input and not parameter.has_default and parameter.name.lower() not in bound:
            yield _problem(
                "missing-module-input",
                call,
                f"is called without its input {parameter.name} ({in_words(parameter.type)}), which has no default",
                f"Bind {parameter.name} below `inputs:` of the call; `noValue: true` leaves it out on purpose.",
            )


def _binding_problems(call: ModuleCall, binding: Binding, contract: Contract) -> Iterator[Problem]:
    parameter = contract.find(binding.name, binding.direction)
    if parameter is None:
        known = contract.names(binding.direction)
        yield _problem(
            f"unknown-module-{binding.direction}",
            call,
            f"has no {binding.direction} named {binding.name}",
            f"{near(binding.name, known)}"
            + (f"It has {', '.join(known)}." if known else f"It has no {binding.direction}s at all."),
            binding,
        )
    elif binding.type is not None and not _fits(binding, parameter):
        given, wanted = in_words(binding.type), in_words(parameter.type)
        if binding.direction == "input":
            what = f"wants a {wanted} as {parameter.name}, but gets a {given}"
        else:
            what = f"gives a {wanted} as {parameter.name}, but it is written to a {given}"
        yield _problem("module-type-mismatch", call, what, "Make both of one type.", binding)


def _fits(binding: Binding, parameter: Parameter) -> bool:
    assert binding.type is not None
    given, wanted = binding.type, parameter.type
    if binding.direction == "output":
        given, wanted = wanted, given
    if given == wanted or (given, wanted) in _WIDENS:
        return True
    if not binding.literal:
        return False
    if given == "string":
        return wanted not in _PLAIN
    return (given == "integer" and wanted not in ("boolean", "string")) or (
        given == "decimal"
        and wanted
        not in (
            "boolean",
            "string",
            "integer",
        )
    )


def _problem(id_: str, call: ModuleCall, what: str, remedy: str, binding: Binding | None = None) -> Problem:
    where = f'Action "{call.place}"' if call.place else "A call"
    path = binding.path if binding else call.path
    return Problem(id_, f"{where}: the common module {call.module} {what}.", path, remedy, FINDINGS[id_].severity)
