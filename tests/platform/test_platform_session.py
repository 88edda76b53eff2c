"""Token, rate, retries and bounds: what every request goes through."""

import base64
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest
from platform_support import API, SECRET, Org, ok, problem

from reconciler.platform import (
    REGIONS,
    AuthenticationFailed,
    Connection,
    HostUnreachable,
    MalformedResponse,
    Organization,
    Platform,
    PlatformError,
    RateLimited,
    RequestTimedOut,
    ServerError,
    UnsafeAddress,
    bodies,
    connection_for_region,
)
from reconciler.problems import ReconcilerError

ME = "GET /api/v2/organizations/me"
TABLES = "POST /api/v2/flows/datatables"
ORG = {"id": "org-1", "name": "Nordlys", "features": {"x": True}, "defaultLanguage": None}


def organization(platform: Platform) -> Awaitable[Organization]:
    return platform.organization()


def create_table(platform: Platform) -> Awaitable[object]:
    return platform.data_tables.create("Ledger", "", {})


def failure(org: Org, work: Callable[[Platform], Awaitable[object]] = organization, **options: object) -> PlatformError:
    with pytest.raises(PlatformError) as caught:
        org.run(work, **options)
    return caught.value


class TestLogin:
    def test_it_is_a_client_credentials_grant_and_happens_once(self) -> None:
        org = Org().on(ME, ok(ORG)).on("GET /api/v2/flows/f1", ok({"id": "f1", "name": "Sales", "type": "INBOUNDCALL"}))

        async def work(platform: Platform) -> tuple[int, int]:
            assert (await platform.organization()).name == "Nordlys"
            await platform.organization()
            await platform.flows.get("f1")
            return platform.logins, platform.requests

        assert org.run(work) == (1, 2)
        login = org.requests("POST /oauth/token")[0]
        assert login.content == b"grant_type=client_credentials"
        assert login.headers["Authorization"] == "Basic " + base64.b64encode(f"client:{SECRET}".encode()).decode()
        assert login.headers["Content-Type"] == "application/x-www-form-urlencoded"
        assert [request.headers["Authorization"] for request in org.requests(ME)] == ["Bearer token-1"]

    def test_the_token_is_renewed_before_it_expires(self) -> None:
        org = Org().on("GET /api/v2/flows/f1", ok({"id": "f1", "name": "S", "type": "WORKFLOW"}))
        org.on(
            "POST /oauth/token",
            ok({"access_token": "one", "expires_in": 300}),
            ok({"access_token": "two", "expires_in": 300}),
        )

        async def work(platform: Platform) -> None:
            await platform.flows.get("f1")
            org.time.now += 239
            await platform.flows.get("f1")
            org.time.now += 2
            await platform.flows.get("f1")

        org.run(work)
        sent = [request.headers["Authorization"] for request in org.requests("GET /api/v2/flows/f1")]
        assert sent == ["Bearer one", "Bearer one", "Bearer two"]

    def test_a_refused_token_is_replaced_once(self) -> None:
        org = Org().on(ME, problem(401, "credentials.expired"), ok(ORG))
        org.on("POST /oauth/token", ok({"access_token": "one"}), ok({"access_token": "two"}))
        assert org.run(organization).id == "org-1"
        assert [request.headers["Authorization"] for request in org.requests(ME)] == ["Bearer one", "Bearer two"]

    def test_a_token_that_stays_refused_is_an_error(self) -> None:
        org = Org().on(ME, problem(401, "bad.credentials", "Invalid login credentials."))
        error = failure(org)
        assert isinstance(error, AuthenticationFailed)
        assert len(org.requests(ME)) == 2

    def test_concurrent_requests_log_in_once_after_a_refusal(self) -> None:
        def answer(request: httpx.Request) -> httpx.Response:
            fresh = request.headers["Authorization"] == "Bearer two"
            return ok({"id": "x", "name": "S", "type": "WORKFLOW"}) if fresh else problem(401, "credentials.expired")

        org = Org().on("POST /oauth/token", ok({"access_token": "one"}), ok({"access_token": "two"}))
        for number in range(5):
            org.on(f"GET /api/v2/flows/{number}", answer)

        async def work(platform: Platform) -> int:
            from reconciler.platform.paging import side_by_side

            await side_by_side(platform.flows.get, [str(number) for number in range(5)], at_once=5)
            return platform.logins

        assert org.run(work) == 2

    def test_an_access_token_wins_over_credentials(self) -> None:
        org = Org().on(ME, ok(ORG))
        org.run(organization, access_token="given")
        assert org.requests("POST /oauth/token") == []
        assert org.requests(ME)[0].headers["Authorization"] == "Bearer given"

    def test_a_refused_access_token_says_which_variable_to_set(self) -> None:
        error = failure(Org().on(ME, problem(401, "credentials.expired")), access_token="given-token")
        assert isinstance(error, AuthenticationFailed)
        assert "GENESYSCLOUD_ACCESS_TOKEN" in str(error.remedy)
        assert "given-token" not in str(error)

    def test_a_wrong_secret_fails_at_once(self) -> None:
        refusal = ok({"error": "invalid_client", "description": "client authentication failed"}, status=400)
        org = Org().on("POST /oauth/token", refusal)
        error = failure(org)
        assert isinstance(error, AuthenticationFailed)
        assert "client authentication failed" in str(error)
        assert len(org.seen) == 1

    def test_a_throttled_login_is_retried_for_a_minute(self) -> None:
        throttled = ok({"error": "invalid_request", "description": "rate limit exceeded; try later"}, status=400)
        org = Org().on("POST /oauth/token", throttled, throttled, ok({"access_token": "one"})).on(ME, ok(ORG))
        assert org.run(organization).id == "org-1"
        org = Org().on("POST /oauth/token", throttled)
        error = failure(org)
        assert isinstance(error, RateLimited)
        assert "login.example.test takes no more logins" in str(error)
        assert error.attempts == len(org.seen) > 3
        assert org.time.now - 1000 <= 60

    def test_a_login_without_a_token_is_malformed(self) -> None:
        assert isinstance(failure(Org().on("POST /oauth/token", ok({}))), MalformedResponse)


