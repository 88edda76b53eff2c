"""Why there is no answer: what happened on the way to a host, in words that say where and what to do."""

from __future__ import annotations

import os
import ssl

import httpx

from reconciler.platform.errors import (
    AuthenticationFailed,
    Context,
    HostUnreachable,
    MalformedResponse,
    PlatformError,
    ProxyRefused,
    RequestTimedOut,
    UntrustedHost,
)
from reconciler.platform.proxies import Proxy
from reconciler.platform.trust import trust_variables

_NO_TLS = frozenset({"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE", "PACKET_LENGTH_TOO_LONG"})
"""What OpenSSL calls an answer that is no TLS."""
_UNKNOWN_CA = (
    "Check the addresses of the environment first. Where a proxy of your company opens TLS, or the host has a CA of "
    "its own, put the certificate of that CA in a PEM file and name the file in SSL_CERT_FILE."
)
_NO_TLS_REMEDY = "Check the port and the addresses of the environment; plain http is accepted for this machine only."
_PROXY_LOGIN = (
    "Give them as HTTPS_PROXY=http://user:password@host:port or, with GENESYSCLOUD_PROXY_HOST, in "
    "GENESYSCLOUD_PROXY_AUTH_USERNAME and GENESYSCLOUD_PROXY_AUTH_PASSWORD."
)


def explained(error: Exception, host: str, proxy: Proxy | None, context: Context) -> PlatformError:
    """The error for an exchange that ended without an answer.

    Args:
        error: What httpx raised.
        host: Where the request was to go, with the port.
        proxy: The proxy on the way.
        context: Method and path.
    """
    request = f"{context['method']} {context['path']}"
    unsent = Context(**context, sent=False)
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.ProxyError):
        through = f" through {proxy}" if proxy else ""
        return (
            _untrusted(error, host, unsent)
            or _refused_by_proxy(error, host, proxy, unsent)
            or HostUnreachable(f"{host} cannot be reached{through}: {_reason(error)}.", host=host, **unsent)
        )
    if isinstance(error, httpx.TimeoutException | TimeoutError):
        return RequestTimedOut(f"{host} did not answer {request} in time.", **context)
    if isinstance(error, httpx.LocalProtocolError):
        # The reason would quote the header, and with it the token.
        return AuthenticationFailed(
            f"{request} could not be written: a header holds characters that HTTP does not allow.",
            **_advised(unsent, "Check the access token for blanks and line breaks."),
        )
    if isinstance(error, httpx.RequestError) and not isinstance(error, httpx.DecodingError):
        return HostUnreachable(
            f"The connection to {host} broke during {request}: {_reason(error)}.",
            host=host,
            **_advised(context, "Plan again: it is not known whether the org carried the request out."),
        )
    return MalformedResponse(f"{request} at {host} went wrong: {_reason(error)}.", **context)


def _untrusted(error: Exception, host: str, context: Context) -> UntrustedHost | None:
    cause = _tls_failure(error)
    if isinstance(cause, ssl.SSLCertVerificationError):
        trusted = " and ".join(trust_variables(os.environ)) or "the CAs that this machine and Mozilla trust"
        return UntrustedHost(
            f"The certificate of {host} is not trusted: {cause.verify_message.rstrip('.')}. "
            f"It was checked against {trusted}.",
            **_advised(context, _UNKNOWN_CA),
        )
    if cause is not None and cause.reason in _NO_TLS:
        return UntrustedHost(f"{host} does not speak TLS there: {_reason(cause)}.", **_advised(context, _NO_TLS_REMEDY))
    return None


def _tls_failure(error: BaseException | None) -> ssl.SSLError | None:
    while error is not None and not isinstance(error, ssl.SSLError):
        error = error.__cause__ or error.__context__
    return error


def _refused_by_proxy(error: Exception, host: str, proxy: Proxy | None, context: Context) -> ProxyRefused | None:
    if proxy is None or not isinstance(error, httpx.ProxyError):
        return None
    status = str(error)[:3]
    if status == "407":
        return ProxyRefused(
            f"{host} cannot be reached: {proxy} asks for a user name and password, or refuses those given (407).",
            **_advised(context, _PROXY_LOGIN),
        )
    if status.startswith("4"):
        remedy = f"Have {host} allowed there, or except it with NO_PROXY."
        return ProxyRefused(
            f"{host} cannot be reached: {proxy} does not let us through ({_reason(error)}).",
            **_advised(context, remedy),
        )
    return None


def _advised(context: Context, remedy: str) -> Context:
    return Context(**context, remedy=remedy)


def _reason(error: Exception) -> str:
    return str(error) or type(error).__name__
