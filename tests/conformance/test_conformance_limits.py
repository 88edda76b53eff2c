"""The official SDK reads the limits of the organisation (``OrganizationApi``)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sdk import Sdk, connect, genesys, refused

from reconciler.sandbox import embedded
from reconciler.sandbox.seed_file import SeedError

SEED = """\
limits:
  architect: {some.limit.of.ours: 7}
  platform.api: {request.bytes.max: 1000}
"""


@pytest.fixture(scope="module")
def limited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sdk]:
    """An org whose seed knows limits."""
    folder = tmp_path_factory.mktemp("limits")
    (folder / "seed.yaml").write_text(SEED, encoding="utf-8")
    with embedded.start(folder / "org.sqlite", seed=folder / "seed.yaml") as running:
        session = connect(running)
        yield session
        session.close()


def values(listing: Any) -> dict[str, int]:
    """Key → value (SDK ``LimitsEntityListing``)."""
    return {limit.key: limit.value for limit in listing.entities}


def test_effective_limits_are_the_seeds_over_the_documented_defaults(limited: Sdk) -> None:
    effective = limited.organization.get_organizations_limits_namespace("platform.api")
    assert values(effective) == {
        "client.credentials.token.rate.per.minute": 300,
        "token.rate.per.minute": 300,
        "org.app.user.rate.per.minute": 3000,
        "request.bytes.max": 1000,
    }
    assert {limit.namespace for limit in effective.entities} == {"platform.api"}
    assert values(limited.organization.get_organizations_limits_namespace("architect")) == {"some.limit.of.ours": 7}


def test_defaults_are_only_what_is_documented(limited: Sdk) -> None:
    defaults = limited.organization.get_organizations_limits_namespace_defaults
    assert values(defaults("platform.api"))["request.bytes.max"] == 512000
    assert values(defaults("architect")) == {}


def test_the_rate_limit_that_the_sandbox_enforces_is_the_effective_one(alone: Sdk) -> None:
    alone.settings(rate_limit=60)
    read = alone.organization.get_organizations_limits_namespace
    assert values(read("platform.api"))["client.credentials.token.rate.per.minute"] == 60


def test_every_namespace_of_the_sdk_can_be_read(limited: Sdk) -> None:
    api = limited.organization
    first = api.get_organizations_limits_namespaces(page_size=50)
    second = api.get_organizations_limits_namespaces(page_size=50, page_number=2)
    names = [*first["entities"], *second["entities"]]
    assert len(names) == first["total"] == len(set(names))
    for name in names:
        limit = genesys.Limit()
        limit.namespace = name
        assert limit.namespace == name, "the SDK knows every namespace"
    assert {"architect", "datatables", "platform.api"} <= set(names)


def test_the_documentation_says_where_each_default_comes_from(limited: Sdk) -> None:
    docs = limited.organization.get_organizations_limits_docs()
    (documented,) = docs.namespaces
    assert documented.name == "platform.api"
    assert all(limit.default_value and "documented" in limit.description for limit in documented.limits)


def test_an_unknown_namespace_is_not_found(limited: Sdk) -> None:
    assert refused(limited.organization.get_organizations_limits_namespace, "kitchen") == (404, "not.found")
    assert refused(limited.organization.get_organizations_limits_namespace_defaults, "kitchen") == (404, "not.found")


def test_a_seed_with_an_unknown_namespace_is_refused_with_its_place(tmp_path: Path) -> None:
    seed = tmp_path / "seed.yaml"
    seed.write_text("limits:\n  kitchen: {knives: 3}\n", encoding="utf-8")
    with pytest.raises(SeedError, match=r"seed\.yaml:2:3: .*no namespace of limits named 'kitchen'"):
        embedded.start(tmp_path / "org.sqlite", seed=seed)
