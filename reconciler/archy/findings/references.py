"""References inside a flow that lead nowhere or to two places."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.archy.findings.view import View, problem
from reconciler.archy.model import Path, Problem
from reconciler.archy.targets import Target
from reconciler.archy.wording import in_words
from reconciler.suggest import near

_CONTAINER_DEPTH = 4
"""Steps from the root to the body of a menu, task, state or bot."""


def check_references(view: View) -> Iterator[Problem]:
    """``dangling-reference`` and ``duplicate-ref-id``."""
    targets = list(view.flow.targets.by_path.values())
    for dangling in view.flow.dangling:
        field = in_words(str(dangling.path[-1]).removesuffix("Ref").removeprefix("target"))
        close = near(dangling.reference, (_written(target) for target in targets))
        yield problem(
            "dangling-reference",
            f"{view.place_of(dangling.path)}: the {field} {dangling.reference!r} does not exist in this flow.",
            dangling.path,
            f"{close}Correct the reference, or add what it names.",
        )
    yield from _duplicates(targets)


def _duplicates(targets: list[Target]) -> Iterator[Problem]:
    first: dict[tuple[Path, str, str], Target] = {}
    for target in targets:
        container = len(target.path) == _CONTAINER_DEPTH
        # Choices of two menus may share a refId in hand-written flows: the nearest one counts.
        other = first.setdefault((() if container else target.path[:-2], target.kind, target.ref_id), target)
        if other is not target:
            kind = in_words(target.kind)
            yield problem(
                "duplicate-ref-id",
                f"{kind} {other.name} and {kind} {target.name} have the same refId {target.ref_id!r}.",
                (*target.path, "refId"),
                "Give each a refId of its own, and let references name the one that is meant.",
            )


def _written(target: Target) -> str:
    """A target as references write it."""
    collection = target.path[-3] if len(target.path) > 2 else ""
    start = f"/{target.path[0]}/" if len(target.path) == _CONTAINER_DEPTH else "./"
    return f"{start}{collection}/{target.kind}[{target.ref_id}]"
