"""How this tool was installed: where somebody else can get exactly the same."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from typing import Any
from urllib.parse import urlsplit, urlunsplit

NAME = "reconciler"
_REMOTE = ("https", "ssh")
"""Schemes of addresses that others can reach; ``file`` names a folder of this machine."""
_ON_GITHUB = re.compile(r"github\.com[/:](?P<repository>[\w.-]+/[\w.-]+?)(?:\.git)?@(?P<commit>[0-9a-f]{40})$")


def vcs_requirement(installed: Distribution | None = None) -> str | None:
    """A line for requirements.txt with the address and commit that the tool was installed from (PEP 610).

    None where it came from elsewhere: a folder, an archive, an index. Never holds a password.
    """
    try:
        recorded = (installed or distribution(NAME)).read_text("direct_url.json")
        origin = json.loads(recorded) if recorded else None
    except (PackageNotFoundError, OSError, ValueError):
        return None
    return _requirement(origin) if isinstance(origin, Mapping) else None


def action_reference(requirement: str | None) -> str | None:
    """``owner/name@commit`` for `uses:` in a workflow; None where the tool did not come from a commit on GitHub."""
    found = _ON_GITHUB.search(requirement or "")
    return f"{found['repository']}@{found['commit']}" if found else None


def _requirement(origin: Mapping[str, Any]) -> str | None:
    version = origin.get("vcs_info")
    address = _without_credentials(origin.get("url"))
    if not isinstance(version, Mapping) or address is None:
        return None
    system, commit = version.get("vcs"), version.get("commit_id")
    if not (isinstance(system, str) and isinstance(commit, str) and system.isalpha() and commit.isalnum()):
        return None
    folder = origin.get("subdirectory")
    return f"{NAME} @ {system}+{address}@{commit}" + (f"#subdirectory={folder}" if isinstance(folder, str) else "")


def _without_credentials(url: Any) -> str | None:
    """The address without a password; ssh keeps the user, who is ``git`` nearly everywhere."""
    if not isinstance(url, str) or any(character.isspace() for character in url):
        return None
    parts = urlsplit(url)
    if parts.scheme not in _REMOTE or not parts.hostname:
        return None
    user, at, host = parts.netloc.rpartition("@")
    kept = f"{user.partition(':')[0]}{at}" if parts.scheme == "ssh" else ""
    return urlunsplit((parts.scheme, kept + host, parts.path, "", ""))