class TestRate:
    def test_retry_after_is_waited_for(self) -> None:
        org = Org().on(ME, problem(429, "too.many.requests.retry.after", headers={"Retry-After": "42"}), ok(ORG))
        org.run(organization)
        assert 42 <= org.time.now - 1000 < 45

    def test_architects_own_header_is_waited_for(self) -> None:
        org = Org().on(ME, problem(429, headers={"inin-ratelimit-reset": "7"}), ok(ORG))
        org.run(organization)
        assert 8 <= org.time.now - 1000 < 10

    def test_retry_after_may_be_a_date(self) -> None:
        moment = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
        org = Org().on(ME, problem(429, headers={"Retry-After": moment}), ok(ORG))
        org.run(organization)
        assert 27 <= org.time.now - 1000 <= 31

    def test_a_pause_holds_the_other_requests_too(self) -> None:
        sent: dict[str, float] = {}
        org = Org()

        def later(request: httpx.Request) -> httpx.Response:
            sent[request.url.path] = org.time.now
            return ok({"id": "b", "name": "B", "type": "WORKFLOW"})

        org.on("GET /api/v2/flows/a", problem(429, headers={"Retry-After": "20"}), later)
        org.on("GET /api/v2/flows/b", later)

        async def work(platform: Platform) -> None:
            with pytest.raises(RateLimited):
                await platform.flows.get("a")
            await platform.flows.get("b")

        org.run(work, deadline=19.0)
        assert sent["/api/v2/flows/b"] >= 1019

    def test_a_wait_beyond_the_deadline_is_not_begun(self) -> None:
        org = Org().on(ME, problem(429, headers={"Retry-After": "3600"}))
        error = failure(org)
        assert isinstance(error, RateLimited)
        assert error.retry_after == 3600
        assert org.time.slept == []

    def test_an_org_that_asks_for_no_wait_is_not_flooded(self) -> None:
        org = Org().on(ME, problem(429, headers={"Retry-After": "0"}))
        assert isinstance(failure(org, deadline=60.0), RateLimited)
        assert len(org.requests(ME)) < 40

    def test_a_post_is_repeated_after_429_because_it_was_not_carried_out(self) -> None:
        org = Org().on(TABLES, problem(429, headers={"Retry-After": "1"}), ok({"id": "t", "name": "Ledger"}))
        org.run(create_table)
        assert len(org.requests(TABLES)) == 2

    def test_requests_keep_below_the_limit_and_logins_do_not_count(self) -> None:
        org = Org().on("GET /api/v2/flows/f", ok({"id": "f", "name": "F", "type": "WORKFLOW"}))

        async def work(platform: Platform) -> None:
            for _ in range(6):
                await platform.flows.get("f")

        org.run(work, requests_per_minute=5)
        assert 60 <= org.time.now - 1000 < 61


