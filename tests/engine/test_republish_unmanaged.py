"""``apply --republish-unmanaged``: flows outside the specs take in a changed module, unless somebody is at work."""

from __future__ import annotations

import pytest
from support import SEED, connected, flow, module

from reconciler.sandbox import embedded


@pytest.fixture
def org(tmp_path):
    """As usual, with a person in it."""
    seed = tmp_path / "seed.yaml"
    seed.write_text(SEED + "users: [{name: Ann, email: ann@example.com}]\n", encoding="utf-8")
    with embedded.start(tmp_path / "org.sqlite", seed=seed) as running, connected(running) as made:
        yield made


@pytest.fixture
def estate(repository, cli, org):
    """A managed module that a flow outside the specs holds; the module is about to change."""
    repository.write("shared/greeter.yaml", module("Greeter"))
    repository.write("flows/sales.yaml", flow("Sales", modules=("Greeter",)))
    assert cli("apply", "--auto-approve").code == 0
    org.publish(flow("By Hand", modules=("Greeter",)))
    repository.edit("shared/greeter.yaml", "One moment.", "Just a moment.")
    return repository


def apply(cli, *more):
    return cli("apply", "--auto-approve", "--republish-unmanaged", *more)


def test_it_is_published_again_as_it_is_after_the_module(estate, cli, org):
    ran = apply(cli)

    assert ran.code == 0, ran.err
    assert org.version("By Hand") == "2.0"
    assert org.module_versions("By Hand") == {"Greeter": "2.0"}
    assert "applied     republish inboundCall/By Hand  version 1.0 → 2.0" in ran.err
    assert org.flows()["By Hand"].get("lockedClient") is None
    assert cli("plan", "--detailed-exitcode").code == 0


def test_without_the_option_it_stays_as_it_is(estate, cli, org):
    assert cli("apply", "--auto-approve").code == 0
    assert org.version("By Hand") == "1.0"


def test_a_saved_plan_may_take_them_along_too(estate, cli, org, tmp_path):
    saved = str(tmp_path / "plan.json")
    assert cli("plan", "--out", saved).code == 0
    assert cli("apply", saved, "--republish-unmanaged").code == 0
    assert org.module_versions("By Hand") == {"Greeter": "2.0"}


def test_one_that_somebody_is_editing_is_left_alone(estate, cli, org):
    org.http.post("/sandbox/flows/By Hand/lock", json={"user": "Ann"}).raise_for_status()

    ran = apply(cli)

    assert ran.code == 4
    assert "inboundCall/By Hand is being edited by" in ran.err
    assert org.version("By Hand") == "1.0"
    assert org.version("Sales") == "2.0"


def test_one_with_an_unpublished_draft_is_left_alone(estate, cli, org):
    by_hand = org.flows()["By Hand"]["id"]
    org.send("POST", "/flows/actions/checkout", flow=by_hand).raise_for_status()
    org.send("POST", f"/flows/{by_hand}/versions", {"inboundCall": {"name": "By Hand"}}).raise_for_status()
    org.send("POST", "/flows/actions/checkin", flow=by_hand).raise_for_status()

    ran = apply(cli)

    assert ran.code == 4
    assert "inboundCall/By Hand has changes that are not published (version 2.0)" in ran.err
    assert org.version("By Hand") == "1.0"


def test_one_that_was_published_since_the_plan_is_left_alone(estate, cli, org, tmp_path):
    saved = str(tmp_path / "plan.json")
    assert cli("plan", "--out", saved).code == 0
    org.publish(flow("By Hand", says="New.", modules=("Greeter",)))

    ran = cli("apply", saved, "--republish-unmanaged")

    assert ran.code == 4
    assert "was published as version 2.0 since the plan was made" in ran.err


def test_nothing_is_published_again_when_the_module_failed(estate, cli, org):
    org.fault(match={"job_flow": "Greeter"}, effect={"job": {"status": "Failure", "messages": ["No."]}})

    ran = apply(cli)

    assert ran.code == 1
    assert "It holds commonModule/Greeter, which was not published." in ran.err
    assert org.version("By Hand") == "1.0"


def test_a_failed_publish_gives_the_edit_lock_back(estate, cli, org):
    org.fault(
        match={"method": "POST", "path": "/api/v2/flows/actions/publish"},
        effect={"status": 409, "code": "architect.flow.cannot.publish.missing.dependencies", "message": "Missing."},
    )

    ran = apply(cli)

    assert ran.code == 4
    by_hand = org.flows()["By Hand"]
    assert by_hand["publishedVersion"]["id"] == "1.0"
    assert by_hand.get("lockedClient") is None


def test_a_module_outside_the_specs_passes_the_change_on(estate, cli, org):
    call = """\
    - callCommonModule:
        name: Call
        commonModule:
          Greeter:
            ver_latestPublished:
              none: true
"""
    org.publish(module("Wrapper").replace("    - endTask:", f"{call}    - endTask:"))
    org.publish(flow("Far", modules=("Wrapper",)))

    ran = apply(cli)

    assert ran.code == 0, ran.err
    assert org.module_versions("Far") == {"Wrapper": "2.0"}
