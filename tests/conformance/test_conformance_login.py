"""Logging in with the official SDK, and what an access token is worth."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from urllib.parse import urlsplit

import pytest
from sdk import ApiException, Client, Sdk, connect, genesys, refused


@pytest.fixture
def configuration() -> Iterator[object]:
    """The SDK's configuration, which is one for the process and is put back."""
    configuration = genesys.configuration
    host = configuration.host
    yield configuration
    configuration.host = host


@pytest.fixture
def session(running) -> Iterator[Sdk]:
    """A session whose token may be spoiled."""
    made = connect(running)
    yield made
    made.close()


def test_a_client_logs_in_after_setting_the_host_of_the_configuration(running, configuration):
    configuration.host = running.api_url

    client = Client().get_client_credentials_token(running.client_id, running.client_secret)

    assert genesys.OrganizationApi(client).get_organizations_me().name == "Conformance Org"


def test_a_client_logs_in_through_a_gateway(running):
    client, address = Client(), urlsplit(running.api_url)
    client.set_gateway(address.hostname, "http", address.port, None, None)

    client.get_client_credentials_token(running.client_id, running.client_secret)

    assert genesys.OrganizationApi(client).get_organizations_me().name == "Conformance Org"


@pytest.mark.parametrize("wrong", ["id", "secret"])
def test_a_login_with_a_wrong_id_or_secret_is_refused_in_the_form_of_login_errors(running, wrong):
    client_id = "nobody" if wrong == "id" else running.client_id

    with pytest.raises(ApiException) as caught:
        Client(host=running.api_url).get_client_credentials_token(client_id, "wrong")

    assert caught.value.status == 401
    body = json.loads(caught.value.body)
    assert body["error"] == "invalid_client"
    assert body["description"] == body["error_description"]


def test_a_token_tells_whose_it_is_and_how_long_it_lives(sdk, running):
    token = sdk.tokens.get_tokens_me()

    assert token.o_auth_client.id == running.client_id
    assert token.o_auth_client.authorized_grant_type == "CLIENT-CREDENTIALS"
    assert token.o_auth_client.state == "active"
    assert token.organization.name == token.home_organization.name == "Conformance Org"
    left = token.date_token_idles - datetime.now(UTC)
    assert 86_000 < left.total_seconds() <= 86_400
    assert sdk.tokens.head_tokens_me() is None


def test_a_revoked_token_is_worth_nothing_and_others_still_work(session, sdk):
    session.tokens.delete_tokens_me()

    assert refused(session.organization.get_organizations_me) == (401, "bad.credentials")
    assert sdk.organization.get_organizations_me().default_country_code == "DK"


def test_an_expired_token_says_so_and_a_new_login_helps(alone):
    alone.settings(token_seconds=1)
    alone.client.get_client_credentials_token(alone.running.client_id, alone.running.client_secret)
    assert alone.organization.get_organizations_me().name == "Conformance Org"
    time.sleep(1.1)

    assert refused(alone.organization.get_organizations_me) == (401, "credentials.expired")

    alone.client.get_client_credentials_token(alone.running.client_id, alone.running.client_secret)
    assert alone.organization.get_organizations_me().name == "Conformance Org"


def test_without_a_login_nothing_is_answered(running):
    organization = genesys.OrganizationApi(Client(host=running.api_url))

    assert refused(organization.get_organizations_me) == (401, "authentication.required")


def test_the_org_and_its_products_are_whole_enough_for_other_clients(sdk):
    org = sdk.organization.get_organizations_me()
    products = sdk.authorization.get_authorization_products()

    assert (org.id, org.name) == ("0b8c1d3e-5a57-4a5e-8c4f-2d7d8c6f1a10", "Conformance Org")
    assert org.default_country_code == "DK"
    assert products.total == len(products.entities)
    assert all(product.id for product in products.entities)
