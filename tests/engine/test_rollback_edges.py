"""Rollbacks where the ledger, the cache and Git each know a part only, and where not all changes are flows."""

from __future__ import annotations

import json

import pytest
from support import environment, flow, module, start, wait_for_lines


@pytest.fixture(autouse=True)
def _in_git(repository):
    repository.write(".gitignore", ".reconciler/\n")
    repository.git("init", "-q")


@pytest.fixture
def apply(repository, cli):
    """Commits and applies what is written; returns the run."""

    def committed(*more):
        repository.git("add", "-A")
        repository.git("commit", "-qm", "Change")
        done = cli("apply", "--auto-approve", *more)
        assert done.code == 0, done.err
        return runs(cli)[0]

    return committed


def runs(cli):
    """Ids of the runs, newest first."""
    return [run["run"] for run in cli("history", "--format", "json").json]


def back(cli, *arguments):
    done = cli("rollback", *arguments, "--auto-approve")
    assert done.code == 0, done.err
    return done


def says(org, name):
    flow_id, version = org.flows()[name]["id"], org.version(name)
    return json.dumps(org.get(f"/flows/{flow_id}/versions/{version}/configuration"))


def test_a_caller_that_took_to_the_module_after_the_run_follows_it_back(repository, apply, cli, org):
    """Most rows are of a commit in which it did not call the module yet."""
    repository.write("shared/greeter.yaml", module("Greeter"))
    repository.write("flows/sales.yaml", flow("Sales", modules=("Greeter",)))
    repository.write("flows/support.yaml", flow("Support"))
    repository.write("flows/others.yaml", "---\n".join(flow(f"Other {number}") for number in range(3)))
    apply()
    repository.edit("shared/greeter.yaml", "One moment.", "Please hold.")
    bad = apply()
    repository.write("flows/support.yaml", flow("Support", modules=("Greeter",)))
    apply()

    back(cli, bad)

    assert org.module_versions("Sales") == org.module_versions("Support") == {"Greeter": "3.0"}
