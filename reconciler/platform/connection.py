"""Where an org is and how it is talked to: addresses, credentials and limits."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from reconciler.platform.errors import UnsafeAddress
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
    """Platform default per token (facts §2)."""
    deadline: float = 300.0
    """How long retries of one request may take, counted from its first failure."""
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


def is_loopback(url: str) -> bool:
    """Whether the address is on this machine."""
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def require_safe(url: str, purpose: str) -> None:
    """Refuses addresses that would send tokens or flows unencrypted over a network.

    Raises:
        UnsafeAddress: not https, and not plain http to this machine either.
    """
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise UnsafeAddress(f"The {purpose} is refused: it is no address ({error}).", sent=False) from error
    if parts.hostname and (parts.scheme == "https" or (parts.scheme == "http" and is_loopback(url))):
        return
    shown = f"{parts.scheme}://{parts.hostname}" if parts.scheme and parts.hostname else "it"
    raise UnsafeAddress(f"The {purpose} is refused: {shown} is not an https address.", sent=False)
