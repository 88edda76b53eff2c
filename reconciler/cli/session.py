"""What every command starts from: the repository, the environment, the org and the ledger behind it."""

from __future__ import annotations

import os
import socket
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from getpass import getuser
from pathlib import Path
from typing import Any

from rich.text import Text

from reconciler.cache import Cache, cache_folder
from reconciler.cli.output import say
from reconciler.engine.workspace import Workspace
from reconciler.ledger import FileLedger, Ledger, OrgLedger
from reconciler.platform import (
    RATE_FILE,
    Connection,
    Platform,
    connection_for_region,
    gateway_from,
    is_loopback,
    proxy_from,
    tokens_of,
)
from reconciler.problems import ReconcilerError, SpecError
from reconciler.specs import (
    ArtifactCache,
    Catalog,
    Environment,
    Masker,
    SecretValues,
    WorkingTree,
    commit_state,
    load_catalog,
    load_environment,
    source_of,
)

STATE = ".reconciler"
"""Folder for plans, journals, local ledgers and the local sandbox org, below the repository root."""
UNLIMITED = 1_000_000
"""Requests a minute for a sandbox in this process, which has no limit of its own."""

ON_THIS_MACHINE: dict[str, Any] = {"poll_initial": 0.05, "settle": 2.0}
"""Seconds: how soon to look at a job again, and how long to wait for a delete, where the org is a sandbox."""


@dataclass(frozen=True)
class Connected:
    """An open connection to the environment's org."""

    platform: Platform
    ledger: Ledger
    mask: Callable[[str], str]
    """Takes secrets and credentials out of what is told: an org may repeat what it was sent."""


def repository_root(start: Path | None = None) -> Path:
    """The folder with ``environments/`` in it, from here upwards.

    Raises:
        ReconcilerError: there is none.
    """
    here = (start or Path.cwd()).resolve()
    for folder in (here, *here.parents):
        if (folder / "environments").is_dir():
            return folder
    raise ReconcilerError(
        f"{here} is not inside a repository of specs: there is no environments/ folder here or above.",
        remedy="Change into the repository.",
    )


def open_workspace(
    environment_name: str, *, offline: bool = False, release: str | None = None, tests: bool | None = False
) -> Workspace:
    """Renders and validates the specs for one environment.

    Offline, secrets need not be set; everything is rendered with placeholders. ``release`` is a Git revision to
    read the specs from instead of where the environment says. ``tests`` reads the smoke tests too; None does where
    the environment runs some after an apply.

    Raises:
        SpecError: environment or specs have errors; all of them are in it.
    """
    root = repository_root()
    environment = load_environment(WorkingTree(root), environment_name)
    if release is not None:
        environment = environment.model_copy(update={"release": release})
    source = source_of(root, environment)
    secrets = SecretValues.resolve(environment.secrets, os.environ)
    try:
        catalog = load_catalog(
            source,
            environment,
            secret_env=None if offline else os.environ,
            cache=ArtifactCache(),
            tests=environment.smoke.after_apply != "off" if tests is None else tests,
        )
    except SpecError as error:
        if environment.release is not None:
            error.message += f" The specs are those of the release {environment.release}, not of the working tree."
        raise
    return Workspace(
        root=root,
        environment=environment,
        catalog=catalog,
        commit=commit_state(root, environment.release),
        secrets=secrets,
        cache=Cache("org"),
    )


def open_without_specs(environment_name: str) -> Workspace:
    """As ``open_workspace``, for what goes by the ledger and by Git alone: the specs of today may be broken.

    Raises:
        SpecError: the environment file has errors.
    """
    root = repository_root()
    environment = load_environment(WorkingTree(root), environment_name)
    return Workspace(
        root=root,
        environment=environment,
        catalog=Catalog({}, "", ()),
        commit=commit_state(root).clean(),
        secrets=SecretValues.resolve(environment.secrets, os.environ),
        cache=Cache("org"),
    )


@asynccontextmanager
async def connect(workspace: Workspace) -> AsyncIterator[Connected]:
    """Opens the environment's org; a sandbox org is started for as long as the block runs.

    What the org says may repeat what it was sent, so errors leave the block without secrets.
    """
    with _connection(workspace) as connection:
        mask = mask_of(workspace, connection)
        try:
            async with Platform(connection, notice=lambda text: _notice(mask(text))) as platform:
                yield Connected(platform, _ledger(workspace, platform), mask)
        except ReconcilerError as error:
            hide_secrets(error, mask)
            raise


