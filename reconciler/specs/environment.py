"""What an environment file says, checked: which org, whose credentials, which variables and policy.

The models are the file format (design §4). Environment files are plain YAML; only specs are templates.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from reconciler.archy.model import Path
from reconciler.problems import Finding, Location, ReconcilerError, SpecError
from reconciler.specs.environment_files import DIRECTORY, Layers, environment_file, file_names, read_layers
from reconciler.specs.environment_problems import explain
from reconciler.specs.from_variable import FromEnvironmentVariable
from reconciler.specs.hooks import Hook, hook_problems
from reconciler.specs.limits import Limits, limit_problems
from reconciler.specs.policy import Policy, policy_problems
from reconciler.specs.secrets import SecretVariable
from reconciler.specs.silence import Silence, silence_problems
from reconciler.specs.source import Source
from reconciler.specs.variables import VARIABLE_SCHEMA, malformed_secrets, secret_variables
from reconciler.specs.windows import Windows
from reconciler.suggest import near

REGION_ENV = "GENESYSCLOUD_REGION"
ACCESS_TOKEN_ENV = "GENESYSCLOUD_ACCESS_TOKEN"  # noqa: S105 - a name, not a token
PLACES = ("region", "domain", "api_url", "sandbox")

Text = Annotated[str, Field(min_length=1)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Sandbox(_Part):
    """An org on this machine, started by the command that needs it."""

    seed: str | None = None
    """YAML file of what the org holds at first, relative to the repository root."""
    data: str | None = None
    """SQLite file that keeps the org, relative to the repository root."""
    missing_references: Literal["reject", "create"] = "reject"
    """``create`` makes whatever a flow names and the org lacks, to try flows of one's own at once."""
    faults: str | None = None
    """YAML file of what is to go wrong, relative to the repository root."""


class Org(_Part):
    """Which org it is and where it answers: exactly one of region, domain, a pair of URLs, or a sandbox."""

    id: Text | None = None
    """The organisation's id; nothing is read or written when the credentials belong to another org."""
    region: Annotated[Text | None, Field(examples=["eu-west-1"])] = None
    """AWS region, e.g. ``eu-west-1``; GENESYSCLOUD_REGION where the environment names no place at all."""
    domain: Annotated[Text | None, Field(examples=["mypurecloud.ie"])] = None
    """E.g. ``mypurecloud.ie``."""
    api_url: Text | None = None
    """Address of the API, together with ``login_url``, e.g. of ``reconciler sandbox serve``."""
    login_url: Text | None = None
    """Address of the login, together with ``api_url``."""
    sandbox: Sandbox | None = None
    """An org on this machine; it needs no account, no credentials and no network."""
    requests_per_minute: Annotated[int, Field(ge=1)] | None = None
    """How fast we may ask, for each token; 300 if not said otherwise, no limit for a sandbox."""


class Credentials(_Part):
    """The OAuth client (grant Client Credentials); the default names are those of the Terraform provider."""

    client_id: FromEnvironmentVariable = FromEnvironmentVariable(env="GENESYSCLOUD_OAUTHCLIENT_ID")
    """Where to read the id of the OAuth client: ``{env: NAME}``."""
    client_secret: FromEnvironmentVariable = FromEnvironmentVariable(env="GENESYSCLOUD_OAUTHCLIENT_SECRET")
    """Where to read its secret: ``{env: NAME}``; the secret itself never stands here."""

    def resolve(self, environ: Mapping[str, str]) -> CredentialValues:
        """The values; GENESYSCLOUD_ACCESS_TOKEN wins over client id and secret.

        Raises:
            ReconcilerError: neither a token nor both client values are set.
        """
        token = environ.get(ACCESS_TOKEN_ENV, "").strip()
        if token:
            _refuse_unsendable(ACCESS_TOKEN_ENV, token)
            return CredentialValues(access_token=token)
        wanted = (self.client_id.env, self.client_secret.env)
        unset = [name for name in wanted if not environ.get(name)]
        if unset:
            raise ReconcilerError(
                f"There are no credentials for the org: {' and '.join(unset)} "
                f"{'is' if len(unset) == 1 else 'are'} not set.",
                remedy=f"Set {' and '.join(unset)} in the shell or the pipeline, or {ACCESS_TOKEN_ENV}.",
            )
        return CredentialValues(client_id=environ[wanted[0]].strip(), client_secret=environ[wanted[1]].strip())


def _refuse_unsendable(variable: str, value: str) -> None:
    """A header takes visible ASCII only; the value itself is never shown."""
    if not all("!" <= character <= "~" for character in value):
        raise ReconcilerError(
            f"The value of {variable} holds blanks, line breaks or other characters that a token never has.",
            remedy="Set it anew, without quotes and line breaks.",
        )


@dataclass(frozen=True, slots=True)
class CredentialValues:
    """Either an access token, or client id and secret; the others are None."""

    client_id: str | None = None
    client_secret: str | None = field(default=None, repr=False)
    access_token: str | None = field(default=None, repr=False)


