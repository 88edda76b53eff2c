"""Runs every check of one flow."""

from __future__ import annotations

from typing import Any

from reconciler.archy.findings.actions import check_actions
from reconciler.archy.findings.endings import check_endings
from reconciler.archy.findings.failures import check_failures
from reconciler.archy.findings.languages import check_languages
from reconciler.archy.findings.loops import check_loops
from reconciler.archy.findings.menus import check_menus
from reconciler.archy.findings.reaching import check_reaching
from reconciler.archy.findings.references import check_references
from reconciler.archy.findings.variables import check_variables
from reconciler.archy.findings.view import View
from reconciler.archy.model import Problem

_CHECKS = (
    check_references,
    check_reaching,
    check_loops,
    check_menus,
    check_endings,
    check_failures,
    check_variables,
    check_languages,
    check_actions,
)


def check_flow(root: str, body: Any) -> tuple[Problem, ...]:
    """Everything that is wrong with one flow, each with the path where it stands; never raises on odd bodies.

    ``root`` is the flow's root key, ``body`` what stands below it.
    """
    view = View(root, body)
    return tuple(found for check in _CHECKS for found in check(view))
