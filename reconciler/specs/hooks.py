"""`notify:` of an environment: who is told of what is done to it. The file format and its checks.

Addresses of chat webhooks are as good as passwords, so they are read from environment variables; whether those are
set is looked at when there is something to tell, never before: a message must not keep a deployment from happening.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, get_args
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field

from reconciler.archy.model import Path
from reconciler.problems import Finding
from reconciler.specs.environment_files import Layers
from reconciler.specs.from_variable import FromEnvironmentVariable

EventName = Literal["planned", "started", "applied", "failed", "drift", "rolled-back"]
EVENTS: tuple[EventName, ...] = get_args(EventName)
USUAL_EVENTS: tuple[EventName, ...] = ("applied", "failed", "drift", "rolled-back")
CHATS = ("slack", "teams")
Text = Annotated[str, Field(min_length=1)]

_REMEDY = "Write `url: {env: NAME}`, NAME being the environment variable that holds the address."
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}")


class Hook(BaseModel):
    """Somebody who is told: a webhook (``url``) or installed code (``handler``), exactly one of the two."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    url: FromEnvironmentVariable | Text | None = None
    """Address of the webhook: ``{env: NAME}``, or written out where it is no secret."""
    format: Literal["json", "slack", "teams"] = "json"
    """What is sent: the whole document, or a message for a chat."""
    events: Annotated[tuple[EventName, ...], Field(strict=False, min_length=1)] = USUAL_EVENTS
    """What it is told of."""
    secret: FromEnvironmentVariable | None = None
    """Where to read the key that JSON is signed with: ``{env: NAME}``."""
    handler: Text | None = None
    """Name of an entry point of the group ``reconciler.notify_handlers``, instead of ``url``."""


def hook_problems(data: Mapping[str, Any], layers: Layers) -> list[Finding]:
    """What is wrong with hooks beyond their keys and types; ``data`` need not be valid otherwise."""
    notify = data.get("notify")
    if not isinstance(notify, Mapping):
        return []
    return [
        layers.finding("bad-hook", ("notify", name, *path), message, remedy)
        for name, hook in notify.items()
        for path, message, remedy in _problems(name, hook)
    ]


def address_problem(url: str, *, chat: bool = False) -> str | None:
    """Why nothing can be sent to an address, as the end of a sentence that does not show it; None where it can.

    ``chat`` is about an address that is written out in a file: those of chats are secrets.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return "is no address"
    if parts.scheme not in ("https", "http") or not host or any(not "!" <= letter <= "~" for letter in url):
        return "is no https address"
    if parts.username is not None or parts.password is not None:
        return "holds a user or a password, which is not sent"
    if parts.scheme == "http" and not _on_this_machine(host):
        return "is plain http, which is only for this machine"
    if chat and not _on_this_machine(host):
        return "is written out, although it is as good as a password"
    return None


def _problems(name: str, hook: Any) -> Iterator[tuple[Path, str, str]]:
    if not _NAME.fullmatch(name):
        yield (), f"{name!r} cannot be the name of a hook.", "Use letters, digits, - and _; at most 40."
    if not isinstance(hook, Mapping):
        return
    given = {key for key, value in hook.items() if value is not None}
    if ("url" in given) == ("handler" in given):
        which = "both url and handler" if "url" in given else "neither url nor handler"
        yield (), f"The hook {name} has {which}.", "Give one of them; an inherited hook is switched off with `null`."
    for key in sorted({"format", "secret"} & given) if "handler" in given else ():
        yield (key,), f"notify.{name}.{key} has no meaning for a handler.", "Remove it."
    if "secret" in given and hook.get("format") in CHATS:
        yield (
            ("secret",),
            f"notify.{name}.secret has no meaning for {hook['format']}.",
            "Remove it; only json is signed.",
        )
    url = hook.get("url")
    if isinstance(url, str) and url and (why := address_problem(url, chat=hook.get("format") in CHATS)):
        yield ("url",), f"notify.{name}.url {why}.", _REMEDY if "password" in why else "Give an https address."


def _on_this_machine(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
