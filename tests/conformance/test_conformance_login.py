"""Logging in with the official SDK, and what an access token is worth."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from sdk import Client, genesys


@pytest.fixture
def configuration() -> Iterator[object]:
    """The SDK's configuration, which is one for the process and is put back."""
    configuration = genesys.configuration
    host = configuration.host
    yield configuration
    configuration.host = host


def test_a_client_logs_in_after_setting_the_host_of_the_configuration(running, configuration):
    configuration.host = running.api_url

    client = Client().get_client_credentials_token(running.client_id, running.client_secret)

    assert genesys.OrganizationApi(client).get_organizations_me().name == "Conformance Org"


def test_a_client_logs_in_through_a_gateway(running):
    client, address = Client(), urlsplit(running.api_url)
    client.set_gateway(address.hostname, "http", address.port, None, None)

    client.get_client_credentials_token(running.client_id, running.client_secret)

    assert genesys.OrganizationApi(client).get_organizations_me().name == "Conformance Org"
