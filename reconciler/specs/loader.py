"""All specs of one source for one environment: found, rendered, read and checked, with every error at once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from types import MappingProxyType

from reconciler.kinds.base import Desired
from reconciler.problems import Finding, Severity, Silenced, SpecError
from reconciler.specs.artifacts import Artifact, ArtifactCache, FileArtifacts, entry_key, variables_digest
from reconciler.specs.checks import Entry, check_documents
from reconciler.specs.content import SpecFile, SpecReader
from reconciler.specs.documents import read_documents
from reconciler.specs.environment import Environment
from reconciler.specs.origins import VariableOrigins
from reconciler.specs.policy import idle_globs
from reconciler.specs.silence import apply_silences, unused_silences
from reconciler.specs.smoke import SmokeTest, smoke_paths
from reconciler.specs.smoke_checks import check_smoke_tests
from reconciler.specs.smoke_documents import Located, read_smoke_tests
from reconciler.specs.source import Source
from reconciler.specs.template import text_digest

DIRECTORIES = ("shared", "flows")
ENDINGS = (".yaml", ".yml")


@dataclass(frozen=True)
class Catalog:
    """What the specs want in one environment."""

    resources: Mapping[str, Desired]
    """By address, in the order of the addresses."""
    digest: str
    """SHA-256 (hex) over all addresses, divisions and digests; the values of secrets have no part in it."""
    findings: tuple[Finding, ...]
    """Warnings and remarks; errors are raised."""
    silenced: tuple[Silenced, ...] = ()
    """What the environment silences, errors too."""
    smoke_tests: tuple[SmokeTest, ...] = ()
    """In the order of their files; only where they were asked for. They are no part of the digest."""


def load_catalog(
    source: Source,
    environment: Environment,
    *,
    secret_env: Mapping[str, str] | None = None,
    cache: ArtifactCache | None = None,
    closely: bool = True,
    tests: bool = False,
) -> Catalog:
    """Reads all specs.

    ``secret_env`` is where the values of secrets are looked up; None works offline, with placeholders only, and
    leaves ``Content.upload`` empty where a text needs a secret. What ``cache`` knows is not rendered again.
    ``closely=False`` leaves out what only a closer reading of each document shows, for specs of old. ``tests`` reads
    the smoke tests too; what is wrong with them is an error like any other.

    Raises:
        SpecError: with every error of every file; warnings are in it as well.
    """
    loaded = _Loading(source, environment, secret_env, cache, closely=closely)
    paths = spec_paths(source)
    for path in paths:
        loaded.read(path)
    loaded.store()
    findings = [*loaded.findings, *check_documents(loaded.entries, loaded.origins)]
    smoke_tests, wrong = loaded.smoke_tests() if tests else ((), [])
    findings += wrong
    if not paths:
        findings.append(_no_specs(source))
    silences = environment.findings.silence if closely else ()
    findings, silenced, unused = apply_silences(findings, silences)
    if any(finding.severity is Severity.ERROR for finding in findings):
        raise SpecError(findings, silenced)
    if unused:
        findings += unused_silences(unused, silences, loaded.origins.layers)
    resources = {entry.desired.address: entry.desired for entry in loaded.entries}
    if closely:
        findings += idle_globs(environment.policy, resources, environment.place)
    ordered = {address: resources[address] for address in sorted(resources)}
    return Catalog(MappingProxyType(ordered), _digest(ordered), tuple(findings), tuple(silenced), smoke_tests)


def spec_paths(source: Source) -> list[str]:
    """The spec files: YAML in shared/ and flows/; names that start with ``_`` or ``.`` are no specs."""
    return [path for directory in DIRECTORIES for path in source.list(directory) if _is_spec(path)]


class _Loading:
    """One run through all files."""

    def __init__(
        self,
        source: Source,
        environment: Environment,
        secret_env: Mapping[str, str] | None,
        cache: ArtifactCache | None,
        *,
        closely: bool,
    ) -> None:
        self.source = source
        self.environment = environment
        self.reader = SpecReader(source, environment, secret_env)
        self.origins = VariableOrigins(source, environment)
        self.entries: list[Entry] = []
        self.findings: list[Finding] = []
        self._cache = cache
        self._closely = closely
        self._variables = variables_digest(environment.variables)
        self._fresh: dict[str, FileArtifacts] = {}
        self._include_digests: dict[str, str] = {}

    def read(self, path: str) -> None:
        """Takes in one file, from the cache where it is there."""
        try:
            text = self.source.read(path)
        except SpecError as error:
            self.findings += error.findings
            return
        if self._cache is None:
            self._read_afresh(path, text)
            return
        key = entry_key(path, text, self._variables)
        known = self._cache.get(key)
        if known is not None and self._includes_unchanged(known.includes):
            self._add(SpecFile(self.reader, path, text, None), known.documents)
            self.findings += known.findings if self._closely else ()
            return
        fresh = self._read_afresh(path, text)
        if fresh is not None and self._closely:
            self._fresh[key] = fresh

    def smoke_tests(self) -> tuple[tuple[SmokeTest, ...], list[Finding]]:
        """The smoke tests beside the specs, checked against what was read; and what is wrong with them."""
        found: list[Located] = []
        findings: list[Finding] = []
        for path, text in smoke_paths(self.source):
            try:
                rendered = self.reader.shown.render(path, text)
            except SpecError as error:
                findings += error.findings
                continue
            read, wrong = read_smoke_tests(rendered, self.reader.secret_variables, self.environment.name, self.origins)
            found += read
            findings += wrong
        resources = {entry.desired.address: entry.desired for entry in self.entries}
        return tuple(located.test for located in found), [*findings, *check_smoke_tests(found, resources)]

    def store(self) -> None:
        """Puts what was read afresh into the cache, and lets go of its files."""
        if self._cache is not None:
            self._cache.put(self._fresh)
            self._cache.close()

    def _read_afresh(self, path: str, text: str) -> FileArtifacts | None:
        """Renders and reads a file; gives what may be cached, None where there are errors."""
        try:
            rendered = self.reader.shown.render(path, text)
        except SpecError as error:
            self.findings += error.findings
            return None
        artifacts, findings = read_documents(
            rendered, self.reader.secret_variables, self.environment.name, self.origins, closely=self._closely
        )
        self._add(SpecFile(self.reader, path, text, rendered), artifacts)
        self.findings += findings
        if any(finding.severity is Severity.ERROR for finding in findings):
            return None
        return FileArtifacts(tuple(artifacts), rendered.includes, tuple(findings))

    def _add(self, file: SpecFile, artifacts: Iterable[Artifact]) -> None:
        default = self.environment.division
        self.entries += [Entry(file.desired(artifact, default), artifact.claims) for artifact in artifacts]

    def _includes_unchanged(self, includes: Mapping[str, str]) -> bool:
        return all(self._include_digest(path) == digest for path, digest in includes.items())

    def _include_digest(self, path: str) -> str:
        if path not in self._include_digests:
            try:
                self._include_digests[path] = text_digest(self.source.read(path))
            except SpecError:
                self._include_digests[path] = ""
        return self._include_digests[path]


def _is_spec(path: str) -> bool:
    parts = PurePosixPath(path).parts
    return path.endswith(ENDINGS) and not any(part.startswith(("_", ".")) for part in parts)


def _digest(resources: Mapping[str, Desired]) -> str:
    rows = [[address, desired.digest, desired.division] for address, desired in resources.items()]
    return hashlib.sha256(json.dumps(rows, separators=(",", ":")).encode()).hexdigest()


def _no_specs(source: Source) -> Finding:
    return Finding(
        id="no-specs",
        severity=Severity.WARNING,
        message=f"There are no spec files in shared/ and flows/ of the {source.label}.",
        remedy="Run the command in the root of the repository.",
    )