class Ledger(_Part):
    """Where it is kept what was applied: in the org itself (a data table) or in a file."""

    type: Literal["org", "file"] = "org"
    """``org``: a data table, so that all pipelines see the same; ``file`` suits one machine."""
    path: Text | None = None
    """File, relative to the repository root; only for ``file``."""
    table: Text | None = None
    """Name of the data table; only for ``org``."""


class Smoke(_Part):
    """Which smoke tests apply runs when it has done its work, and what follows when one is not passed."""

    after_apply: Literal["off", "reached", "all"] = "off"
    """``reached``: those whose workflow the run changed, or something that the workflow uses."""
    on_failure: Literal["report", "rollback"] = "report"


class Verify(_Part):
    """Whether apply proves at its end that callers get what it applied."""

    after_apply: Literal["changed", "all", "off"] = "changed"
    """``changed``: what the run changed, who uses it and what leads to it; ``all``: everything."""
    timeout: Annotated[float, Field(ge=0, le=3600)] = 60
    """Seconds to wait for dependency tracking that is behind or being rebuilt."""


class Audit(_Part):
    """Where the audit trail of applies is kept, if at all."""

    enabled: bool = True
    """``false`` keeps none."""
    path: Text | None = None
    """File, relative to the repository root; ``.reconciler/audit/<environment>.jsonl`` if not said otherwise."""


class Findings(_Part):
    """What people decided about findings."""

    silence: Annotated[tuple[Silence, ...], Field(strict=False)] = ()
    """Findings that are not to be told; a list, so an environment's own replaces an inherited one."""


class EnvironmentFile(_Part):
    """The keys of an environment file after everything it extends is merged in."""

    extends: Text | None = None
    """The environment file, without ending, whose keys this one starts from."""
    org: Org
    """Which org it is and where it answers: exactly one of region, domain, a pair of URLs, or a sandbox."""
    credentials: Credentials = Credentials()
    """Where to read the OAuth client, never its values."""
    release: Text | None = None
    """Git revision that the specs are read from; without it they are read from the working tree."""
    division: Text | None = None
    """Default division of resources that name none."""
    variables: Mapping[str, Any] = Field(default_factory=dict)
    """What templates may use; secrets as ``{secret: {env: NAME}}``."""
    ledger: Ledger = Ledger()
    """Where it is kept what was applied."""
    policy: Policy = Policy()
    """What ``apply`` may do in this environment."""
    findings: Findings = Findings()
    """What people decided about findings."""
    audit: Audit = Audit()
    """Where the audit trail of applies is kept, if at all."""
    smoke: Smoke = Smoke()
    """Which smoke tests apply runs, and what follows when one is not passed."""
    verify: Verify = Verify()
    """Whether apply proves at its end that callers get what it applied."""
    limits: Limits = Limits()
    """What a plan makes of the org's limits."""
    windows: Windows | None = None
    """When changes may be applied; without it, at any time."""
    notify: Mapping[str, Hook | None] = Field(default_factory=dict)
    """Who is told of what: webhooks and handlers by name."""
    concurrency: Annotated[int, Field(ge=1, le=64)] = 50
    """How many changes may run at the same time."""


class Environment(EnvironmentFile):
    """One environment, ready to use."""

    name: str
    files: tuple[str, ...]
    """The files it was read from, its own first, then what it extends."""
    layers: Layers = Field(exclude=True, repr=False)

    def place(self, path: Path) -> Location:
        """Where the value at ``path`` is written, e.g. ``("policy", "protect", 0)``; the nearest key above it else."""
        return self.layers.origin(path)

    @property
    def hooks(self) -> dict[str, Hook]:
        """Who is told, by name, without those that are switched off."""
        return {name: hook for name, hook in self.notify.items() if hook is not None}

    @property
    def secrets(self) -> tuple[SecretVariable, ...]:
        """The secrets among its variables."""
        return secret_variables(self.variables)


def environment_names(source: Source) -> list[str]:
    """Names that ``load_environment`` takes: files in environments/ that do not start with ``_``."""
    return [name for name in file_names(source) if not name.startswith("_")]


def load_environment(source: Source, name: str, *, environ: Mapping[str, str] | None = None) -> Environment:
    """Reads environments/<name>.yaml with everything it extends.

    ``environ`` (the process's own by default) supplies GENESYSCLOUD_REGION where the file names no place.

    Raises:
        SpecError: there is no such environment, or its files are wrong; all findings, each with the file that
            the wrong key really stands in.
    """
    _check_known(source, name)
    layers = read_layers(source, name, file_names(source))
    environ = os.environ if environ is None else environ
    # An empty key is one that was left blank or switched off.
    given = {key: value for key, value in layers.data.items() if value is not None}
    data = _with_region(given, environ.get(REGION_ENV))
    findings = []
    made: EnvironmentFile | None = None
    try:
        made = EnvironmentFile.model_validate(data)
    except ValidationError as error:
        findings += [explain(detail, layers, name) for detail in error.errors(include_url=False)]
    findings += [
        *_place_findings(data, layers, name),
        *_ledger_findings(data, layers),
        *_variable_findings(data, layers),
        *silence_problems(data, layers),
        *policy_problems(data, layers),
        *hook_problems(data, layers),
        *limit_problems(data, layers),
    ]
    if findings or made is None:
        # What may be one thing or another is wrong in two ways, and told once.
        raise SpecError(dict.fromkeys(findings))
    fields = {key: getattr(made, key) for key in EnvironmentFile.model_fields}
    return Environment(name=name, files=layers.files, layers=layers, **fields)


