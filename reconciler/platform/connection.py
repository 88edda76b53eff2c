"""Where an org is and how it is talked to: addresses, credentials and limits."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from reconciler.platform.errors import UnsafeAddress
from reconciler.platform.proxies import Proxy
from reconciler.problems import ReconcilerError

REGIONS: dict[str, str] = {
    "us-east-1": "mypurecloud.com",
    "us-east-2": "use2.us-gov-pure.cloud",
    "us-west-2": "usw2.pure.cloud",
    "ca-central-1": "cac1.pure.cloud",
    "mx-central-1": "mxc1.pure.cloud",
    "sa-east-1": "sae1.pure.cloud",
    "eu-west-1": "mypurecloud.ie",
    "eu-west-2": "euw2.pure.cloud",
    "eu-central-1": "mypurecloud.de",
    "eu-central-2": "euc2.pure.cloud",
    "eusc-de-east-1": "edee1.eusc-pure.cloud",
    "me-central-1": "mec1.pure.cloud",
    "ap-south-1": "aps1.pure.cloud",
    "ap-southeast-1": "apse1.pure.cloud",
    "ap-southeast-2": "mypurecloud.com.au",
    "ap-northeast-1": "mypurecloud.jp",
    "ap-northeast-2": "apne2.pure.cloud",
    "ap-northeast-3": "apne3.pure.cloud",
}
"""AWS region → domain (facts §1: SDK ``PureCloudRegionHosts`` and the Terraform provider)."""


@dataclass(frozen=True)
class Connection:
    """One org and the limits within which we talk to it. All times are seconds."""

    api_url: str
    """E.g. ``https://api.mypurecloud.ie``."""
    login_url: str
    """E.g. ``https://login.mypurecloud.ie``."""
    client_id: str = ""
    client_secret: str = field(default="", repr=False)
    access_token: str | None = field(default=None, repr=False)
    """Wins over the client's credentials, as in the Terraform provider."""
    requests_per_minute: int = 300
    """Of each token; the platform's default (facts §2)."""
    tokens: int = 1
    """How many tokens the requests may be spread over; logged in as they are needed."""
    rate_log: Path | None = None
    """File through which the runs on this machine that share the OAuth client keep one rate; None: no others."""
    proxy: Proxy | None = None
    """For all hosts but this machine; None takes those of the usual environment variables."""
    deadline: float = 300.0
    """How long retries of one request may take, counted from its first failure."""
    silence: float = 60.0
    """How long an answer may let us wait for its next byte."""
    exchange: float = 300.0
    """How long one request may take in all, however busily its answer drips."""
    poll_initial: float = 0.5
    """First pause between two looks at a job; later ones grow."""
    poll_max: float = 15.0
    job_deadline: float = 960.0
    """How long one job may take; 16 minutes, as the Terraform provider allows."""
    settle: float = 30.0
    """How long the org may take until something that was deleted is neither seen nor in the way any more."""

    def __post_init__(self) -> None:
        for name in ("api_url", "login_url"):
            object.__setattr__(self, name, getattr(self, name).rstrip("/"))


def connection_for_region(region: str, **options: Any) -> Connection:
    """A connection to an AWS region (``eu-west-1``) or a domain (``mypurecloud.ie``).

    Args:
        region: A key of ``REGIONS``, or a domain.
        options: Other fields of ``Connection``.

    Raises:
        ReconcilerError: neither a known region nor a domain.
    """
    domain = REGIONS.get(region.strip().lower())
    if domain is None:
        if "." not in region or "/" in region:
            raise ReconcilerError(
                f"'{region}' is not a known Genesys Cloud region.",
                remedy=f"Use one of {', '.join(REGIONS)}, or a domain such as mypurecloud.ie.",
            )
        domain = region.strip().lower()
    return Connection(api_url=f"https://api.{domain}", login_url=f"https://login.{domain}", **options)


def is_loopback(url: httpx.URL | str) -> bool:
    """Whether the address is on this machine: ``localhost``, 127.0.0.0/8 or ``::1``, and no other spelling."""
    try:
        # As it would be sent: the same parser, names encoded.
        host = httpx.URL(url).raw_host.decode("ascii")
    except (httpx.InvalidURL, TypeError, UnicodeError):
        return False
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def require_safe(url: str, purpose: str, *, here: bool = True) -> httpx.URL:
    """Refuses addresses that would send tokens or flows unencrypted over a network.

    Args:
        url: The address.
        purpose: What it is the address of, for the message.
        here: Whether the address may be on this machine and plain http: not where an org on another machine
            names it.

    Raises:
        UnsafeAddress: not https, and not plain http to this machine either; or with a user name in it.
    """
    try:
        parsed = httpx.URL(url)
    except (httpx.InvalidURL, TypeError, UnicodeError) as error:
        raise UnsafeAddress(f"The {purpose} is refused: it is no address ({error}).", sent=False) from error
    if parsed.userinfo:
        raise UnsafeAddress(
            f"The {purpose} is refused: it holds a user name or password.",
            remedy="Take what stands before the @ out of it.",
            sent=False,
        )
    if parsed.host and (parsed.scheme == "https" or (here and parsed.scheme == "http" and is_loopback(parsed))):
        return parsed
    shown = f"{parsed.scheme}://{parsed.host}" if parsed.scheme and parsed.host else "it"
    raise UnsafeAddress(f"The {purpose} is refused: {shown} is not an https address.", sent=False)
