"""Documents against each other; every finding names both places."""

from __future__ import annotations

from pathlib import Path

import pytest
from specs_support import Tree, common_module, flow, place


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path)


def ivr(name: str, *numbers: str) -> str:
    lines = "".join(f'    - "{number}"\n' for number in numbers)
    return f"ivr:\n  name: {name}\n  dnis:\n{lines}"


def test_the_same_address_twice(tree: Tree) -> None:
    tree.write("flows/a.yaml", flow("Sales"))
    tree.write("flows/b.yaml", "# remark\n" + flow("Sales"))
    tree.write("flows/c.yaml", flow("Sales", kind="workflow"))
    (finding,) = tree.findings()
    assert finding.id == "duplicate-address"
    assert finding.address == "inboundCall/Sales"
    assert place(finding) == "flows/b.yaml:3:3"
    assert "flows/a.yaml:1" in finding.message


def test_shared_may_not_refer_to_flows(tree: Tree) -> None:
    tree.write("flows/sales.yaml", flow("Sales"))
    tree.write("shared/line.yaml", "ivr:\n  name: Line\n  openHoursFlow: Sales\n")
    (finding,) = tree.findings()
    assert finding.id == "shared-refers-to-flows"
    assert place(finding) == "shared/line.yaml:3:3"
    assert "inboundCall/Sales in flows/sales.yaml:1" in finding.message


def test_flows_may_refer_to_shared_and_shared_to_shared_and_to_what_only_the_org_has(tree: Tree) -> None:
    tree.write("shared/m.yaml", common_module("M"))
    tree.write("shared/a.yaml", flow("A", module="M"))
    tree.write("flows/b.yaml", flow("B", module="M"))
    tree.write("shared/line.yaml", "ivr:\n  name: Line\n  openHoursFlow: Somebody Else's\n")
    tree.write("flows/c.yaml", flow("C", module="Somebody Else's"))
    assert len(tree.load().resources) == 5


def test_a_module_of_the_same_name_in_shared_wins_over_another_type_in_flows(tree: Tree) -> None:
    tree.write("shared/m.yaml", common_module("Both"))
    tree.write("flows/both.yaml", flow("Both"))
    tree.write("shared/a.yaml", flow("A", module="Both"))
    assert len(tree.load().resources) == 3


def test_a_flow_of_another_type_is_not_a_common_module(tree: Tree) -> None:
    tree.write("flows/sales.yaml", flow("Sales"))
    tree.write("flows/caller.yaml", flow("Caller", module="Sales"))
    (finding,) = tree.findings()
    assert finding.id == "not-a-common-module"
    assert finding.address == "inboundCall/Caller"
    assert place(finding) == "flows/caller.yaml:16:17"
    assert "'Sales' as a commonModule" in finding.message
    assert "inboundCall/Sales in flows/sales.yaml:1" in finding.message


def test_a_number_on_two_ivrs(tree: Tree) -> None:
    tree.write("flows/a.yaml", ivr("A", "+4570101010", "+4570101011"))
    tree.write("flows/b.yaml", "# {{ company }}\n" + ivr("B", "+4570101012", "+4570101011"))
    (finding,) = tree.findings()
    assert finding.id == "number-on-two-ivrs"
    assert place(finding) == "flows/b.yaml:6:7"
    assert "'B' and 'A' (flows/a.yaml:5:7)" in finding.message


def test_one_number_for_each_environment_is_no_conflict(tree: Tree) -> None:
    tree.write("flows/a.yaml", ivr("A", "{{ numbers.sales[0] }}"))
    tree.write("flows/b.yaml", ivr("B", "+4570101019"))
    assert len(tree.load().resources) == 2