def mask_of(workspace: Workspace, connection: Connection) -> Callable[[str], str]:
    """What takes secrets and credentials out of a text."""
    mask = Masker(workspace.secrets).mask
    credentials = [secret for secret in (connection.client_secret, connection.access_token) if secret]

    def hidden(text: str) -> str:
        text = mask(text)
        for secret in credentials:
            text = text.replace(secret, "(secret)")
        return text

    return hidden


def hide_secrets(error: ReconcilerError, hidden: Callable[[str], str]) -> None:
    """Takes secrets and credentials out of all that an error says."""
    error.message = hidden(error.message)
    error.remedy = hidden(error.remedy) if error.remedy else None
    error.findings = tuple(
        finding.model_copy(
            update={"message": hidden(finding.message), "remedy": hidden(finding.remedy) if finding.remedy else None}
        )
        for finding in error.findings
    )


def _notice(text: str) -> None:
    say([Text(text, style="dim")])


@contextmanager
def _connection(workspace: Workspace) -> Iterator[Connection]:
    org = workspace.environment.org
    if org.sandbox is None:
        yield _remote_connection(workspace.environment)
        return
    # A real org needs no web server in this process.
    from reconciler.sandbox import embedded
    from reconciler.sandbox.store import StoreError

    data = workspace.root / (org.sandbox.data or f"{STATE}/{workspace.environment.name}-org.sqlite")
    try:
        data.parent.mkdir(parents=True, exist_ok=True)
        running = embedded.start(
            data,
            seed=workspace.root / org.sandbox.seed if org.sandbox.seed else None,
            missing_references=org.sandbox.missing_references,
            faults=workspace.root / org.sandbox.faults if org.sandbox.faults else None,
        )
    except (StoreError, OSError, sqlite3.Error) as error:
        raise ReconcilerError(
            f"The sandbox org could not be started: {error}",
            remedy=f"Check that you may write {data.relative_to(workspace.root)}; "
            "to begin with a fresh org, move it away.",
        ) from None
    try:
        yield Connection(
            api_url=running.api_url,
            login_url=running.login_url,
            client_id=running.client_id,
            client_secret=running.client_secret,
            requests_per_minute=org.requests_per_minute or UNLIMITED,
            **ON_THIS_MACHINE,
        )
    finally:
        running.stop()


def _remote_connection(environment: Environment) -> Connection:
    org = environment.org
    credentials = environment.credentials.resolve(os.environ)
    options: dict[str, Any] = {
        "client_id": credentials.client_id or "",
        "client_secret": credentials.client_secret or "",
        "access_token": credentials.access_token,
        "tokens": tokens_of(os.environ),
        "rate_log": cache_folder() / RATE_FILE,
        "proxy": proxy_from(os.environ),
    }
    if org.requests_per_minute:
        options["requests_per_minute"] = org.requests_per_minute
    if org.api_url is not None and org.login_url is not None:
        patience = ON_THIS_MACHINE if is_loopback(org.api_url) else {}
        return Connection(api_url=org.api_url, login_url=org.login_url, **options, **patience)
    gateway = gateway_from(os.environ)
    if gateway is not None:
        return Connection(api_url=gateway[0], login_url=gateway[1], **options)
    return connection_for_region(org.region or org.domain or "", **options)


def _ledger(workspace: Workspace, platform: Platform) -> Ledger:
    settings = workspace.environment.ledger
    name = workspace.environment.name
    if settings.type == "file":
        return FileLedger(workspace.root / (settings.path or f"{STATE}/ledger/{name}.json"))
    return OrgLedger(platform, settings.table or f"Reconciler ledger {name}", workspace.cache)


def holder(environ: Mapping[str, str] | None = None) -> str:
    """Who runs this, for people to read: a pipeline run where there is one, else user and machine."""
    values = os.environ if environ is None else environ
    if values.get("GITHUB_RUN_ID"):
        return f"{values.get('GITHUB_ACTOR', 'GitHub')} (GitHub run {values['GITHUB_RUN_ID']})"
    if values.get("GITLAB_CI"):
        return f"{values.get('GITLAB_USER_LOGIN', 'GitLab')} (GitLab job {values.get('CI_JOB_ID', '?')})"
    try:
        user = getuser()
    except (KeyError, OSError):
        user = "somebody"
    return f"{user}@{socket.gethostname()}"
