"""The heavy part of a desired resource, made when somebody asks: its text, its tree, and what is uploaded.

A file is rendered a second time, with the real secrets, only for documents that hold one. The two renderings
must differ in nothing but the values of the secrets; otherwise a template did something with a secret that
could neither be shown nor masked, and that is an error.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from reconciler.archy.model import Path
from reconciler.archy.yaml import Document, YamlError, load_documents
from reconciler.kinds.base import Content, Desired
from reconciler.kinds.registry import kind_of_root
from reconciler.problems import Finding, Location, SpecError
from reconciler.specs.artifacts import Artifact
from reconciler.specs.documents import location_of
from reconciler.specs.environment import Environment
from reconciler.specs.secrets import SecretValues
from reconciler.specs.source import Source
from reconciler.specs.template import Rendered, Renderer
from reconciler.specs.variables import secret_variables, with_placeholders, with_values


class SpecReader:
    """What all files of one run share: the renderers and the secrets."""

    def __init__(self, source: Source, environment: Environment, secret_env: Mapping[str, str] | None) -> None:
        """``secret_env`` None: no secret has a value here."""
        variables = environment.variables
        self.environment = environment.name
        self.secret_variables = secret_variables(variables)
        self.secrets = SecretValues.resolve(self.secret_variables, secret_env or {})
        self.shown = Renderer(source, with_placeholders(variables), environment.name)
        """With placeholders: for everything that is digested, shown or stored."""
        self.real = Renderer(source, with_values(variables, self.secrets), environment.name, real_secrets=True)
        """With the values of secrets: for uploads only."""


class SpecFile:
    """One spec file; rendered again when needed if it came out of the cache."""

    def __init__(self, reader: SpecReader, path: str, text: str, rendered: Rendered | None) -> None:
        """``text`` is the source as it was read; ``rendered`` what it gave, where that is known."""
        self._reader = reader
        self._path = path
        self._text = text
        self._rendered = rendered

    def desired(self, artifact: Artifact, default_division: str | None) -> Desired:
        """The resource that one document describes."""
        return Desired(
            kind=artifact.kind,
            root=artifact.root,
            name=artifact.name,
            file=self._path,
            line=artifact.line,
            digest=artifact.digest,
            division=artifact.division or default_division,
            references=artifact.references,
            secrets=artifact.secrets,
            interface=artifact.interface,
            load=lambda: self._content(artifact),
            locate=lambda path: self._locate(artifact, path),
            size=artifact.size,
        )

    def _content(self, artifact: Artifact) -> Content:
        document = self._document(artifact)
        body = document.data[artifact.root]
        kind = kind_of_root(artifact.root)
        assert kind is not None
        inspection = kind.inspect(artifact.root, body)
        if inspection.digest != artifact.digest:
            raise self._changed(artifact)
        return Content(body, document.text, inspection.canonical, self._upload(artifact, document))

    def _document(self, artifact: Artifact) -> Document:
        documents = load_documents(self._render().text)
        if artifact.index >= len(documents) or artifact.root not in documents[artifact.index].data:
            raise self._changed(artifact)
        return documents[artifact.index]

    def _render(self) -> Rendered:
        if self._rendered is None:
            self._rendered = self._reader.shown.render(self._path, self._text)
        return self._rendered

    def _locate(self, artifact: Artifact, path: Path) -> Location:
        try:
            return location_of(self._render(), artifact.index, path)
        except SpecError:
            return Location(file=self._path, line=artifact.line)

    def _upload(self, artifact: Artifact, document: Document) -> str | None:
        if not artifact.secrets:
            return document.text
        values = {name: self._reader.secrets.get(name) for name in artifact.secrets}
        known = {name: value for name, value in values.items() if value is not None}
        if len(known) < len(values):
            return None
        real = self._real_document(artifact)
        if real is None or real.data != with_secrets(document.data, known):
            raise self._differs(artifact)
        return real.text

    def _real_document(self, artifact: Artifact) -> Document | None:
        # Messages of these errors could hold the value of a secret, so they are not passed on.
        try:
            text = self._reader.real.render(self._path, self._text).text
            documents = load_documents(text)
        except (SpecError, YamlError):
            return None
        return documents[artifact.index] if artifact.index < len(documents) else None

    def _changed(self, artifact: Artifact) -> SpecError:
        return SpecError(
            [
                Finding(
                    id="changed-while-reading",
                    message=f"{self._path} or one of its includes changed while it was being read.",
                    address=f"{artifact.kind}/{artifact.name}",
                    file=self._path,
                    remedy="Run the command again.",
                )
            ]
        )

    def _differs(self, artifact: Artifact) -> SpecError:
        names = ", ".join(artifact.secrets)
        return SpecError(
            [
                Finding(
                    id="secret-changes-document",
                    message=f"With the real values of its secrets ({names}) in the environment "
                    f"{self._reader.environment}, the document is not the same YAML any more.",
                    address=f"{artifact.kind}/{artifact.name}",
                    file=self._path,
                    line=artifact.line,
                    remedy="Write secrets as `{{ name | yaml }}` and use them for nothing else in templates.",
                )
            ]
        )


def with_secrets(node: Any, values: Mapping[str, str]) -> Any:
    """The tree with each placeholder replaced by its value."""
    if not values:
        return node
    pattern = re.compile("|".join(re.escape(f"(secret {name})") for name in values))

    def fill(part: Any) -> Any:
        if isinstance(part, str):
            return pattern.sub(lambda match: values[match[0].removeprefix("(secret ")[:-1]], part)
        if isinstance(part, Mapping):
            return {fill(key): fill(item) for key, item in part.items()}
        if isinstance(part, list):
            return [fill(item) for item in part]
        return part

    return fill(node)
