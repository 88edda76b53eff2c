"""Files → rendered → validated desired resources, for one environment.

``load_environment`` reads environments/<name>.yaml, ``load_catalog`` all specs for it; both read from a
``Source``: the work tree or a Git revision.
"""

from reconciler.specs.artifacts import ArtifactCache
from reconciler.specs.checks import call_finding
from reconciler.specs.content import with_secrets
from reconciler.specs.environment import (
    CredentialValues,
    Environment,
    Org,
    Sandbox,
    Smoke,
    environment_names,
    environment_schema,
    load_environment,
)
from reconciler.specs.hooks import EventName, Hook, address_problem
from reconciler.specs.loader import Catalog, load_catalog, spec_paths
from reconciler.specs.pinned import source_of
from reconciler.specs.policy import ActionName, Policy, Rule
from reconciler.specs.secrets import (
    Masker,
    SecretValues,
    SecretVariable,
    fingerprint,
    missing_secret_finding,
)
from reconciler.specs.smoke import ROOT as SMOKE_ROOT
from reconciler.specs.smoke import Expectation, SmokeTest, smoke_schema
from reconciler.specs.source import Commit, GitError, GitRevision, Source, WorkingTree, commit_state

__all__ = [
    "SMOKE_ROOT",
    "ActionName",
    "ArtifactCache",
    "Catalog",
    "Commit",
    "CredentialValues",
    "Environment",
    "EventName",
    "Expectation",
    "GitError",
    "GitRevision",
    "Hook",
    "Masker",
    "Org",
    "Policy",
    "Rule",
    "Sandbox",
    "SecretValues",
    "SecretVariable",
    "Smoke",
    "SmokeTest",
    "Source",
    "WorkingTree",
    "address_problem",
    "call_finding",
    "commit_state",
    "environment_names",
    "environment_schema",
    "fingerprint",
    "load_catalog",
    "load_environment",
    "missing_secret_finding",
    "smoke_schema",
    "source_of",
    "spec_paths",
    "with_secrets",
]
