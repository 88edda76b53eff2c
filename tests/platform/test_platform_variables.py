"""The Terraform provider's environment variables, with its meaning of them."""

from __future__ import annotations

import pytest

from reconciler.platform import gateway_from, proxy_from, tokens_of
from reconciler.problems import ReconcilerError

GATEWAY = {"GENESYSCLOUD_GATEWAY_HOST": "gate.example.test"}
PROXY = {"GENESYSCLOUD_PROXY_HOST": "proxy.example.test"}


@pytest.mark.parametrize(("given", "tokens"), [(None, 1), ("", 1), ("1", 1), (" 10 ", 10), ("50", 50)])
def test_the_pool_has_one_token_unless_more_are_asked_for(given: str | None, tokens: int) -> None:
    assert tokens_of({} if given is None else {"GENESYSCLOUD_TOKEN_POOL_SIZE": given}) == tokens


@pytest.mark.parametrize("given", ["0", "51", "-1", "ten", "1.5", "1e1", "٣", "9" * 5000])
def test_a_pool_of_another_size_is_refused_and_says_the_range(given: str) -> None:
    with pytest.raises(ReconcilerError, match=r"GENESYSCLOUD_TOKEN_POOL_SIZE.* from 1 to 50"):
        tokens_of({"GENESYSCLOUD_TOKEN_POOL_SIZE": given})


def test_a_proxy_needs_a_host_alone() -> None:
    assert proxy_from({"GENESYSCLOUD_PROXY_PORT": "3128"}) is None
    assert str(proxy_from(PROXY)) == "the proxy http://proxy.example.test (GENESYSCLOUD_PROXY_HOST)"


def test_a_proxy_has_port_protocol_user_and_password() -> None:
    proxy = proxy_from(
        PROXY
        | {
            "GENESYSCLOUD_PROXY_PORT": "3128",
            "GENESYSCLOUD_PROXY_PROTOCOL": "HTTPS",
            "GENESYSCLOUD_PROXY_AUTH_USERNAME": "mette",
            "GENESYSCLOUD_PROXY_AUTH_PASSWORD": "p@:/ss",
        }
    )
    assert proxy is not None
    assert (proxy.url, proxy.username, proxy.password) == ("https://proxy.example.test:3128", "mette", "p@:/ss")


@pytest.mark.parametrize(
    "wrong", [{"PORT": "0"}, {"PORT": "99999"}, {"PORT": "x"}, {"PROTOCOL": "socks5"}, {"HOST": "u:secret@proxy"}]
)
def test_what_makes_no_address_is_refused(wrong: dict[str, str]) -> None:
    for prefix, base, read in (("PROXY", PROXY, proxy_from), ("GATEWAY", GATEWAY, gateway_from)):
        given = base | {f"GENESYSCLOUD_{prefix}_{name}": value for name, value in wrong.items()}
        with pytest.raises(ReconcilerError, match=f"GENESYSCLOUD_{prefix}_HOST") as caught:
            read(given)
        assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("more", "addresses"),
    [
        ({}, ("https://gate.example.test", "https://gate.example.test")),
        ({"PORT": "8443"}, ("https://gate.example.test:8443", "https://gate.example.test:8443")),
        ({"PORT": "443"}, ("https://gate.example.test", "https://gate.example.test")),
        ({"PATH_NAME": "api", "PATH_VALUE": "/cc"}, ("https://gate.example.test/cc", "https://gate.example.test")),
        ({"PATH_NAME": "login", "PATH_VALUE": "in"}, ("https://gate.example.test", "https://gate.example.test/in")),
    ],
)
def test_a_gateway_stands_for_api_and_login(more: dict[str, str], addresses: tuple[str, str]) -> None:
    given = GATEWAY | {f"GENESYSCLOUD_GATEWAY_{name}": value for name, value in more.items()}
    assert gateway_from(given) == addresses


@pytest.mark.parametrize("wrong", [{"PATH_NAME": "ui"}, {"AUTH_USERNAME": "u"}, {"AUTH_PASSWORD": "p"}])
def test_what_a_gateway_cannot_have_is_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(ReconcilerError):
        gateway_from(GATEWAY | {f"GENESYSCLOUD_GATEWAY_{name}": value for name, value in wrong.items()})
