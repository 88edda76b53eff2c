"""Reads the documents of one rendered file: one root key each, a known kind, and nothing wrong inside."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from reconciler.archy.model import Certainty, Path, Problem
from reconciler.archy.yaml import Document, YamlError, load_documents, locate
from reconciler.kinds.base import Inspection, Kind
from reconciler.kinds.registry import all_kinds, kind_of_root
from reconciler.problems import Finding, Location, Severity
from reconciler.specs.artifacts import Artifact
from reconciler.specs.origins import VariableOrigins
from reconciler.specs.secrets import SecretVariable
from reconciler.specs.template import Rendered
from reconciler.specs.yamltext import to_yaml
from reconciler.suggest import near

MOST_FINDINGS = 200
"""Of one file: nobody reads more, and a file of another sort has millions."""
LONGEST_MESSAGE = 2000
"""Characters of a message that may quote values of the specs."""
SHOWN = 100
"""Characters of a rendered line that a message quotes."""


def read_documents(
    rendered: Rendered,
    secrets: Sequence[SecretVariable],
    environment: str,
    origins: VariableOrigins,
    *,
    closely: bool = True,
) -> tuple[list[Artifact], list[Finding]]:
    """What the documents of a file are, and everything that is wrong with them.

    A document whose kind and name are known is there even if something in it is wrong, so that documents can
    be checked against each other in the same run. ``closely`` asks each kind for what is wrong on closer reading.
    """
    try:
        documents = load_documents(rendered.text)
    except YamlError as error:
        return [], [yaml_finding(rendered, error, environment)]
    artifacts: list[Artifact] = []
    findings: list[Finding] = []
    for index, document in enumerate(documents):
        if sum(finding.severity is Severity.ERROR for finding in findings) > MOST_FINDINGS:
            break
        artifact, wrong = _read_document(Reader(rendered, index, document, origins), secrets, closely=closely)
        findings += wrong
        if artifact:
            artifacts.append(artifact)
    return artifacts, _most_important(rendered, findings)


def _most_important(rendered: Rendered, findings: list[Finding]) -> list[Finding]:
    """All findings, or as many as anybody reads, errors first, and one that says so."""
    if len(findings) <= MOST_FINDINGS:
        return findings
    told = sorted(findings, key=lambda finding: finding.severity is not Severity.ERROR)[:MOST_FINDINGS]
    severity = Severity.ERROR if told[0].severity is Severity.ERROR else Severity.INFO
    return [*told, _more(rendered, severity)]


def location_of(rendered: Rendered, index: int, path: Path) -> Location:
    """Where the value at ``path`` of a document was written; its nearest parent where there is no such value."""
    try:
        line, column = locate(rendered.text, path, document=index)
    except YamlError:
        return rendered.location(1)
    return rendered.location(line, column)


def secrets_in(text: str, secrets: Iterable[SecretVariable]) -> tuple[str, ...]:
    """Names of the secrets whose placeholders stand in the text, plain or as the yaml filter writes them."""
    return tuple(
        secret.name for secret in secrets if secret.placeholder in text or to_yaml(secret.placeholder)[1:-1] in text
    )


def canonical_roots() -> list[str]:
    """The root keys that messages name, sorted; those that are only other words for one of them are left out."""
    return sorted(root for kind in all_kinds() for root in kind.roots if root in kind.kinds)


class Reader:
    """One document and where it came from."""

    def __init__(self, rendered: Rendered, index: int, document: Document, origins: VariableOrigins) -> None:
        self.rendered = rendered
        self.index = index
        self.document = document
        self.origins = origins

    def finding(
        self,
        id_: str,
        message: str,
        path: Path,
        remedy: str | None,
        severity: Severity = Severity.ERROR,
        address: str | None = None,
    ) -> Finding:
        """A finding about the value at ``path``."""
        place = location_of(self.rendered, self.index, path)
        # What is no error is kept between runs, and lines of environment files may move meanwhile.
        lasting = severity is not Severity.ERROR
        noted = self.rendered.templated and not lasting
        origin = self.origins.note(place, _value_at(self.document.data, path)) if noted else ""
        return Finding(
            id=id_,
            severity=severity,
            message=_bounded(message) + included_by(self.rendered, place),
            address=address,
            file=place.file,
            line=place.line,
            column=place.column,
            remedy=f"{remedy or ''}{origin}".strip() or None,
        )


def _bounded(message: str) -> str:
    """Messages quote what is written; nobody reads more than a few lines of that."""
    return message if len(message) <= LONGEST_MESSAGE else f"{message[:LONGEST_MESSAGE]}…"


def _value_at(node: Any, path: Path) -> Any:
    """What stands at the path, None where it leads nowhere."""
    for step in path:
        if isinstance(node, Mapping) and step in node:
            node = node[str(step)]
        elif isinstance(node, list) and isinstance(step, int) and step < len(node):
            node = node[step]
        else:
            return None
    return node


def _read_document(
    reader: Reader, secrets: Sequence[SecretVariable], *, closely: bool
) -> tuple[Artifact | None, list[Finding]]:
    data = reader.document.data
    if not isinstance(data, Mapping) or len(data) != 1:
        return None, [_shape_finding(reader)]
    root = next(iter(data))
    kind = kind_of_root(root)
    if kind is None:
        known = canonical_roots()
        remedy = f"{near(root, known)}Known kinds: {', '.join(known)}."
        return None, [reader.finding("unknown-kind", f"There is no kind {root!r}.", (root,), remedy)]
    inspection = kind.inspect(root, data[root])
    used = secrets_in(reader.document.text, secrets)
    address = f"{inspection.kind}/{inspection.name}" if inspection.name else None
    closer = kind.analyse(root, data[root]) if closely else ()
    problems = sorted((*inspection.problems, *closer), key=lambda each: each.severity != Severity.ERROR)
    findings = [_problem_finding(reader, problem, address) for problem in problems[: MOST_FINDINGS + 1]]
    findings += _secret_findings(reader, kind, inspection, used, address)
    if not inspection.name:
        if not findings:
            findings.append(reader.finding("missing-name", f"This {root} has no name.", (root,), "Add `name:` to it."))
        return None, findings
    artifact = Artifact(
        index=reader.index,
        kind=inspection.kind,
        root=root,
        name=inspection.name,
        line=reader.rendered.line_of(reader.document.line),
        digest=inspection.digest,
        division=inspection.division,
        references=inspection.references,
        secrets=used,
        claims=tuple(sorted(kind.claims(inspection.canonical))),
        interface=kind.interface(root, data[root]),
        size=len(reader.document.text.encode()),
    )
    return artifact, findings


def _problem_finding(reader: Reader, problem: Problem, address: str | None) -> Finding:
    severity = Severity(problem.severity)
    return reader.finding(problem.id, problem.message, problem.path, problem.remedy, severity, address)


def _shape_finding(reader: Reader) -> Finding:
    data = reader.document.data
    remedy = "Write `inboundCall:`, `ivr:` or another kind at the left edge and indent everything below it."
    path: Path = ()
    message = "A document must be a mapping with one root key, its kind."
    if isinstance(data, Mapping) and data:
        keys = list(data)
        path = (keys[1],)
        message = f"A document has one root key, its kind; this one has {len(keys)}: {', '.join(keys[:5])}."
        remedy = "Indent what belongs to the first key, or start a new document with `---`."
    return reader.finding("not-one-root-key", message, path, remedy)


def _secret_findings(
    reader: Reader, kind: Kind, inspection: Inspection, used: Sequence[str], address: str | None
) -> list[Finding]:
    """Names are looked up and shown, and fields are compared, so neither can hold what must not be seen."""
    root = next(iter(reader.document.data))
    static = [each for each in inspection.references if each.certainty is not Certainty.DYNAMIC]
    findings = []
    for name in used:
        placeholder = f"(secret {name})"
        named = [(inspection.name, (root, "name")), *((each.name, each.path) for each in static)]
        findings += [
            reader.finding(
                "secret-in-name",
                f"The secret {name} stands in a name.",
                path,
                "Use a variable that is no secret for names.",
                address=address,
            )
            for text, path in named
            if placeholder in text
        ]
        if not kind.content_in_versions:
            findings.append(
                reader.finding(
                    "secret-in-fields",
                    f"The secret {name} stands in a document of kind {inspection.kind}.",
                    (root,),
                    "Only flows can hold secrets; use a variable that is no secret.",
                    address=address,
                )
            )
    return findings


def _more(rendered: Rendered, severity: Severity) -> Finding:
    return Finding(
        id="more-problems",
        severity=severity,
        message=f"There is more wrong with this file than the {MOST_FINDINGS} problems told here.",
        file=rendered.file,
        line=1,
        remedy="Correct these first.",
    )


def yaml_finding(rendered: Rendered, error: YamlError, environment: str) -> Finding:
    """What makes a rendered file no YAML."""
    place = rendered.location(error.line, error.column)
    remedy = error.remedy or "Correct the YAML."
    if rendered.templated:
        lines = rendered.text.split("\n")
        line = lines[error.line - 1].strip() if error.line <= len(lines) else ""
        shown = line if len(line) <= SHOWN else f"{line[:SHOWN]}…"
        remedy += f" Rendered for the environment {environment}, the line reads: {shown}"
    return Finding(
        id="yaml-syntax",
        message=error.message + included_by(rendered, place),
        file=place.file,
        line=place.line,
        column=place.column,
        remedy=remedy,
    )


def included_by(rendered: Rendered, place: Location) -> str:
    """Names the spec file where a place lies in an include."""
    return "" if place.file == rendered.file else f" (Included by {rendered.file}.)"
