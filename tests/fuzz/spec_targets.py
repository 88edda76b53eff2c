"""Targets that read specs and environments: what a person writes, spoilt."""

from __future__ import annotations

from functools import cache

from fuzz.choices import Choices
from fuzz.harness import Crash, target
from fuzz.materials import CANARY, INCLUDE, MemorySource, environments, estate, flows, smoke_files
from fuzz.mutations import spoilt_bytes, spoilt_text

from reconciler.cli.output import document, say
from reconciler.engine.estate import estate_of
from reconciler.engine.planner import check_order
from reconciler.kinds.registry import kind_of
from reconciler.problems import Severity, SpecError
from reconciler.report.charts import dot, mermaid
from reconciler.report.charts.estate import estate_chart
from reconciler.report.charts.flow import flow_chart
from reconciler.report.text import findings_text
from reconciler.specs import Environment, load_catalog, load_environment

SECRETS = {"TOKEN": CANARY, "CRM_TOKEN": CANARY, "CRM_TOKEN_DEV": CANARY, "CRM_TOKEN_TEST": CANARY}
WORKFLOW = "flows/customer-data/look-up-customer.yaml"
FILES = {f"environments/{name}.yaml": text.encode() for name, text in environments().items()}


@target
def spec_text(choices: Choices) -> None:
    """One spec file."""
    text = spoilt_text(choices, choices.pick(flows()))
    data = spoilt_bytes(choices, text.encode("utf-8", "replace"))
    _load({"flows/a.yaml": data, "shared/_a.yaml": INCLUDE.encode()}, _environment())


@target
def spec_files(choices: Choices) -> None:
    """Several files that include each other, the example estate's among them."""
    files = {f"flows/{number}.yaml": choices.pick(flows()).encode() for number in range(choices.number(3))}
    for path in ("shared/_a.yaml", "shared/_b.yaml", "shared/c.yaml"):
        text = spoilt_text(choices, choices.pick((INCLUDE, "{% include '_a.yaml' %}", *flows()[:3])))
        files[path] = spoilt_bytes(choices, text.encode("utf-8", "replace"))
    known = sorted(estate())
    for path in {choices.pick(known) for _ in range(3)}:
        text = spoilt_text(choices, estate()[path]) if choices.chance(2) else estate()[path]
        files[path] = text.encode("utf-8", "replace")
    _load(files, _environment())


@target
def environment_files(choices: Choices) -> None:
    """Environment files along ``extends``; what is accepted is used to render a spec."""
    texts = environments() | {"other": "extends: fuzz\ndivision: Sales\n"}
    spoilt = choices.pick(("fuzz", "_base", "dev", "other"))
    files = {f"environments/{name}.yaml": text.encode() for name, text in texts.items()}
    text = spoilt_text(choices, texts[spoilt])
    files[f"environments/{spoilt}.yaml"] = spoilt_bytes(choices, text.encode("utf-8", "replace"))
    environment = load_environment(MemorySource(files), choices.pick(("fuzz", "fuzz", "other", "dev")), environ={})
    files["flows/a.yaml"] = flows()[0].encode()
    _load(files, environment)


@target
def smoke_tests(choices: Choices) -> None:
    """A file of smoke tests beside the workflow that it is about."""
    text = spoilt_text(choices, choices.pick(smoke_files()))
    data = spoilt_bytes(choices, text.encode("utf-8", "replace"))
    _load({WORKFLOW: estate()[WORKFLOW].encode(), "tests/smoke/a.yaml": data}, _environment(), tests=True)


def _load(files: dict[str, bytes], environment: Environment, *, tests: bool = False) -> None:
    """What ``validate`` and ``graph`` do, and what ``apply`` takes for an upload."""
    source = MemorySource({**FILES, **files})
    try:
        catalog = load_catalog(source, environment, secret_env=SECRETS, tests=tests)
        check_order(catalog)
    except SpecError as error:
        _check_places(error, source)
        raise
    chart = estate_chart(estate_of(catalog), "fuzz")
    document(mermaid(chart))
    document(dot(chart))
    say(findings_text(catalog.findings))
    for desired in catalog.resources.values():
        content = desired.content
        if CANARY in content.text:
            raise Crash(f"The secret stands in what is shown of {desired.address}")
        for reference in desired.references:
            desired.locate(reference.path)
        if kind_of(desired.kind).content_in_versions:
            document(mermaid(flow_chart(desired.root, content.body)))
            document(dot(flow_chart(desired.root, content.body)))
        if content.upload is None and {secret.env for secret in environment.secrets} <= set(SECRETS):
            raise Crash(f"{desired.address} has nothing to upload although all secrets are set")


def _check_places(error: SpecError, source: MemorySource) -> None:
    """Each error names its file and, but for what is wrong with the whole file, a line that exists."""
    for finding in error.findings:
        if finding.severity is not Severity.ERROR:
            continue
        if finding.file is None or finding.file not in source.files:
            raise Crash(f"No file of the repository is named: {finding}")
        lines = source.files[finding.file].count(b"\n") + source.files[finding.file].count(b"\r") + 1
        if finding.line is not None and not 1 <= finding.line <= lines:
            raise Crash(f"There is no line {finding.line} in {finding.file}: {finding}")
        if not finding.message or len(str(finding)) > 20_000:
            raise Crash(f"The message is empty or has no end: {str(finding)[:300]}")


@cache
def _environment() -> Environment:
    return load_environment(MemorySource(FILES), "fuzz", environ={})
