"""Lists that are followed from page to page and not numbered, with the official SDK."""

from __future__ import annotations

import pytest
from sdk import genesys, refused


@pytest.fixture(scope="module")
def seed() -> str:
    """One more of each than the largest page holds."""
    bases = ", ".join(f"Base {number:03}" for number in range(101))
    types = ", ".join(f"Type {number:03}" for number in range(101))
    return f"knowledgeBases: [{bases}]\nworktypes: [{types}]\n"


@pytest.mark.parametrize("size", [24, 25, 26, 50, 99, 100])
def test_knowledge_bases_are_followed_there_and_back(sdk, size):
    page = genesys.KnowledgeApi(sdk.client).get_knowledge_knowledgebases(page_size=str(size))
    assert page.previous_uri is None
    there = [[base.name for base in page.entities]]
    while page.next_uri is not None:
        page = sdk.follow(page.next_uri, "KnowledgeBaseListing")
        there.append([base.name for base in page.entities])
    assert [name for names in there for name in names] == [f"Base {number:03}" for number in range(101)]
    back: list[str] = []
    while page.previous_uri is not None:
        page = sdk.follow(page.previous_uri, "KnowledgeBaseListing")
        back = [base.name for base in page.entities] + back
    assert back == [name for names in there[:-1] for name in names]


@pytest.mark.parametrize("size", [25, 50, 100])
def test_worktypes_are_queried_cursor_by_cursor(sdk, size):
    tasks, cursor, seen = genesys.TaskManagementApi(sdk.client), None, []
    while True:
        page = tasks.post_taskmanagement_worktypes_query({"pageSize": size, **({"after": cursor} if cursor else {})})
        seen += [worktype.name for worktype in page.entities]
        cursor = page.after
        if cursor is None:
            break
        assert len(page.entities) == size
    assert seen == [f"Type {number:03}" for number in range(101)]


def test_a_cursor_that_nobody_gave_out_is_refused(sdk):
    bases = genesys.KnowledgeApi(sdk.client)

    assert refused(bases.get_knowledge_knowledgebases, after="zzz") == (400, "invalid.query.param.value")
    assert refused(bases.get_knowledge_knowledgebases, page_size="101") == (400, "invalid.query.param.value")
