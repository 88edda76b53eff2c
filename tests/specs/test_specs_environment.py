"""Environment files: merged along extends, checked, and every mistake named where it stands."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from specs_support import Tree, place

from reconciler.problems import Finding, ReconcilerError, SpecError
from reconciler.specs import environment_names, environment_schema, load_environment
from reconciler.specs.environment import EnvironmentFile

SECRET_VALUE = "s3cr3t-value"


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    made = Tree(tmp_path)
    made.write(
        "environments/_base.yaml",
        """\
        division: Home
        variables:
          wording: {open: Hello, closed: Closed}
          queues: [Sales, Support]
          token: {secret: {env: TOKEN}}
        policy:
          protect: ["ivr/*"]
          max_deletes: 0
        """,
    )
    return made


def wrong(tree: Tree, text: str, environ: Mapping[str, str] | None = None) -> list[Finding]:
    """Findings of an environment ``bad`` with this text."""
    tree.write("environments/bad.yaml", text)
    with pytest.raises(SpecError) as caught:
        load_environment(tree.source, "bad", environ=environ or {})
    return list(caught.value.findings)


def test_the_smallest_environment_has_the_defaults(tree: Tree) -> None:
    tree.write("environments/small.yaml", "org: {region: eu-west-1}\n")
    environment = tree.environment("small")
    assert environment.name == "small"
    assert environment.files == ("environments/small.yaml",)
    assert environment.org.region == "eu-west-1"
    assert environment.credentials.client_id.env == "GENESYSCLOUD_OAUTHCLIENT_ID"
    assert environment.credentials.client_secret.env == "GENESYSCLOUD_OAUTHCLIENT_SECRET"
    assert environment.ledger.type == "org"
    assert environment.policy.on_drift == "overwrite"
    assert environment.policy.max_deletes is None
    assert environment.concurrency == 50
    assert environment.variables == {}


def test_extends_merges_mappings_and_replaces_lists_and_secrets(tree: Tree) -> None:
    tree.write("environments/test.yaml", "extends: _base\norg: {region: eu-west-1, requests_per_minute: 100}\n")
    tree.write(
        "environments/staging.yaml",
        """\
        extends: test
        org: {domain: mypurecloud.ie, region: null}
        variables:
          wording: {open: Hi}
          queues: [One]
          token: made-up
        policy: {protect: []}
        """,
    )
    environment = tree.environment("staging")
    assert environment.files == (
        "environments/staging.yaml",
        "environments/test.yaml",
        "environments/_base.yaml",
    )
    assert (environment.org.domain, environment.org.region) == ("mypurecloud.ie", None)
    assert environment.org.requests_per_minute == 100
    assert environment.variables == {
        "wording": {"open": "Hi", "closed": "Closed"},
        "queues": ["One"],
        "token": "made-up",
    }
    assert environment.policy.protect == ()
    assert environment.policy.max_deletes == 0
    assert environment.secrets == ()
    assert [secret.env for secret in tree.environment("test").secrets] == ["TOKEN"]


def test_names_leave_out_what_is_only_extended_and_what_only_belongs_to_one(tree: Tree) -> None:
    tree.write("environments/local.yaml", "org: {}")
    tree.write("environments/dev.yml", "org: {}")
    tree.write("environments/local.seed.yaml", "queues: []")
    tree.write("environments/sub/x.yaml", "org: {}")
    assert environment_names(tree.source) == ["dev", "local", "prod"]


@pytest.mark.parametrize("name", ["prd", "_base", "../prod", "", "local.seed"])
def test_a_missing_environment_lists_the_known_ones(tree: Tree, name: str) -> None:
    with pytest.raises(SpecError) as caught:
        load_environment(tree.source, name, environ={})
    (finding,) = caught.value.findings
    assert finding.id == "unknown-environment"
    assert "Known environments: prod." in (finding.remedy or "")


def test_a_base_is_not_called_missing(tree: Tree) -> None:
    with pytest.raises(SpecError) as caught:
        load_environment(tree.source, "_base", environ={})
    (finding,) = caught.value.findings
    assert finding.file == "environments/_base.yaml"
    assert finding.message == "'_base' is a base that environments extend, not an environment itself."
    assert finding.remedy == "Known environments: prod."


def test_an_unknown_key_is_named_in_the_file_where_it_stands(tree: Tree) -> None:
    tree.write("environments/_base.yaml", "division: Home\npolicy:\n  protekt: []\n")
    (finding,) = wrong(tree, "extends: _base\norg: {region: eu-west-1}\npolicy: {max_deletes: 1}\n")
    assert finding.id == "unknown-environment-key"
    assert place(finding) == "environments/_base.yaml:3:3"
    assert "'policy.protekt'" in finding.message
    assert "Did you mean `protect`?" in (finding.remedy or "")
    assert "max_deletes" in (finding.remedy or "")


def test_all_mistakes_of_all_files_are_told_together(tree: Tree) -> None:
    tree.write("environments/_base.yaml", "concurrency: many\n")
    findings = wrong(
        tree,
        """\
        extends: _base
        org: {region: eu-west-1, regions: x}
        ledger: {type: files}
        policy:
          on_drift: ignore
          max_deletes: -1
          protect: ivr/*
        """,
    )
    assert {place(finding) for finding in findings} == {
        "environments/_base.yaml:1:1",
        "environments/bad.yaml:2:26",
        "environments/bad.yaml:3:10",
        "environments/bad.yaml:5:3",
        "environments/bad.yaml:6:3",
        "environments/bad.yaml:7:3",
    }
    told = {place(finding): finding.message for finding in findings}
    assert told["environments/bad.yaml:5:3"] == "policy.on_drift must be overwrite, report or fail, not ignore."
    assert told["environments/bad.yaml:6:3"] == "policy.max_deletes must be at least 0, not -1."
    assert told["environments/_base.yaml:1:1"] == "concurrency must be a whole number, not many."


@pytest.mark.parametrize(
    ("text", "id_", "where"),
    [
        ("division: Home\n", "missing-key", "environments/bad.yaml:1:1"),
        ("", "missing-key", "environments/bad.yaml:1:1"),
        ("org:\n  id: 1a\n", "no-org", "environments/bad.yaml:1:1"),
        ("org: {region: a, domain: b}\n", "ambiguous-org", "environments/bad.yaml:1:18"),
        ("org: {api_url: http://127.0.0.1:1}\n", "incomplete-org", "environments/bad.yaml:1:7"),
        ("- a\n", "not-a-mapping", "environments/bad.yaml:1:1"),
        ("org: {region: a}\n---\nx: 1\n", "several-documents", "environments/bad.yaml:3:1"),
        ("org: {region: a}\norg: {region: b}\n", "yaml-syntax", "environments/bad.yaml:2:1"),
        ("extends: nothing\n", "bad-extends", "environments/bad.yaml:1:1"),
        ("extends: [a]\n", "bad-extends", "environments/bad.yaml:1:1"),
        ("org: {region: a}\nledger: {type: file, table: x}\n", "unused-key", "environments/bad.yaml:2:22"),
        ("org: {region: a}\nledger: {path: x}\n", "unused-key", "environments/bad.yaml:2:10"),
        ("org: {region: a}\nvariables: {a: {b: {secret: x}}}\n", "malformed-secret", "environments/bad.yaml:2:21"),
        ("org: {region: a}\nvariables: {secret: {env: A}}\n", "malformed-secret", "environments/bad.yaml:2:13"),
        ("org: {region: a}\nvariables: {' a': 1}\n", "bad-variable-name", "environments/bad.yaml:2:13"),
    ],
)
def test_each_mistake_has_its_place(tree: Tree, text: str, id_: str, where: str) -> None:
    finding = wrong(tree, text)[0]
    assert finding.id == id_
    assert place(finding) == where
    assert finding.remedy


def test_two_places_for_the_org_name_both_files(tree: Tree) -> None:
    tree.write("environments/_base.yaml", "org: {region: eu-west-1}\n")
    (finding,) = wrong(tree, "extends: _base\norg: {sandbox: {}}\n")
    assert "region (environments/_base.yaml) and sandbox (environments/bad.yaml)" in finding.message


def test_a_circle_of_extends_is_an_error(tree: Tree) -> None:
    tree.write("environments/a.yaml", "extends: bad\n")
    (finding,) = wrong(tree, "extends: a\n")
    assert finding.message.endswith("bad → a → bad.")
    assert place(finding) == "environments/a.yaml:1:1"


def test_a_secret_written_down_by_mistake_is_not_repeated(tree: Tree) -> None:
    findings = wrong(
        tree,
        f"""\
        org: {{region: eu-west-1}}
        credentials: {{client_secret: {SECRET_VALUE}}}
        variables: {{crm: {{secret: {SECRET_VALUE}}}}}
        """,
    )
    assert len(findings) == 2
    assert SECRET_VALUE not in " ".join(map(str, findings))


def test_the_region_of_the_terraform_provider_counts_where_no_place_is_named(tree: Tree) -> None:
    tree.write("environments/small.yaml", "division: Home\n")
    environ = {"GENESYSCLOUD_REGION": "eu-central-1"}
    assert tree.environment("small", environ).org.region == "eu-central-1"
    assert tree.environment("prod", environ).org.region == "eu-west-1"


def test_credentials_come_from_the_named_variables_and_a_token_wins(tree: Tree) -> None:
    tree.write("environments/own.yaml", "org: {region: a}\ncredentials: {client_secret: {env: MINE}}\n")
    credentials = tree.environment("own").credentials
    with pytest.raises(ReconcilerError) as caught:
        credentials.resolve({"GENESYSCLOUD_OAUTHCLIENT_ID": "id"})
    assert "MINE is not set" in caught.value.message
    values = credentials.resolve({"GENESYSCLOUD_OAUTHCLIENT_ID": "id", "MINE": SECRET_VALUE})
    assert (values.client_id, values.client_secret, values.access_token) == ("id", SECRET_VALUE, None)
    assert SECRET_VALUE not in repr(values)
    assert credentials.resolve({"GENESYSCLOUD_ACCESS_TOKEN": "tok"}).access_token == "tok"


def test_keys_left_blank_count_as_missing(tree: Tree) -> None:
    tree.write("environments/blank.yaml", "org: {region: a}\nvariables:\npolicy:\nledger:\n")
    assert tree.environment("blank").variables == {}


def test_the_schema_for_editors_requires_nothing_and_knows_all_keys() -> None:
    schema = environment_schema()
    assert "required" not in schema
    assert set(schema["properties"]) == set(EnvironmentFile.model_fields)
    assert all("description" in key for key in schema["properties"].values())
    assert schema["additionalProperties"] is False
