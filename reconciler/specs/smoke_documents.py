"""Reads the documents of a rendered file of smoke tests, and finds whatever is wrong with each by itself."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from reconciler.archy.model import Path
from reconciler.archy.yaml import YamlError, load_documents
from reconciler.problems import Finding
from reconciler.specs.documents import Reader, secrets_in, yaml_finding
from reconciler.specs.environment_problems import expectation, given
from reconciler.specs.origins import VariableOrigins
from reconciler.specs.secrets import SecretVariable
from reconciler.specs.smoke import ROOT, WORKFLOW, Expect, Expectation, SmokeDocument, SmokeTest
from reconciler.specs.template import Rendered
from reconciler.suggest import near

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

HOWS = ("equals", "matches", "present", "absent")
OUTPUTS: Path = (ROOT, "expect", "outputData")


class Located:
    """One test and where its parts are written."""

    def __init__(self, test: SmokeTest, reader: Reader) -> None:
        self.test = test
        self._reader = reader

    def finding(self, id_: str, message: str, path: Path, remedy: str) -> Finding:
        """An error about the part at ``path``, which begins with the root key."""
        return self._reader.finding(id_, message, path, remedy)


def read_smoke_tests(
    rendered: Rendered, secrets: Sequence[SecretVariable], environment: str, origins: VariableOrigins
) -> tuple[list[Located], list[Finding]]:
    """The tests of one file, and everything that is wrong with it."""
    try:
        documents = load_documents(rendered.text)
    except YamlError as error:
        return [], [yaml_finding(rendered, error, environment)]
    tests: list[Located] = []
    findings: list[Finding] = []
    for index, document in enumerate(documents):
        reader = Reader(rendered, index, document, origins)
        try:
            data = _body(reader)
            body = SmokeDocument.model_validate(data)
        except _Wrong as wrong:
            findings.append(wrong.finding)
            continue
        except ValidationError as error:
            findings += [_explain(reader, detail) for detail in error.errors(include_url=False)]
            continue
        used = secrets_in(document.text, secrets)
        wrong_here = [*_output_findings(reader, body), *_secret_findings(reader, body, used)]
        findings += wrong_here
        if not wrong_here:
            line = rendered.line_of(document.line)
            tests.append(Located(_test(body, rendered.file, line, used), reader))
    return tests, findings


class _Wrong(Exception):
    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.message)
        self.finding = finding


def _body(reader: Reader) -> Any:
    data = reader.document.data
    if not isinstance(data, Mapping) or len(data) != 1:
        keys = list(data) if isinstance(data, Mapping) else []
        message = f"A document of a file of smoke tests has one root key, {ROOT}:"
        message += f"; this one has {', '.join(keys[:5])}." if keys else "."
        remedy = "Indent what belongs to the first key, or start a new document with `---`."
        raise _Wrong(reader.finding("not-one-root-key", message, tuple(keys[1:2]), remedy))
    (root,) = data
    if root != ROOT:
        message = f"A file that holds smoke tests holds nothing else; {root!r} is no smoke test."
        remedy = f"Write `{ROOT}:`, or move it to another file."
        raise _Wrong(reader.finding("not-a-smoke-test", message, (root,), remedy))
    # A key that is left empty counts as not given, as in environment files; an empty input stays what it is.
    body = data[root]
    return {key: value for key, value in body.items() if value is not None} if isinstance(body, Mapping) else body


def _explain(reader: Reader, detail: ErrorDetails) -> Finding:
    path: Path = (ROOT, *detail["loc"])
    dotted = ".".join(str(step) for step in path)
    match detail["type"]:
        case "extra_forbidden":
            known = list((Expect if path[1:2] == ("expect",) else SmokeDocument).model_fields)
            remedy = f"{near(str(path[-1]), known)}Known keys here: {', '.join(known)}."
            return reader.finding("unknown-key", f"There is no key {dotted!r}.", path, remedy)
        case "missing":
            return reader.finding("missing-key", f"A smoke test needs `{path[-1]}`.", path[:-1], f"Add `{path[-1]}:`.")
        case "string_pattern_mismatch":
            return reader.finding("bad-value", f"{dotted} must not be empty.", path, "Give it a value.")
        case kind:
            message = f"{dotted} {expectation(kind, detail)}{given(detail['input'])}."
            return reader.finding("bad-value", message, path, "Correct the value.")


def _test(body: SmokeDocument, file: str, line: int, used: tuple[str, ...]) -> SmokeTest:
    return SmokeTest(
        name=body.name,
        flow=body.flow if "/" in body.flow else f"{WORKFLOW}/{body.flow}",
        file=file,
        line=line,
        inputs=body.inputData,
        status=body.expect.status,
        outputs=tuple(_expectation(name, value) for name, value in body.expect.outputData.items()),
        timeout=body.timeout,
        secrets=used,
    )


def _expectation(name: str, value: Any) -> Expectation:
    if not isinstance(value, Mapping):
        return Expectation(name, "equals", value)
    ((how, given_value),) = value.items()
    return Expectation(name, how, given_value if how in ("equals", "matches") else None)


def _output_findings(reader: Reader, body: SmokeDocument) -> Iterator[Finding]:
    expect = body.expect
    if expect.outputData and expect.status != "COMPLETED":
        yield reader.finding(
            "outputs-without-completion",
            f"Outputs are expected, but the org gives none of an execution that ends as {expect.status}.",
            OUTPUTS,
            "Expect the status COMPLETED, or no outputs.",
        )
    for name, value in expect.outputData.items():
        wrong = _wrong_expectation(name, value)
        if wrong is not None:
            yield reader.finding("bad-expectation", wrong[0], (*OUTPUTS, name), wrong[1])


def _wrong_expectation(name: str, value: Any) -> tuple[str, str] | None:
    """What is wrong with an expectation, and what to do."""
    forms = "{equals: …}, {matches: …}, {present: true} or {absent: true}"
    if value is None:
        return f"Nothing is expected of {name}.", "Give a value; for an output that must not be set, {absent: true}."
    if not isinstance(value, Mapping):
        return None
    if len(value) != 1 or next(iter(value)) not in HOWS:
        return (
            f"What is expected of {name} is none of {forms}.",
            f"{near(str(next(iter(value), '')), HOWS)}To compare with a mapping, write {{equals: …}} around it.",
        )
    ((how, wanted),) = value.items()
    if how in ("present", "absent") and wanted is not True:
        return f"{name}: {how} must be true.", f"Write {{{how}: true}}, or the contrary."
    if how == "equals" and wanted is None:
        return f"{name}: equals has no value.", "Give one; for an output that must not be set, {absent: true}."
    return _wrong_pattern(name, wanted) if how == "matches" else None


def _wrong_pattern(name: str, pattern: Any) -> tuple[str, str] | None:
    if not isinstance(pattern, str):
        return f"{name}: a regular expression must be text.", "Put it in single quotes."
    try:
        re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        return f"{name}: {pattern!r} is no regular expression: {error}.", "Correct it; it is read as Python reads them."
    return None


def _secret_findings(reader: Reader, body: SmokeDocument, used: Sequence[str]) -> Iterator[Finding]:
    """Names are shown and looked up, and a pattern made of a secret's text would mean something else."""
    places: list[tuple[Any, Path]] = [(body.name, (ROOT, "name")), (body.flow, (ROOT, "flow"))]
    places += [(name, (ROOT, "inputData", name)) for name in body.inputData]
    for name, value in body.expect.outputData.items():
        places.append((name, (*OUTPUTS, name)))
        if isinstance(value, Mapping):
            places.append((value.get("matches"), (*OUTPUTS, name)))
    for secret in used:
        for text, path in places:
            if isinstance(text, str) and f"(secret {secret})" in text:
                yield reader.finding(
                    "secret-in-name",
                    f"The secret {secret} stands in a name or a pattern.",
                    path,
                    "Secrets can be values of inputs and of outputs, and nothing else.",
                )
