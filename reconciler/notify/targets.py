"""Where a hook leads to on this machine: its address and key as they are set here, or why it leads nowhere."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint, entry_points
from typing import Any
from urllib.parse import urlsplit

from reconciler.notify.signing import key_of
from reconciler.problems import Finding, Location, Severity
from reconciler.specs import Environment, Hook, address_problem

GROUP = "reconciler.notify_handlers"
"""Entry points that may be named as ``handler``: callables that take the document as a mapping."""
SHORT = 8
"""Below this length a key is in any text, and no key."""
_ADDRESS = re.compile(r"\b[A-Za-z][A-Za-z0-9+.-]*://\S+|(?<=\burl: )/\S+")
"""The second is how the HTTP libraries that most handlers use tell of an address: host and path apart."""
_PIECE = re.compile(rf"(?=[^/?&=]*[0-9])[^/?&=]{{{SHORT},}}")
"""Of an address, what may be a token; words have no digit."""


@dataclass(frozen=True)
class Target:
    """One hook, resolved; never printed whole, because its address may be as good as a password."""

    name: str
    hook: Hook
    problem: str | None = None
    """Why nothing can be sent, as a sentence; then all that follows is empty."""
    url: str = field(default="", repr=False)
    key: bytes | None = field(default=None, repr=False)
    handler: EntryPoint | None = None
    secrets: tuple[str, ...] = field(default=(), repr=False)

    @property
    def shown(self) -> str:
        """Name and host, or the handler: all that people may see."""
        if self.hook.handler:
            return f"{self.name} (handler {self.hook.handler})"
        host = urlsplit(self.url).hostname if self.url else None
        return f"{self.name} ({host})" if host else self.name

    def mask(self, text: str) -> str:
        """A text without addresses and keys, however they came into it."""
        for secret in self.secrets:
            text = text.replace(secret, "(secret)")
        return _ADDRESS.sub("(address)", text)


def target_of(name: str, hook: Hook, environ: Mapping[str, str]) -> Target:
    """Resolves a hook; whatever is wrong with it is said in ``problem``."""
    if hook.handler is not None:
        return _handler(name, hook, hook.handler)
    url, problem = _value(hook.url, environ)
    if url and problem is None and (why := address_problem(url)):
        problem = f"The value of {_source(hook.url)} {why}."
    key: bytes | None = None
    secret = None
    if hook.secret is not None and problem is None:
        secret, problem = _value(hook.secret, environ)
        try:
            key = key_of(secret) if secret else None
        except ValueError as error:
            problem = f"The value of {_source(hook.secret)} is no key: {error}."
    if problem is not None or url is None:
        return Target(name, hook, problem or "It has no address.")
    # An answer may repeat the token that the address ends with.
    hidden = (url, *_PIECE.findall(url.partition("://")[2].partition("/")[2]), secret)
    return Target(name, hook, url=url, key=key, secrets=tuple(text for text in hidden if text and len(text) >= SHORT))


def unset_findings(environment: Environment, targets: Mapping[str, Target]) -> list[Finding]:
    """Warnings for hooks that cannot be told anything from here: the work goes on, and what they miss is kept."""
    return [
        _finding(target, environment.place(("notify", name)), environment.name)
        for name, target in targets.items()
        if target.problem
    ]


def _finding(target: Target, place: Location, environment: str) -> Finding:
    return Finding(
        id="notify-unreachable",
        severity=Severity.WARNING,
        message=f"The hook {target.name} cannot be told anything: {target.problem}",
        file=place.file,
        line=place.line,
        column=place.column,
        remedy=f"This stops nothing. What it misses is kept for `reconciler notify --retry --env {environment}`.",
    )


def _handler(name: str, hook: Hook, wanted: str) -> Target:
    try:
        found = {point.name: point for point in entry_points(group=GROUP)}
    except Exception as error:  # noqa: BLE001 - a broken package must not keep anybody from deploying
        return Target(name, hook, f"What is installed cannot be read ({type(error).__name__}).")
    if wanted in found:
        return Target(name, hook, handler=found[wanted])
    known = f"installed: {', '.join(sorted(found))}" if found else "none is installed"
    return Target(name, hook, f"There is no handler {wanted!r} ({known}).")


def _value(origin: Any, environ: Mapping[str, str]) -> tuple[str | None, str | None]:
    """The value and what is wrong with it; an empty one counts as not set, as everywhere."""
    if isinstance(origin, str):
        return origin, None
    value = environ.get(origin.env, "").strip()
    return (value, None) if value else (None, f"{origin.env} is not set here.")


def _source(origin: Any) -> str:
    return "url" if isinstance(origin, str) else str(origin.env)
