"""`policy:` of an environment: what a plan may do there. The file format and its checks; the engine judges plans by it.

A glob that can match no address protects nothing and restricts nothing, and nobody would notice: so one of an
unknown kind is an error, and one that matches nothing in the specs is told.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from reconciler.archy.model import Path
from reconciler.globs import matches
from reconciler.kinds.registry import all_kinds
from reconciler.problems import Finding, Location, Severity
from reconciler.specs.environment_files import Layers
from reconciler.suggest import near

ActionName = Literal["create", "update", "republish", "adopt", "delete"]
Names = Annotated[tuple[str, ...], Field(strict=False)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Rule(_Part):
    """One entry of ``policy.allow``."""

    addresses: Annotated[tuple[str, ...], Field(strict=False, min_length=1)]
    """Addresses (globs allowed) that the rule is about."""
    only: Annotated[tuple[ActionName, ...], Field(strict=False)]
    """What may happen to them; an empty list lets nothing happen."""


class Policy(_Part):
    """What apply may do in this environment."""

    protect: Names = ()
    """Addresses (globs allowed) that are never deleted."""
    allow: Annotated[tuple[Rule, ...], Field(strict=False)] = ()
    """What may happen to which addresses; where several rules match, all of them have to agree."""
    max_deletes: Annotated[int, Field(ge=0)] | None = None
    """A plan with more deletes than this cannot be applied."""
    max_changes: Annotated[int, Field(ge=0)] | None = None
    """A plan with more creates, updates, republishes and deletes than this cannot be applied; an adopt is none."""
    on_drift: Literal["overwrite", "report", "fail"] = "overwrite"
    """What to do with what somebody changed in the org."""
    require_saved_plan: bool = False
    """Only a plan that was saved, and so could be reviewed, is applied."""
    require_clean_git: bool = False
    """Only specs that are committed are applied."""


def policy_problems(data: Mapping[str, Any], layers: Layers) -> list[Finding]:
    """Globs for kinds that do not exist; ``data`` need not be valid otherwise."""
    kinds = sorted({name for kind in all_kinds() for name in kind.kinds})
    policy = data.get("policy")
    return [
        layers.finding("unknown-kind-in-policy", path, f"{_dotted(path)} {glob!r} can match no address: {why}", remedy)
        for path, glob in _globs(policy if isinstance(policy, Mapping) else {})
        for why, remedy in no_address(glob, kinds)
    ]


def idle_globs(policy: Policy, addresses: Iterable[str], place: Callable[[Path], Location]) -> list[Finding]:
    """Globs for names that match nothing in the specs, most likely slips.

    One for a whole kind (``ivr/*``, ``*``) speaks of what may come, and is no slip.
    """
    addresses = tuple(addresses)
    findings = []
    for path, glob in _globs(policy.model_dump(include={"protect", "allow"})):
        if _whole_kind(glob) or any(matches(address, (glob,)) for address in addresses):
            continue
        where = place(path)
        findings.append(
            Finding(
                id="policy-matches-nothing",
                severity=Severity.WARNING,
                message=f"{_dotted(path)} {glob!r} matches nothing in the specs.",
                file=where.file,
                line=where.line,
                column=where.column,
                remedy=f"{near(glob, addresses)}Correct it, or remove it; "
                "it still counts for objects that left the specs.",
            )
        )
    return findings


def _globs(policy: Mapping[str, Any]) -> Iterator[tuple[Path, str]]:
    """Every glob of a policy, with its path in the environment."""
    yield from _texts(policy.get("protect"), ("policy", "protect"))
    rules = policy.get("allow")
    for index, rule in enumerate(rules if isinstance(rules, list | tuple) else ()):
        if isinstance(rule, Mapping):
            yield from _texts(rule.get("addresses"), ("policy", "allow", index, "addresses"))


def _texts(value: Any, path: Path) -> Iterator[tuple[Path, str]]:
    for index, item in enumerate(value if isinstance(value, list | tuple) else ()):
        if isinstance(item, str):
            yield (*path, index), item


def _head(glob: str) -> str:
    """What stands before the name or the first wildcard."""
    found = re.match(r"[^/*?\[]*", glob)
    return found[0] if found else ""


def no_address(glob: str, kinds: Collection[str]) -> Iterator[tuple[str, str]]:
    """Why no address can match, and what to do; nothing where one can."""
    head = _head(glob)
    follows = glob[len(head) :]
    whole = follows.startswith("/")
    if head in kinds if whole else follows and any(f"{kind}/".startswith(head) for kind in kinds):
        return
    if head in kinds:
        yield "it names a kind and no object.", f"Write '{head}/*' for all of that kind."
    else:
        remedy = f"{near(head, kinds)}Addresses look like 'ivr/Household Line', globs like 'commonModule/*'."
        yield "there is no such kind.", remedy


def _whole_kind(glob: str) -> bool:
    _, slash, name = glob.partition("/")
    return name == "*" or not slash


def _dotted(path: Path) -> str:
    """The key of a list, without the places in it: ``policy.allow``."""
    return ".".join(str(step) for step in path[:2])
