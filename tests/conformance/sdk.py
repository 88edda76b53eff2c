"""The official Python SDK (``PureCloudPlatformClientV2``), unmodified, as a client of a sandbox org.

The SDK keeps one configuration for the whole process and reads it from the home directory of whoever runs
it; here it is read from a directory of our own, which only tells it not to watch that file for changes.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest

from reconciler.sandbox.embedded import Running


def _load() -> ModuleType:
    with tempfile.TemporaryDirectory(prefix="sdk-home-") as home, pytest.MonkeyPatch.context() as patched:
        settings = Path(home) / ".genesyscloudpython" / "config"
        settings.parent.mkdir()
        settings.write_text("[general]\nlive_reload_config = false\n", encoding="utf-8")
        patched.setenv("HOME", home)
        import PureCloudPlatformClientV2
    return PureCloudPlatformClientV2


genesys = _load()
"""The SDK's package: ``genesys.ArchitectApi``, ``genesys.models.…`` and so on."""
ApiException = genesys.rest.ApiException

EXERCISED: set[str] = set()
"""``METHOD /path/{template}`` of every operation of the SDK that was called in this process."""


class Client(genesys.ApiClient):
    """The SDK's client; notes which operations are called and changes nothing."""

    def call_api(self, resource_path: str, method: str, *arguments: Any, **named: Any) -> Any:
        """As the SDK's; every generated operation comes through here."""
        EXERCISED.add(f"{method} {resource_path}")
        return super().call_api(resource_path, method, *arguments, **named)


class Sdk:
    """One OAuth client's session with a sandbox org; any API of the SDK by its name."""

    def __init__(self, running: Running, client: Client, client_id: str) -> None:
        self.running = running
        self.client_id = client_id
        self.client = client
        self.architect = genesys.ArchitectApi(client)
        self.routing = genesys.RoutingApi(client)
        self.authorization = genesys.AuthorizationApi(client)
        self.edges = genesys.TelephonyProvidersEdgeApi(client)
        self.tokens = genesys.TokensApi(client)
        self.organization = genesys.OrganizationApi(client)
        self.admin = httpx.Client(base_url=running.api_url, timeout=30, verify=False)  # No certificates to load.
        """For what is no part of the platform: settings and faults of the sandbox, and presigned addresses."""

    def close(self) -> None:
        """Ends the connections."""
        self.admin.close()
        self.client.get_http_client().rest_client.pool_manager.clear()

    def settings(self, **values: Any) -> None:
        """Sets how the org behaves (``reconciler.sandbox.settings``)."""
        self.admin.put("/sandbox/settings", json=values).raise_for_status()

    def follow(self, uri: str, listing: str) -> Any:
        """The page at an address that another page gave, as a model of the SDK."""
        # Past the count of operations: an address is none.
        return genesys.ApiClient.call_api(
            self.client, uri, "GET", response_type=listing, auth_settings=["PureCloud OAuth"]
        )

    def get(self, path: str, **query: Any) -> Any:
        """The raw body of a GET below /api/v2, for what the SDK's models leave out."""
        headers = {"Authorization": f"Bearer {self.client.access_token}"}
        answer = self.admin.get(f"/api/v2{path}", params=query, headers=headers)
        return answer.raise_for_status().json()

    def upload(self, yaml: str, *, create_stubs: bool | None = None) -> str:
        """Registers a deploy job, uploads a flow as the job demands; returns the job's id."""
        # The body is required by the SDK's operation, and may be empty.
        job = self.architect.post_flows_jobs(body={} if create_stubs is None else {"createStubs": create_stubs})
        uploaded = self.admin.put(job.presigned_url, headers=job.headers, content=yaml.encode())
        assert uploaded.status_code == 200, uploaded.text
        return str(job.id)

    def deploy(self, yaml: str, *, create_stubs: bool | None = None) -> Any:
        """The final state of a deploy job (SDK ``ArchitectJobStateResponse``)."""
        return self.architect.get_flows_job(self.upload(yaml, create_stubs=create_stubs), expand=["messages"])

    def publish(self, yaml: str) -> str:
        """Publishes a flow with a deploy job; returns the flow's id."""
        state = self.deploy(yaml)
        assert state.status == "Success", state.messages
        return str(state.flow.id)


def connect(running: Running, client_id: str | None = None, client_secret: str | None = None) -> Sdk:
    """A session with a fresh token, by default as the org's first OAuth client."""
    client, client_id = Client(host=running.api_url), client_id or running.client_id
    client.get_client_credentials_token(client_id, client_secret or running.client_secret)
    return Sdk(running, client, client_id)


def another(sdk: Sdk, **what: str) -> Sdk:
    """A session of a second OAuth client of the same org; with ``user=`` it acts as that person."""
    made = sdk.admin.post("/sandbox/clients", json=what).raise_for_status().json()
    return connect(sdk.running, made["client_id"], made["client_secret"])


def refused(operation: Callable[..., Any], *arguments: Any, **named: Any) -> tuple[int, str]:
    """Status and ``code`` of the ``ApiException`` that an operation must raise, its envelope checked whole."""
    with pytest.raises(ApiException) as caught:
        operation(*arguments, **named)
    error = caught.value
    envelope = json.loads(error.body)
    assert envelope["status"] == error.status
    assert envelope["message"]
    assert envelope["contextId"] == error.headers["ININ-Correlation-Id"]
    assert isinstance(envelope["details"], list)
    assert isinstance(envelope["errors"], list)
    return error.status, envelope["code"]
