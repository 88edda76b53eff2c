"""The environment variables of the Terraform provider that say how an org is reached, with its meaning of them.

Which of the others are heeded, and why not the rest, is listed in docs/environments.md. The provider reads most of
them only where its configuration has an (empty) ``proxy {}`` or ``gateway {}`` block; we have none, so that the
variables alone count (provider ``provider_schema.go``).
"""

from __future__ import annotations

from collections.abc import Mapping

from reconciler.platform.proxies import Proxy, proxy_of
from reconciler.problems import ReconcilerError

POOL_SIZE = "GENESYSCLOUD_TOKEN_POOL_SIZE"
DEFAULT_TOKENS = 1
"""The provider's default is 10: it logs in at once and reads every object by itself, where we list."""
MOST_TOKENS = 50
_PROXY = "GENESYSCLOUD_PROXY_"
_GATEWAY = "GENESYSCLOUD_GATEWAY_"
_USUAL_PORTS = ("80", "443")
"""The SDK leaves these out of the address, whatever the protocol (facts §4)."""


def tokens_of(environ: Mapping[str, str]) -> int:
    """How many tokens requests may be spread over.

    Raises:
        ReconcilerError: not a whole number from 1 to 50.
    """
    given = environ.get(POOL_SIZE, "").strip()
    if not given:
        return DEFAULT_TOKENS
    whole = given.isascii() and given.isdecimal() and len(given) <= len(str(MOST_TOKENS))
    if not whole or not 1 <= int(given) <= MOST_TOKENS:
        raise ReconcilerError(
            f"{POOL_SIZE} is '{given}', which is not a whole number from 1 to {MOST_TOKENS}.",
            remedy=f"Set it to how many tokens of the OAuth client may be used at once, or unset it for "
            f"{DEFAULT_TOKENS}.",
        )
    return int(given)


def proxy_from(environ: Mapping[str, str]) -> Proxy | None:
    """The proxy that ``GENESYSCLOUD_PROXY_HOST`` names, for all hosts but this machine.

    Raises:
        ReconcilerError: the variables do not make an address.
    """
    address = _address(environ, _PROXY, protocol="http")
    if address is None:
        return None
    return proxy_of(
        address,
        f"{_PROXY}HOST",
        username=environ.get(f"{_PROXY}AUTH_USERNAME", ""),
        password=environ.get(f"{_PROXY}AUTH_PASSWORD", ""),
    )


def gateway_from(environ: Mapping[str, str]) -> tuple[str, str] | None:
    """Addresses of API and login behind the gateway that ``GENESYSCLOUD_GATEWAY_HOST`` names.

    Raises:
        ReconcilerError: the variables do not make an address, or ask for what is not supported.
    """
    address = _address(environ, _GATEWAY, protocol="https")
    if address is None:
        return None
    if environ.get(f"{_GATEWAY}AUTH_USERNAME") or environ.get(f"{_GATEWAY}AUTH_PASSWORD"):
        raise ReconcilerError(
            f"{_GATEWAY}AUTH_USERNAME and {_GATEWAY}AUTH_PASSWORD are not supported.",
            remedy="Unset them; the gateway must let requests through that carry the org's token alone.",
        )
    name, value = environ.get(f"{_GATEWAY}PATH_NAME", ""), environ.get(f"{_GATEWAY}PATH_VALUE", "").strip("/")
    if name not in ("", "api", "login"):
        raise ReconcilerError(
            f"{_GATEWAY}PATH_NAME is '{name}', which is neither api nor login.",
            remedy=f"Set it to the one of the two that has the path of {_GATEWAY}PATH_VALUE, or unset both.",
        )
    api, login = (f"{address}/{value}" if value and name == which else address for which in ("api", "login"))
    return api, login


def _address(environ: Mapping[str, str], prefix: str, *, protocol: str) -> str | None:
    host = environ.get(f"{prefix}HOST", "").strip()
    if not host:
        return None
    port = environ.get(f"{prefix}PORT", "").strip()
    scheme = environ.get(f"{prefix}PROTOCOL", "").strip().lower() or protocol
    if scheme not in ("http", "https") or set(host) & set("/@?# ") or (port and not _is_port(port)):
        raise ReconcilerError(
            f"{prefix}HOST, {prefix}PORT and {prefix}PROTOCOL do not make an address.",
            remedy="Give a host name alone, a port number, and http or https.",
        )
    return f"{scheme}://{host}" + (f":{port}" if port and port not in _USUAL_PORTS else "")


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= 5 and 0 < int(text) < 65_536