class TestRetries:
    @pytest.mark.parametrize("status", [500, 502, 503, 504])
    def test_a_failing_org_is_asked_again(self, status: int) -> None:
        org = Org().on(ME, problem(status), problem(status), ok(ORG))
        assert org.run(organization).id == "org-1"
        assert len(org.requests(ME)) == 3

    def test_retries_end_at_the_deadline(self) -> None:
        org = Org().on(ME, problem(503, "service.unavailable", "down"))
        error = failure(org, deadline=120.0)
        assert isinstance(error, ServerError)
        assert error.attempts == len(org.requests(ME)) > 3
        assert f"Tried {error.attempts} times." in str(error)
        assert org.time.now - 1000 <= 120

    def test_not_implemented_is_not_retried(self) -> None:
        org = Org().on(ME, problem(501))
        assert isinstance(failure(org), ServerError)
        assert len(org.requests(ME)) == 1

    @pytest.mark.parametrize(
        "failing",
        [
            problem(500),
            problem(503),
            httpx.ReadError("reset"),
            httpx.ReadTimeout("slow"),
            httpx.RemoteProtocolError("cut"),
        ],
    )
    def test_a_post_that_may_have_arrived_is_not_repeated(self, failing: httpx.Response | Exception) -> None:
        org = Org().on(TABLES, failing)
        error = failure(org, create_table)
        assert isinstance(error, ServerError | HostUnreachable | RequestTimedOut)
        assert len(org.requests(TABLES)) == 1

    @pytest.mark.parametrize(
        "failing",
        [
            httpx.ConnectError("refused"),
            httpx.ConnectTimeout("slow"),
            problem(503, headers={"Retry-After": "2"}),
        ],
    )
    def test_a_post_that_was_surely_not_carried_out_is_repeated(self, failing: httpx.Response | Exception) -> None:
        org = Org().on(TABLES, failing, ok({"id": "t", "name": "Ledger"}))
        org.run(create_table)
        assert len(org.requests(TABLES)) == 2

    @pytest.mark.parametrize("failing", [httpx.ReadError("x"), httpx.ReadTimeout("x"), httpx.RemoteProtocolError("x")])
    def test_a_get_is_repeated_when_the_connection_breaks(self, failing: Exception) -> None:
        org = Org().on(ME, failing, ok(ORG))
        assert org.run(organization).id == "org-1"

    def test_a_host_that_never_answered_is_given_up_soon_and_named(self) -> None:
        org = Org().on("POST /oauth/token", httpx.ConnectError("Name or service not known"))
        error = failure(org)
        assert isinstance(error, HostUnreachable)
        assert "login.example.test" in str(error)
        assert org.time.now - 1000 <= 10

    def test_a_wrong_api_address_is_told_soon_although_the_login_answers(self) -> None:
        org = Org().on(ME, httpx.ConnectError("refused"))
        error = failure(org)
        assert isinstance(error, HostUnreachable)
        assert error.host == "api.example.test"
        assert org.time.now - 1000 <= 10

    def test_a_host_that_answered_before_is_waited_for(self) -> None:
        flow = ok({"id": "f", "name": "F", "type": "WORKFLOW"})
        org = Org().on("GET /api/v2/flows/f", flow, *[httpx.ConnectError("refused")] * 9, flow)

        async def work(platform: Platform) -> None:
            await platform.flows.get("f")
            await platform.flows.get("f")

        org.run(work)
        assert len(org.requests("GET /api/v2/flows/f")) == 11

    def test_a_broken_post_says_that_its_fate_is_unknown(self) -> None:
        error = failure(Org().on(TABLES, httpx.ReadError("reset")), create_table)
        assert "not known whether" in str(error.remedy)

    def test_client_errors_are_not_retried(self) -> None:
        org = Org().on(ME, problem(400, "bad.request"))
        failure(org)
        assert len(org.requests(ME)) == 1


