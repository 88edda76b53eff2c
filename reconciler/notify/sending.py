"""One attempt to deliver one notification, and what its outcome means for the next one."""

from __future__ import annotations

import json
import logging
import os
import re
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from reconciler.notify.document import Notification
from reconciler.notify.signing import headers
from reconciler.notify.slack import slack_message
from reconciler.notify.targets import Target
from reconciler.notify.teams import teams_message
from reconciler.platform import is_loopback
from reconciler.platform.proxies import Proxy, usual_proxy
from reconciler.platform.trust import tls_context
from reconciler.problems import ReconcilerError

SECONDS = 10.0
"""Of one attempt, from the look-up of the name to the end of the answer."""
HANDLER_SECONDS = 30.0
ANSWER = 2048
"""Bytes of an answer that are read."""
_PASSING = (408, 425, 429)
_HARMLESS = re.compile(r"[A-Za-z0-9_ .,:'()-]{1,80}")
"""What an answer may say for people to see: words such as ``channel_is_archived``, never an address."""
# Both write addresses, which are as good as passwords here.
for _name in ("httpx", "httpcore"):
    logging.getLogger(_name).setLevel(logging.WARNING)


@dataclass(frozen=True)
class Attempt:
    """How one attempt ended."""

    delivered: bool
    problem: str = ""
    """Why not, as a few words; no address and no secret in it."""
    again: bool = False
    """Whether another attempt may succeed."""
    after: float = 0.0
    """Seconds that the receiver wants to be left alone."""


DELIVERED = Attempt(True)


def attempt(target: Target, told: Notification) -> Attempt:
    """Delivers once. Takes no longer than it may, whatever the receiver does, and raises nothing."""
    if target.problem:
        return Attempt(False, target.problem.removesuffix("."))
    if target.handler is not None:
        return _within(HANDLER_SECONDS, lambda: _handle(target, told), "the handler did not return")
    return _within(SECONDS, lambda: _post(target, told), "no answer")


def body_of(target: Target, told: Notification) -> bytes:
    """What is sent to a webhook."""
    match target.hook.format:
        case "slack":
            return json.dumps(slack_message(told)).encode()
        case "teams":
            return json.dumps(teams_message(told)).encode()
        case "json":
            return told.model_dump_json().encode()


def _within(seconds: float, work: Callable[[], Attempt], late: str) -> Attempt:
    """Runs it in a thread that is left to itself when its time is over; the process does not wait for it."""
    found: list[Attempt] = []
    thread = threading.Thread(target=lambda: found.append(work()), daemon=True)
    thread.start()
    thread.join(seconds)
    return found[0] if found else Attempt(False, f"{late} within {seconds:.0f} s", again=True)


def _handle(target: Target, told: Notification) -> Attempt:
    assert target.handler is not None
    try:
        target.handler.load()(json.loads(told.model_dump_json()))
    except BaseException as error:  # noqa: BLE001 - whatever a handler does must not reach the run, nor end its thread
        said = " ".join(target.mask(str(error)).split())[:200]
        return Attempt(False, f"{type(error).__name__}{f': {said}' if said else ''}", again=True)
    return DELIVERED


def _post(target: Target, told: Notification) -> Attempt:
    body = body_of(target, told)
    key = target.key
    sent = {
        "Content-Type": "application/json",
        "User-Agent": "genesys-reconciler",
        **headers(told.id, int(time.time()), body, key),
    }
    try:
        with (
            _client(target.url) as client,
            client.stream("POST", target.url, headers=sent, content=body) as answer,
        ):
            return _judged(answer, target)
    except ReconcilerError as error:
        return Attempt(False, target.mask(error.message).removesuffix("."), again=True)
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
        return Attempt(False, _explained(error), again=not isinstance(error, httpx.InvalidURL))
    except Exception as error:  # noqa: BLE001 - the thread has nobody to tell; the kept message has
        return Attempt(False, f"unexpected: {type(error).__name__}")


def _judged(answer: httpx.Response, target: Target) -> Attempt:
    if answer.is_success:
        return DELIVERED
    status = f"HTTP {answer.status_code}"
    if answer.is_redirect:
        return Attempt(False, f"{status}: it redirects, which is not followed")
    said = b""
    with suppress(httpx.HTTPError):
        for piece in answer.iter_raw(ANSWER):
            said = piece
            break
    text = target.mask(said.decode(errors="replace")).strip()
    problem = f"{status}: {text}" if _HARMLESS.fullmatch(text) else status
    again = answer.status_code in _PASSING or answer.status_code >= 500
    return Attempt(False, problem, again, _retry_after(answer.headers) if again else 0.0)


def _retry_after(given: Mapping[str, str]) -> float:
    """Seconds, from a number or a date; 0 where nothing usable is said."""
    value = given.get("retry-after", "").strip()
    if value.isdecimal() and len(value) < 10:
        return float(value)
    try:
        until = parsedate_to_datetime(value)
    except ValueError:
        return 0.0
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    return max(0.0, (until - datetime.now(UTC)).total_seconds())


def _explained(error: Exception) -> str:
    match error:
        case httpx.TimeoutException():
            return "no answer in time"
        case httpx.ProxyError():
            return "the proxy refused"
        case httpx.ConnectError() if "CERTIFICATE_VERIFY_FAILED" in str(error):
            return "its certificate is not trusted"
        case httpx.ConnectError() if "refused" in str(error).lower():
            return "connection refused"
        case httpx.ConnectError():
            return "it cannot be reached"
        case httpx.TransportError():
            return "the connection broke"
        case _:
            return f"unexpected: {type(error).__name__}"


def _client(url: str) -> httpx.Client:
    """Goes the way that requests to the org go: same proxies, same certificates, no redirects."""
    local = is_loopback(url)
    proxy = None if local else usual_proxy(httpx.URL(url).host)
    context: Any = tls_context(os.environ) if url.startswith("https:") else False
    return httpx.Client(
        verify=context,
        proxy=_proxy(proxy, context),
        timeout=httpx.Timeout(SECONDS, connect=5.0),
        follow_redirects=False,
        trust_env=False,
    )


def _proxy(proxy: Proxy | None, context: Any) -> httpx.Proxy | None:
    if proxy is None:
        return None
    auth = (proxy.username, proxy.password) if proxy.username or proxy.password else None
    return httpx.Proxy(proxy.url, auth=auth, ssl_context=context if proxy.url.startswith("https:") else None)
