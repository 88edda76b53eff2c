"""Names to ids: exact, cached, and with few requests."""

import fnmatch
import json
from collections.abc import Collection
from typing import Any

import httpx
import pytest
from platform_support import Org, ok, page

from reconciler.platform import MalformedResponse, Platform

QUEUES = "GET /api/v2/routing/queues"
KINDS = [
    "queue", "skill", "languageSkill", "wrapupCode", "contactList", "prompt", "dataTable", "dataAction", "schedule",
    "scheduleGroup", "emergencyGroup", "user", "group", "script", "division", "surveyForm", "knowledgeBase",
    "flowOutcome", "flowMilestone", "worktype", "ttsEngine",
]  # fmt: skip


def filtering(items: list[dict[str, Any]], *, most: int = 100) -> Any:
    """A listing whose name filter is a case-insensitive prefix, as skills have it."""

    def answer(request: httpx.Request) -> httpx.Response:
        wanted = [name.lower() for name in request.url.params.get("name", "").split(",")]
        found = [item for item in items if any(item["name"].lower().startswith(name) for name in wanted)]
        size = min(most, int(request.url.params["pageSize"]))
        number = int(request.url.params["pageNumber"])
        return page(found[(number - 1) * size : number * size], number=number, size=size, count=-(-len(found) // size))

    return answer


def named(*names: str) -> list[dict[str, Any]]:
    return [{"id": f"id-{name}", "name": name} for name in names]


def find(org: Org, kind: str, names: Collection[str]) -> dict[str, str | None]:
    return org.run(lambda platform: platform.directory.find(kind, names))


def test_every_kind_that_flows_name_is_supported() -> None:
    async def work(platform: Platform) -> list[str]:
        return [kind for kind in KINDS if not platform.directory.supports(kind)]

    assert Org().run(work) == []


def test_what_cannot_be_listed_is_not_supported() -> None:
    async def work(platform: Platform) -> bool:
        return platform.directory.supports("flow") or platform.directory.supports("ttsVoice")

    assert Org().run(work) is False
    with pytest.raises(KeyError):
        find(Org(), "ttsVoice", ["Jill"])


def test_one_name_is_filtered_for_and_compared_exactly() -> None:
    org = Org().on(QUEUES, filtering(named("Sales DK", "sales", "Sales")))
    assert find(org, "queue", ["Sales"]) == {"Sales": "id-Sales"}
    assert find(org, "queue", ["SALES"]) == {"SALES": None}
    assert [request.url.params["name"] for request in org.requests(QUEUES)] == ["Sales", "SALES"]


def test_several_names_cost_one_request_where_the_list_is_short() -> None:
    org = Org().on(QUEUES, filtering(named("A", "B", "C")))
    assert find(org, "queue", ["A", "C", "X"]) == {"A": "id-A", "C": "id-C", "X": None}
    [request] = org.requests(QUEUES)
    assert (request.url.params["pageSize"], "name" in request.url.params) == ("500", False)


def test_a_list_with_fewer_pages_than_names_is_read_whole() -> None:
    org = Org().on(QUEUES, filtering(named(*(f"Q{number:02}" for number in range(30))), most=10))
    assert find(org, "queue", ["Q01", "Q15", "Q29"]) == {"Q01": "id-Q01", "Q15": "id-Q15", "Q29": "id-Q29"}
    assert len(org.requests(QUEUES)) == 3


def test_a_long_list_is_not_read_for_a_few_names() -> None:
    org = Org().on(QUEUES, filtering(named(*(f"Q{number:03}" for number in range(900))), most=10))
    assert find(org, "queue", ["Q005", "Q500", "none"]) == {"Q005": "id-Q005", "Q500": "id-Q500", "none": None}
    assert len(org.requests(QUEUES)) == 3


def test_what_was_asked_once_is_not_asked_again_until_forgotten() -> None:
    org = Org().on(QUEUES, filtering(named("A", "B")))

    async def work(platform: Platform) -> list[int]:
        counts = []
        for names in (["A"], ["A"], ["X"], ["X", "A"], ["B", "Y"], ["C", "D"]):
            await platform.directory.find("queue", names)
            counts.append(platform.requests)
        platform.directory.forget("queue")
        await platform.directory.find("queue", ["A"])
        return [*counts, platform.requests]

    assert org.run(work) == [1, 1, 2, 2, 3, 3, 4]


def test_deleted_objects_do_not_count() -> None:
    skills = [{"id": "old", "name": "Danish", "state": "deleted"}, {"id": "new", "name": "Danish", "state": "active"}]
    org = Org().on("GET /api/v2/routing/skills", page(skills))
    assert find(org, "skill", ["Danish"]) == {"Danish": "new"}


def test_several_prompts_share_a_request() -> None:
    org = Org().on("GET /api/v2/architect/prompts", filtering(named(*(f"P{number}" for number in range(50))), most=2))
    wanted = ["P31", "P32"]
    assert find(org, "prompt", wanted) == {"P31": "id-P31", "P32": "id-P32"}
    assert [request.url.params.get("name") for request in org.requests("GET /api/v2/architect/prompts")] == [
        None,
        "P31,P32",
    ]


def test_users_are_searched_by_mail_in_any_case() -> None:
    def search(request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content)
        assert body["query"] == [{"fields": ["email"], "values": ["mette@example.test"], "type": "EXACT"}]
        return ok({"results": [{"id": "u", "name": "Mette", "email": "Mette@Example.test"}], "pageCount": 1})

    org = Org().on("POST /api/v2/users/search", search)
    org.on("GET /api/v2/users", page([{"id": "x", "name": "Other", "email": "other@example.test"}], count=40))
    assert find(org, "user", ["METTE@example.test"]) == {"METTE@example.test": "u"}


def test_few_users_are_read_whole() -> None:
    users = [{"id": "u", "name": "Mette", "email": "mette@example.test"}, {"id": "v", "name": "No mail"}]
    org = Org().on("GET /api/v2/users", page(users))
    assert find(org, "user", ["METTE@example.test"]) == {"METTE@example.test": "u"}


def test_groups_are_searched_by_name() -> None:
    org = Org().on("GET /api/v2/groups", page(named("Other"), count=40))
    org.on("POST /api/v2/groups/search", ok({"results": named("Board"), "pageCount": 1}))
    assert find(org, "group", ["Board"]) == {"Board": "id-Board"}


def test_knowledge_bases_are_followed_by_cursor() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.params.get("after") == "c2":
            return ok({"entities": named("B")})
        return ok({"entities": named("A"), "nextUri": "/api/v2/knowledge/knowledgebases?after=c2&pageSize=100"})

    org = Org().on("GET /api/v2/knowledge/knowledgebases", answer)
    assert find(org, "knowledgeBase", ["A", "B", "C"]) == {"A": "id-A", "B": "id-B", "C": None}
    assert len(org.seen) == 1 + 2


def test_a_cursor_that_goes_in_circles_is_malformed() -> None:
    org = Org().on("GET /api/v2/knowledge/knowledgebases", ok({"entities": named("A"), "after": "again"}))
    with pytest.raises(MalformedResponse):
        find(org, "knowledgeBase", ["X"])


def test_work_types_are_queried() -> None:
    org = Org().on("POST /api/v2/taskmanagement/worktypes/query", ok({"entities": named("Complaint"), "after": None}))
    assert find(org, "worktype", ["Complaint"]) == {"Complaint": "id-Complaint"}
    assert org.bodies("POST /api/v2/taskmanagement/worktypes/query") == [
        {
            "pageSize": 100,
            "filters": [{"name": "name", "type": "String", "operator": "IN", "values": ["Complaint"]}],
        }
    ]


ACTIONS = [
    {"id": "a1", "name": "Get Customer", "category": "CRM", "integrationId": "i1"},
    {"id": "a2", "name": "Get Customer", "category": "other label", "integrationId": "i2"},
    {"id": "a3", "name": "Get Customer by phone", "category": "CRM", "integrationId": "i1"},
]


class TestDataActions:
    def org(self) -> Org:
        def answer(request: httpx.Request) -> httpx.Response:
            part = request.url.params.get("name", "")
            return page([action for action in ACTIONS if fnmatch.fnmatch(action["name"], f"*{part}*")])

        org = Org().on("GET /api/v2/integrations/actions", answer)
        return org.on("GET /api/v2/integrations", page([{"id": "i1", "name": "CRM"}, {"id": "i2", "name": "Billing"}]))

    def test_they_go_by_integration_and_exact_name(self) -> None:
        wanted = [("crm", "Get Customer"), ("Billing", "Get Customer"), ("Billing", "Get Customer by phone")]
        found = self.org().run(lambda platform: platform.directory.find("dataAction", wanted))
        assert found == dict(zip(wanted, ["a1", "a2", None], strict=True))

    def test_one_is_filtered_for(self) -> None:
        org = self.org()
        wanted = [("CRM", "Get Customer")]
        assert org.run(lambda platform: platform.directory.find("dataAction", wanted)) == {wanted[0]: "a1"}
        assert org.requests("GET /api/v2/integrations/actions")[0].url.params["name"] == "Get Customer"


def test_concurrent_questions_for_a_kind_share_the_answer() -> None:
    from reconciler.platform.paging import side_by_side

    org = Org().on(QUEUES, filtering(named("A")))

    async def work(platform: Platform) -> int:
        await side_by_side(lambda _: platform.directory.find("queue", ["A"]), range(4))
        return platform.requests

    assert org.run(work) == 1