def environment_schema() -> dict[str, Any]:
    """JSON Schema of environment files, for editors: one file at a time, before it is merged with what it extends.

    So nothing is required, and each key may be left empty, which switches off what is inherited.
    """
    # Only this pays for the reading of docstrings.
    from reconciler.schemas import DRAFT, model_schema, nothing_required, or_null

    schema = nothing_required(model_schema(EnvironmentFile))
    definitions = {**schema["$defs"], "Variable": VARIABLE_SCHEMA}
    keys = {key: or_null(value, definitions) for key, value in schema["properties"].items()}
    keys["variables"]["additionalProperties"] = {"$ref": "#/$defs/Variable"}
    return {**schema, "$schema": DRAFT, "type": ["object", "null"], "properties": keys, "$defs": definitions}


def _check_known(source: Source, name: str) -> None:
    known = environment_names(source)
    if name in known:
        return
    listed = f"Known environments: {', '.join(known) or 'none'}."
    if name in file_names(source):
        message = f"{name!r} is a base that environments extend, not an environment itself."
        raise SpecError(
            [Finding(id="unknown-environment", message=message, file=environment_file(source, name), remedy=listed)]
        )
    message = f"There is no environment {name!r} in {DIRECTORY}/ of the {source.label}."
    raise SpecError([Finding(id="unknown-environment", message=message, remedy=f"{near(name, known)}{listed}")])


def _with_region(data: Mapping[str, Any], region: str | None) -> Mapping[str, Any]:
    org = data.get("org", {})
    if not region or not isinstance(org, Mapping) or any(org.get(place) is not None for place in PLACES):
        return data
    return {**data, "org": {**org, "region": region}}


def _place_findings(data: Mapping[str, Any], layers: Layers, name: str) -> list[Finding]:
    org = data.get("org")
    if not isinstance(org, Mapping):
        return []
    if (org.get("api_url") is None) != (org.get("login_url") is None):
        key = "api_url" if org.get("api_url") is not None else "login_url"
        return [
            layers.finding(
                "incomplete-org",
                ("org", key),
                "org needs api_url and login_url together.",
                "Add the other one.",
            )
        ]
    places = [place for place in PLACES if org.get(place) is not None]
    if len(places) == 1:
        return []
    remedy = f"Give one of region, domain, api_url with login_url, or sandbox; or set {REGION_ENV}."
    if not places:
        message = f"The environment {name} does not say where its org is."
        return [layers.finding("no-org", ("org",), message, remedy)]
    named = " and ".join(f"{place} ({layers.origin(('org', place)).file})" for place in places)
    message = f"The environment {name} says more than once where its org is: {named}."
    return [
        layers.finding(
            "ambiguous-org",
            ("org", places[-1]),
            message,
            "Keep one; an inherited one is switched off with `null`.",
        )
    ]


def _ledger_findings(data: Mapping[str, Any], layers: Layers) -> list[Finding]:
    ledger = data.get("ledger")
    if not isinstance(ledger, Mapping):
        return []
    kind = ledger.get("type", "org")
    wrong = {"org": "path", "file": "table"}.get(kind) if isinstance(kind, str) else None
    if wrong is None or ledger.get(wrong) is None:
        return []
    message = f"ledger.{wrong} has no meaning for a ledger of type {kind}."
    return [layers.finding("unused-key", ("ledger", wrong), message, "Remove it, or change the type.")]


def _variable_findings(data: Mapping[str, Any], layers: Layers) -> list[Finding]:
    variables = data.get("variables")
    if not isinstance(variables, Mapping):
        return []
    badly_named = [
        layers.finding(
            "bad-variable-name",
            ("variables", name),
            f"{name!r} cannot be the name of a variable: it is empty or has blanks around it.",
            "Give it a name as in `{{name}}`.",
        )
        for name in variables
        if not name or name != name.strip()
    ]
    return badly_named + [
        layers.finding(
            "malformed-secret",
            ("variables", *path),
            f"variables.{'.'.join(map(str, path))} is no secret; the value of a secret never stands here.",
            "Write `name: {secret: {env: NAME}}`, NAME being the environment variable that holds it.",
        )
        for path in malformed_secrets(variables)
    ]
