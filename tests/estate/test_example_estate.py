"""The example estate is what newcomers run first: it must be complete, sound and free of loose ends."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import networkx as nx
import pytest

from reconciler.archy import yaml
from reconciler.archy.flowtypes import by_api_type
from reconciler.archy.model import Certainty, Reference
from reconciler.kinds.base import Desired
from reconciler.specs import Environment, WorkingTree, environment_names, load_catalog, load_environment

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENTS = ("local", "dev", "test", "prod")
AUTHENTICATE = "commonModule/Authenticate Caller"
ANNOUNCE = "commonModule/Opening Hours and Emergency Announcement"
WORKFLOW = "workflow/Look Up Customer by Phone Number"
LEAVES_THE_TASK = {
    "disconnect", "endTask", "endWorkflow", "jumpToMenu", "jumpToTask", "changeState", "holdMusic",
}  # fmt: skip
"""Actions after which nothing below runs; holdMusic because an in-queue task starts again."""
SEED_KEYS = {
    "queue": "queues",
    "skill": "skills",
    "languageSkill": "languageSkills",
    "prompt": "prompts",
    "dataTable": "dataTables",
    "dataAction": "dataActions",
    "emergencyGroup": "emergencyGroups",
    "division": "divisions",
}
"""Object kinds that the estate names without defining them → where the seed lists them."""


@cache
def source() -> WorkingTree:
    return WorkingTree(ROOT)


@cache
def environment(name: str) -> Environment:
    return load_environment(source(), name)


@cache
def resources(name: str) -> Mapping[str, Desired]:
    catalog = load_catalog(source(), environment(name), secret_env=None, cache=None)
    assert [str(finding) for finding in catalog.findings if finding.severity == "error"] == []
    return catalog.resources


@cache
def seed() -> Mapping[str, Any]:
    return yaml.load((ROOT / "environments/local.seed.yaml").read_text("utf-8"))


def of_kind(name: str, kind: str) -> list[Desired]:
    return [desired for desired in resources(name).values() if desired.kind == kind]


def actions(value: Any) -> Iterator[tuple[str, Any]]:
    """Every action below a value, as (key, body)."""
    if isinstance(value, Mapping):
        for key, below in value.items():
            if key in ("actions", "startUpTaskActions"):
                for action in below:
                    yield from action.items()
            yield from actions(below)
    elif isinstance(value, list):
        for below in value:
            yield from actions(below)


def bodies(desired: Desired, key: str) -> list[Any]:
    return [body for found, body in actions(desired.content.body) if found == key]


def callers_of(name: str, module: str) -> list[Desired]:
    wanted = module.removeprefix("commonModule/")
    return [
        desired
        for desired in resources(name).values()
        if any(wanted in call["commonModule"] for call in bodies(desired, "callCommonModule"))
    ]


def targets(reference: Reference) -> list[str]:
    """Addresses that a reference may mean."""
    if reference.kind != "flow":
        return [f"{reference.kind}/{reference.name}"]
    types = [by_api_type(name) for name in reference.flow_types]
    return [f"{found.root}/{reference.name}" for found in types if found]


def seeded(kind: str) -> set[tuple[str | None, str]]:
    """(category, name) of everything of a kind in the seeded org."""
    items = seed().get(SEED_KEYS.get(kind, ""), [])
    named = [{"name": item} if isinstance(item, str) else item for item in items]
    built_in = {(None, "Home")} if kind == "division" else set()
    return built_in | {(item.get("category"), item["name"]) for item in named}


def static_references(name: str) -> list[tuple[str, Reference]]:
    return [
        (address, reference)
        for address, desired in resources(name).items()
        for reference in desired.references
        if reference.certainty is Certainty.STATIC
    ]


def test_there_are_four_environments() -> None:
    assert set(environment_names(source())) == set(ENVIRONMENTS)


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_every_environment_renders_to_the_same_resources(name: str) -> None:
    assert set(resources(name)) == set(resources("prod"))
    assert all(desired.content.body for desired in resources(name).values())


@pytest.mark.parametrize(
    ("kind", "at_least"),
    [
        ("commonModule", 2),
        ("inboundCall", 5),
        ("inqueueCall", 1),
        ("workflow", 1),
        ("ivr", 3),
        ("scheduleGroup", 2),
    ],
)
def test_it_holds_enough_of_each_kind(kind: str, at_least: int) -> None:
    assert len(of_kind("prod", kind)) >= at_least


@pytest.mark.parametrize("module", [AUTHENTICATE, ANNOUNCE])
def test_several_inbound_flows_call_the_same_module(module: str) -> None:
    callers = [desired for desired in callers_of("prod", module) if desired.kind == "inboundCall"]
    assert len(callers) >= 3


@pytest.mark.parametrize("module", [AUTHENTICATE, ANNOUNCE])
def test_callers_bind_exactly_the_variables_of_the_module(module: str) -> None:
    variables = [declared for item in resources("prod")[module].content.body["variables"] for declared in item.values()]
    inputs = {declared["name"] for declared in variables if declared["isInput"]}
    outputs = {declared["name"] for declared in variables if declared["isOutput"]}
    assert inputs
    assert outputs
    name = module.removeprefix("commonModule/")
    for caller in callers_of("prod", module):
        for call in bodies(caller, "callCommonModule"):
            if name in call["commonModule"]:
                bound = call["commonModule"][name]["ver_latestPublished"]
                assert (set(bound["inputs"]), set(bound["outputs"])) == (inputs, outputs), caller.address


def test_authentication_asks_for_customer_number_and_pin() -> None:
    asked = [body["inputData"]["var"] for body in bodies(resources("prod")[AUTHENTICATE], "collectInput")]
    assert asked == ["Common.customerNumber", "Common.pin"]


def test_the_announcement_module_evaluates_hours_and_emergency() -> None:
    (evaluation,) = bodies(resources("prod")[ANNOUNCE], "evaluateScheduleGroup")
    assert set(evaluation["outputs"]) == {"closed", "holiday", "emergency"}
    assert evaluation["scheduleGroup"]["lit"]["name"] == "Contact Centre Hours"


def test_the_workflow_looks_up_the_external_contact_by_phone_number() -> None:
    workflow = resources("prod")[WORKFLOW]
    (find,) = bodies(workflow, "callData")
    (get,) = bodies(workflow, "getExternalContact")
    (action,) = find["category"]["Brackenmoor Customer API"]["dataAction"].values()
    assert "phoneNumber" in action["inputs"]
    assert get["externalId"]["exp"] == action["successOutputs"]["contactId"]["var"]
    assert set(get["outputs"]) == {"found", "notFound"}
    assert all(output["actions"] for output in get["outputs"].values())


def test_queue_transfers_use_the_in_queue_flow() -> None:
    waiting = {
        transfer["overrideInQueueFlow"]["name"]
        for desired in of_kind("prod", "inboundCall")
        for transfer in bodies(desired, "transferToAcd")
        if "overrideInQueueFlow" in transfer
    }
    assert {f"inqueueCall/{name}" for name in waiting} == {of_kind("prod", "inqueueCall")[0].address}


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_every_ivr_has_numbers_of_its_own(name: str) -> None:
    numbers = [number for ivr in of_kind(name, "ivr") for number in ivr.content.body["dnis"]]
    assert all(ivr.content.body["dnis"] for ivr in of_kind(name, "ivr"))
    assert len(numbers) == len(set(numbers))


def test_local_numbers_lie_in_a_seeded_pool() -> None:
    pools = [(int(pool["start"]), int(pool["end"])) for pool in seed()["didPools"]]
    for ivr in of_kind("local", "ivr"):
        for number in ivr.content.body["dnis"]:
            assert any(start <= int(number) <= end for start, end in pools), number


def test_environments_differ_in_queues_numbers_wording_and_secret() -> None:
    def differing(wanted: str) -> set[str]:
        seen = {name: str(environment(name).variables[wanted]) for name in ENVIRONMENTS}
        return {name for name in ("dev", "test") if seen[name] != seen["prod"]}

    for variable in ("queues", "numbers", "wording", "queue.sales", "crm_token"):
        assert differing(variable) == {"dev", "test"}, variable
    assert environment("local").variables["wording"] != environment("prod").variables["wording"]
    assert environment("local").variables["numbers"] != environment("prod").variables["numbers"]


def test_only_the_workflow_uses_the_secret_and_local_needs_none() -> None:
    for name in ("dev", "test", "prod"):
        users = {desired.address: desired.secrets for desired in resources(name).values() if desired.secrets}
        assert users == {WORKFLOW: ("crm_token",)}
        assert "(secret crm_token)" in resources(name)[WORKFLOW].content.text
    assert not any(desired.secrets for desired in resources("local").values())
    assert all(desired.content.upload for desired in resources("local").values())


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_every_task_ends(name: str) -> None:
    """An output without actions falls through to the next action, so the last one of a task decides."""
    for desired in resources(name).values():
        body = desired.content.body
        lists = {"start": body["startUpTaskActions"]} if "startUpTaskActions" in body else {}
        for container, key in (("tasks", "task"), ("states", "state")):
            for item in body.get(container, []):
                lists[item[key]["name"]] = item[key]["actions"]
        for task, steps in lists.items():
            (last,) = steps[-1]
            assert last in LEAVES_THE_TASK, f"{desired.address}, {task} ends with {last}"


def test_no_cycle_and_shared_stands_alone() -> None:
    graph: nx.DiGraph[str] = nx.DiGraph()
    catalog = resources("prod")
    for address, reference in static_references("prod"):
        for target in targets(reference):
            if target in catalog:
                graph.add_edge(address, target)
                to_flows = catalog[address].file.startswith("shared/") and catalog[target].file.startswith("flows/")
                assert not to_flows, f"{address} in shared/ refers to {target} in flows/"
    assert nx.is_directed_acyclic_graph(graph)


def test_every_static_reference_is_defined_or_seeded() -> None:
    missing = [
        f"{address}: {reference.kind} {reference.name}"
        for address, reference in static_references("local")
        if not any(target in resources("local") for target in targets(reference))
        and (reference.category, reference.name) not in seeded(reference.kind)
    ]
    assert missing == []


def test_the_seed_holds_nothing_that_is_not_used() -> None:
    used: dict[str, set[tuple[str | None, str]]] = {}
    for _address, reference in static_references("local"):
        used.setdefault(reference.kind, set()).add((reference.category, reference.name))
    for desired in resources("local").values():
        if desired.division:
            used.setdefault("division", set()).add((None, desired.division))
    for kind in SEED_KEYS:
        assert seeded(kind) - {(None, "Home")} <= used.get(kind, set()), kind
