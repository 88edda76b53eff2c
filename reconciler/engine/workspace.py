"""What a run starts from: the specs of one environment, and what the command line asks for."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from reconciler.cache import Cache
from reconciler.problems import Finding
from reconciler.specs import Catalog, Commit, Environment, SecretValues, missing_secret_finding


@dataclass(frozen=True)
class Scope:
    """What a run is asked to look at."""

    targets: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()
    prune: bool = False


@dataclass(frozen=True)
class Workspace:
    """Everything that a run starts from; made once by the command line."""

    root: Path
    environment: Environment
    catalog: Catalog
    commit: Commit
    secrets: SecretValues
    cache: Cache

    def secret_fingerprints(self, org_id: str) -> dict[str, str]:
        """Fingerprints of the secrets that are set on this machine, by name; salted with the org."""
        named = {secret.name for secret in self.environment.secrets}
        found = {name: self.secrets.fingerprint(name, f"{org_id}:{name}") for name in sorted(named)}
        return {name: value for name, value in found.items() if value is not None}

    def missing_secrets(self, used: Collection[str]) -> list[Finding]:
        """Errors for those of the named secrets that have no value on this machine."""
        return [
            missing_secret_finding(secret, self.environment.name)
            for secret in self.secrets.missing()
            if secret.name in used
        ]

    @property
    def missing_is_made(self) -> bool:
        """The environment is a sandbox that makes missing objects by itself."""
        sandbox = self.environment.org.sandbox
        return sandbox is not None and sandbox.missing_references == "create"