class TestAnswers:
    @pytest.mark.parametrize(
        "answer",
        [
            httpx.Response(200, text="<html>log in to the guest network</html>"),
            httpx.Response(200, content=b"\xff\xfe"),
            httpx.Response(200, text="[" * 100_000),
            httpx.Response(204),
            httpx.Response(302, headers={"Location": "https://portal.example.test"}),
            ok([1, 2]),
            ok({"name": "no id"}),
            ok({"id": {"not": "text"}, "name": "x"}),
            ok("text"),
        ],
    )
    def test_what_is_not_as_promised_is_malformed(self, answer: httpx.Response) -> None:
        error = failure(Org().on(ME, answer))
        assert isinstance(error, MalformedResponse)
        assert "/api/v2/organizations/me" in str(error)

    def test_an_answer_without_end_is_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(bodies, "MAX_BODY", 10_000)
        error = failure(Org().on(ME, httpx.Response(200, content=b" " * 10_001)))
        assert isinstance(error, MalformedResponse)
        assert "larger" in str(error)

    def test_a_null_field_counts_as_absent(self) -> None:
        org = Org().on(
            "GET /api/v2/flows/f", ok({"id": "f", "name": "F", "type": "BOT", "system": None, "active": None})
        )
        assert org.run(lambda platform: platform.flows.get("f")).system is False


class TestAddresses:
    @pytest.mark.parametrize(
        "url", ["http://api.example.test", "ftp://127.0.0.1", "api.example.test", "", "https://[::1"]
    )
    def test_only_https_leaves_this_machine(self, url: str) -> None:
        with pytest.raises(UnsafeAddress):
            Platform(Connection(api_url=url, login_url=API))

    @pytest.mark.parametrize(
        "url", ["http://127.0.0.1:8080", "http://localhost:1", "http://[::1]:99", "https://x.test"]
    )
    def test_loopback_may_be_plain(self, url: str) -> None:
        Platform(Connection(api_url=url, login_url=url))

    def test_regions_and_domains(self) -> None:
        assert connection_for_region("eu-west-1").api_url == "https://api.mypurecloud.ie"
        assert connection_for_region("mypurecloud.de").login_url == "https://login.mypurecloud.de"
        assert len(set(REGIONS.values())) == len(REGIONS)
        with pytest.raises(ReconcilerError, match="eu-west-9"):
            connection_for_region("eu-west-9")

    @pytest.mark.parametrize("key", ["a/b", "a b?c#d&e=f", "..", ".", "%2F", "æøå", "x" * 200, "a+b", "\\", "\t"])
    def test_any_key_stays_one_path_segment(self, key: str) -> None:
        got: list[bytes] = []

        def answer(request: httpx.Request) -> httpx.Response:
            got.append(request.url.raw_path)
            return ok({"key": key})

        class Catch(Org):
            async def __call__(self, request: httpx.Request) -> httpx.Response:
                return answer(request) if request.method == "GET" else await super().__call__(request)

        row = Catch().run(lambda platform: platform.data_tables.row("t", key))
        assert row == {"key": key}
        path = got[0].partition(b"?")[0].decode()
        assert path.startswith("/api/v2/flows/datatables/t/rows/")
        assert httpx.QueryParams("k=" + path.rpartition("/")[2].replace("+", "%2B"))["k"] == key


class TestSecrecy:
    def test_a_connection_does_not_show_its_secrets(self) -> None:
        shown = repr(Connection(api_url=API, login_url=API, client_secret=SECRET, access_token="token-x"))
        assert SECRET not in shown
        assert "token-x" not in shown

    @pytest.mark.parametrize("answer", [problem(401), problem(500), httpx.ConnectError("x"), ok("no")])
    def test_errors_hold_neither_token_nor_secret(self, answer: httpx.Response | Exception) -> None:
        error = failure(Org().on(ME, answer), deadline=1.0)
        for text in (str(error), repr(error), str(error.remedy), str(vars(error))):
            assert SECRET not in text
            assert "token-1" not in text

    def test_presigned_queries_are_not_shown_or_logged(self, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.DEBUG)
        org = Org().on("PUT /up/1", httpx.Response(403, text="<Error/>"))
        job = {"id": "j", "presignedUrl": "https://files.example.test/up/1?signature=abc", "headers": {}}
        org.on("POST /api/v2/flows/jobs", ok(job))
        error = failure(org, lambda platform: platform.flows.deploy(b"x"))
        assert "signature" not in f"{error} {error.remedy} {vars(error)} {caplog.text}"
        assert "/up/1" in str(error)
