"""The proxy on the way to a host, if there is one."""

from __future__ import annotations

import os
import urllib.request
from dataclasses import dataclass, field

import httpx

from reconciler.platform.errors import PlatformError

_VARIABLES = ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")
"""In the order in which they count; HTTP_PROXY is for plain http, which never leaves this machine."""


@dataclass(frozen=True)
class Proxy:
    """An HTTP proxy, its password apart from its address."""

    url: str
    """``http://proxy.example.com:3128``: no user, no password."""
    source: str
    """Where it was named, for messages."""
    username: str = field(default="", repr=False)
    password: str = field(default="", repr=False)

    def __str__(self) -> str:
        return f"the proxy {self.url} ({self.source})"


def usual_proxy(host: str) -> Proxy | None:
    """The proxy that HTTPS_PROXY or ALL_PROXY, or else the system, names for a host that NO_PROXY does not except.

    Raises:
        PlatformError: it is no HTTP proxy.
    """
    found = urllib.request.getproxies()
    url = found.get("https") or found.get("all")
    if not url or urllib.request.proxy_bypass(host):
        return None
    source = next((name for name in _VARIABLES if os.environ.get(name) == url), "system settings")
    return proxy_of(url if "://" in url else f"http://{url}", source)


def proxy_of(url: str, source: str, *, username: str = "", password: str = "") -> Proxy:
    """A proxy from its address; user and password may stand in it.

    Raises:
        PlatformError: it is no address of an HTTP proxy; the message does not show it, as a password may be in it.
    """
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL:
        parsed = httpx.URL()
    if parsed.scheme not in ("http", "https") or not parsed.host:
        what = "a SOCKS proxy, which is not supported" if parsed.scheme.startswith("socks") else "not an HTTP proxy"
        raise PlatformError(
            f"The proxy of {source} is {what}.",
            remedy="Give it as http://host:port, or http://user:password@host:port; encode special characters "
            "of the password as in %40.",
            sent=False,
        )
    bare = str(parsed.copy_with(userinfo=b"", path="/", query=None, fragment=None)).rstrip("/")
    return Proxy(bare, source, username or parsed.username, password or parsed.password)
