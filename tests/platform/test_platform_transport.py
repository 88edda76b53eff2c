"""Who may be talked to, and by which way: TLS, CA bundles, proxies and this machine, over real sockets."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import servers
import trustme
from platform_support import SECRET, Org, ok

from reconciler.platform import (
    Connection,
    HostUnreachable,
    Platform,
    PlatformError,
    ProxyRefused,
    UnsafeAddress,
    UntrustedHost,
)
from reconciler.platform.connection import is_loopback
from reconciler.platform.proxies import Proxy, proxy_of, usual_proxy

FAR = "https://api.example.test"
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")
BUNDLES = ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


@pytest.fixture(autouse=True)
def _bare(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*PROXIES, *BUNDLES):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def bundle(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("ca") / "company.pem"
    authority.cert_pem.write_to_path(str(path))
    return path


def served_by(issued: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    issued.configure_cert(context)
    return context


@pytest.fixture
def tls_org(authority: trustme.CA) -> Iterator[servers.Served]:
    names = ("127.0.0.1", "localhost", "api.example.test")
    with servers.org(tls=served_by(authority.issue_cert(*names))) as served:
        yield served


async def _no_pause(seconds: float) -> None:
    await asyncio.sleep(0)


def organization(url: str, **options: Any) -> str:
    """Logs in and asks for the org's name."""

    async def work() -> str:
        given = {"client_id": "client", "client_secret": SECRET, "deadline": 0.0} | options
        async with Platform(Connection(url, url, **given), sleep=_no_pause) as platform:
            return (await platform.organization()).name

    return asyncio.run(work())


class TestCertificates:
    @pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
    def test_a_company_ca_is_trusted_by_the_usual_variables(
        self, variable: str, tls_org: servers.Served, bundle: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv(variable, str(bundle))
        assert organization(f"https://localhost:{tls_org.port}") == "Nordlys"

    def test_an_unknown_ca_is_refused_at_once_with_the_way_out(self, tls_org: servers.Served) -> None:
        with pytest.raises(UntrustedHost) as caught:
            organization(f"https://localhost:{tls_org.port}", deadline=60.0)
        assert f"localhost:{tls_org.port}" in str(caught.value)
        assert "SSL_CERT_FILE" in str(caught.value.remedy)
        assert caught.value.attempts == 1
        assert tls_org.seen == []

    def test_a_certificate_for_another_name_is_refused(
        self, authority: trustme.CA, bundle: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("SSL_CERT_FILE", str(bundle))
        with (
            servers.org(tls=served_by(authority.issue_cert("elsewhere.example.test"))) as served,
            pytest.raises(UntrustedHost, match=r"localhost.*SSL_CERT_FILE"),
        ):
            organization(f"https://localhost:{served.port}")
        assert served.seen == []

    def test_another_ca_than_the_named_one_is_refused(
        self, tls_org: servers.Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        other = tmp_path / "other.pem"
        trustme.CA().cert_pem.write_to_path(str(other))
        monkeypatch.setenv("SSL_CERT_FILE", str(other))
        with pytest.raises(UntrustedHost):
            organization(f"https://localhost:{tls_org.port}")

    @pytest.mark.parametrize("content", [None, b"", b"no certificate"])
    def test_a_bundle_that_cannot_be_read_is_told_with_its_variable(
        self, content: bytes | None, tls_org: servers.Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = tmp_path / "bundle.pem"
        if content is not None:
            path.write_bytes(content)
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(path))
        with pytest.raises(PlatformError, match=r"REQUESTS_CA_BUNDLE names .*bundle\.pem"):
            organization(f"https://localhost:{tls_org.port}")

    def test_a_host_without_tls_is_told_at_once(self) -> None:
        with servers.org() as served, pytest.raises(UntrustedHost, match="does not speak TLS") as caught:
            organization(f"https://localhost:{served.port}", deadline=60.0)
        assert caught.value.attempts == 1


class TestProxies:
    @pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
    def test_other_machines_are_reached_through_the_usual_proxy(
        self, variable: str, tls_org: servers.Served, bundle: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("SSL_CERT_FILE", str(bundle))
        with servers.proxy(tls_org.port) as way:
            monkeypatch.setenv(variable, f"http://127.0.0.1:{way.port}")
            assert organization(FAR) == "Nordlys"
        assert way.seen[0] == "CONNECT api.example.test:443"
        assert tls_org.seen == ["POST /oauth/token", "GET /api/v2/organizations/me"]

    def test_user_and_password_may_stand_in_the_address(
        self, tls_org: servers.Served, bundle: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("SSL_CERT_FILE", str(bundle))
        with servers.proxy(tls_org.port, login="Basic bWV0dGU6cEBzcw==") as way:
            monkeypatch.setenv("HTTPS_PROXY", f"http://mette:p%40ss@127.0.0.1:{way.port}")
            assert organization(FAR) == "Nordlys"

    def test_the_environments_own_proxy_wins(
        self, tls_org: servers.Served, bundle: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("SSL_CERT_FILE", str(bundle))
        monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
        with servers.proxy(tls_org.port, login="Basic bWV0dGU6cEBzcw==") as way:
            chosen = Proxy(f"http://127.0.0.1:{way.port}", "GENESYSCLOUD_PROXY_HOST", "mette", "p@ss")
            assert organization(FAR, proxy=chosen) == "Nordlys"

    def test_a_proxy_that_wants_a_password_is_told_at_once_without_showing_one(
        self, tls_org: servers.Served, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with servers.proxy(tls_org.port, login="Basic xyz") as way:
            monkeypatch.setenv("HTTPS_PROXY", f"http://mette:wrong-pass@127.0.0.1:{way.port}")
            with pytest.raises(ProxyRefused, match="asks for a user name and password") as caught:
                organization(FAR, deadline=60.0)
        assert len(way.seen) == 1
        assert f"http://127.0.0.1:{way.port} (HTTPS_PROXY)" in str(caught.value)
        assert "wrong-pass" not in f"{caught.value} {caught.value.remedy} {vars(caught.value)}"

    def test_a_proxy_that_forbids_the_host_is_told_at_once(
        self, tls_org: servers.Served, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with servers.proxy(tls_org.port, status=403) as way:
            monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{way.port}")
            with pytest.raises(ProxyRefused, match="does not let us through"):
                organization(FAR, deadline=60.0)
        assert len(way.seen) == 1

    def test_a_proxy_that_cannot_reach_the_host_is_asked_again(
        self, tls_org: servers.Served, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with servers.proxy(tls_org.port, status=502) as way:
            monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{way.port}")

            async def work() -> None:
                pauses = iter(range(3))

                async def sleep(seconds: float) -> None:
                    next(pauses)

                async with Platform(Connection(FAR, FAR, "client", SECRET), sleep=sleep) as platform:
                    await platform.organization()

            with pytest.raises(RuntimeError):  # the fourth pause; StopIteration inside a coroutine
                asyncio.run(work())
        assert len(way.seen) == 4

    def test_a_proxy_that_is_not_there_is_named(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HTTPS_PROXY", "mette:secret-pass@127.0.0.1:1")
        with pytest.raises(HostUnreachable, match=r"through the proxy http://127\.0\.0\.1:1 \(") as caught:
            organization(FAR)
        assert "secret-pass" not in f"{caught.value} {vars(caught.value)}"

    @pytest.mark.parametrize("scheme", ["http", "https"])
    def test_this_machine_is_never_reached_through_a_proxy(
        self, scheme: str, authority: trustme.CA, bundle: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("SSL_CERT_FILE", str(bundle))
        tls = served_by(authority.issue_cert("localhost")) if scheme == "https" else None
        with servers.org(tls=tls) as served, servers.proxy(served.port) as way:
            for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
                monkeypatch.setenv(name, f"http://127.0.0.1:{way.port}")
            chosen = Proxy(f"http://127.0.0.1:{way.port}", "GENESYSCLOUD_PROXY_HOST")
            assert organization(f"{scheme}://localhost:{served.port}") == "Nordlys"
            assert organization(f"{scheme}://localhost:{served.port}", proxy=chosen) == "Nordlys"
        assert way.seen == []

    @pytest.mark.parametrize(
        "excepted", ["example.test", ".example.test", "api.example.test", "*", "a.b,api.example.test:443"]
    )
    def test_no_proxy_excepts_hosts(self, excepted: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example.test:3128")
        assert usual_proxy("api.example.test:443") is not None
        monkeypatch.setenv("NO_PROXY", excepted)
        assert usual_proxy("api.example.test:443") is None

    @pytest.mark.parametrize("url", ["socks5://u:secret-pass@p:1", "ftp://u:secret-pass@p", "http://u:secret-pass@p:x"])
    def test_what_is_no_http_proxy_is_told_without_its_password(
        self, url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("ALL_PROXY", url)
        with pytest.raises(PlatformError, match="The proxy of ALL_PROXY is") as caught:
            organization(FAR)
        assert "secret-pass" not in f"{caught.value} {caught.value.remedy}"

    def test_a_proxy_does_not_show_its_login(self) -> None:
        shown = proxy_of("http://mette:secret-pass@proxy:3128", "HTTPS_PROXY")
        assert "secret-pass" not in f"{shown} {shown!r}"
        assert (shown.url, shown.username, shown.password) == ("http://proxy:3128", "mette", "secret-pass")


class TestAddresses:
    @pytest.mark.parametrize(
        "url",
        [
            "http://localhost.evil.test",
            "http://127.0.0.1.evil.test",
            "http://127.0.0.1@evil.test",
            "http://127.0.0.1\\@evil.test",
            "http://evil.test\\@127.0.0.1",
            "http://evil.test#@127.0.0.1",
            "http://user:pass@127.0.0.1",
            "https://user:pass@api.example.test",
            "http://0.0.0.0",
            "http://2130706433",
            "http://127.1",
            "http://0x7f.1",
            "http://127.0.0.%31",
            "http://[::]",
            "http://[fe80::1]",
            "http://10.0.0.1",
            "http://169.254.169.254",
            "http://localhost.",
            "HTTP://API.EXAMPLE.TEST",
            "//127.0.0.1",
            "file:///etc/passwd",
            "https://",
            "http://127.0.0.1\r\n.evil.test",
        ],
    )
    def test_what_only_looks_like_this_machine_is_refused(self, url: str) -> None:
        with pytest.raises(UnsafeAddress) as caught:
            Platform(Connection(url, url))
        assert "user:pass" not in str(caught.value)

    @pytest.mark.parametrize("url", ["http://LOCALHOST:1", "http://127.0.0.2", "http://[::1]:1", "http://127.0.0.1"])
    def test_this_machine_is_known_by_its_own_names(self, url: str) -> None:
        assert is_loopback(url)
        Platform(Connection(url, url))

    @pytest.mark.parametrize(
        "url", ["http://127.0.0.1:8080/up", "http://files.example.test/up", "/up", "https://u:p@f.test/up"]
    )
    def test_an_org_elsewhere_cannot_name_this_machine_or_plain_http_for_transfers(self, url: str) -> None:
        org = Org().on("POST /api/v2/flows/jobs", ok({"id": "j", "presignedUrl": url, "headers": {}}))
        with pytest.raises(UnsafeAddress):
            org.run(lambda platform: platform.flows.deploy(b"x"))
        assert all(request.method == "POST" for request in org.seen)

    @pytest.mark.parametrize("status", [301, 302, 307, 308])
    def test_redirects_are_not_followed(self, status: int) -> None:
        with servers.org() as far:
            elsewhere = f"http://127.0.0.1:{far.port}/api/v2/organizations/me"
            with (
                servers.org(answer=lambda path: (status, {"Location": elsewhere})) as served,
                pytest.raises(PlatformError, match=f"leads elsewhere, HTTP {status}"),
            ):
                organization(f"http://127.0.0.1:{served.port}")
            assert far.seen == []
