"""Renders spec files: source text and variables in, text with a line map and everything that was wrong out."""

from __future__ import annotations

import hashlib
import sys
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from types import GeneratorType
from typing import Any, cast

from jinja2 import Template
from jinja2.environment import Environment as JinjaEnvironment
from jinja2.exceptions import TemplateNotFound
from jinja2.loaders import BaseLoader

from reconciler.problems import Finding, Location, SpecError
from reconciler.specs.jinja import SpecEnvironment, include_path
from reconciler.specs.linemap import LineMap, Piece
from reconciler.specs.source import Source
from reconciler.specs.template_problems import Explainer, line_of_text
from reconciler.specs.undefined import UndefinedUse, template_places
from reconciler.specs.yamltext import to_yaml

MAX_OUTPUT = 20_000_000
"""Characters that one file may render to."""
_MARKERS = ("{{", "{%", "{#")


@dataclass(frozen=True)
class Rendered:
    """One rendered file."""

    file: str
    text: str
    includes: Mapping[str, str]
    """Every file included or imported → SHA-256 (hex) of its text; "" for one looked for and not there."""
    _lines: LineMap | None = field(repr=False)
    _source_line: Callable[[str, int], str] = field(repr=False)

    @property
    def templated(self) -> bool:
        """Whether the file holds anything for Jinja2 at all."""
        return self._lines is not None

    def line_of(self, rendered_line: int) -> int:
        """The line of the file that wrote a line of the text; for an include, the line of its statement."""
        if self._lines is None:
            return min(max(rendered_line, 1), self.text.count("\n") + 1)
        return self._lines.root_line(rendered_line)

    def location(self, line: int, column: int | None = None) -> Location:
        """Where a place in the text was written, which may be an included file.

        The column is given only where it is exact: nothing before it in its line came from an expression.
        """
        if self._lines is None:
            return Location(file=self.file, line=self.line_of(line), column=column)
        file, source_line = self._lines.source(line, column)
        if column is not None:
            rendered = self.text.split("\n")[line - 1 : line] or [""]
            if rendered[0][:column] != self._source_line(file, source_line)[:column]:
                column = None
        return Location(file=file, line=source_line, column=column)


class Renderer:
    """Renders the specs of one environment out of one source; compiled includes are shared between files."""

    def __init__(
        self, source: Source, variables: Mapping[str, Any], environment: str, *, real_secrets: bool = False
    ) -> None:
        """``variables`` as ``with_placeholders`` makes them, or ``with_values`` for ``real_secrets``."""
        self._checks_secrets = not real_secrets
        self._source = source
        self._texts: dict[str, str] = {}
        self._includes: dict[str, str] = {}
        self._secrets: dict[str, list[list[tuple[str, int]]]] = {}
        self._undefined: dict[tuple[str, str, int], UndefinedUse] = {}
        self._jinja = SpecEnvironment(_Includes(self._include), variables, self._note, self._loading, self._written)
        self._explainer = Explainer(self._source_text, variables, environment)
        # One file at a time: what is undefined or included is noted for the file in hand.
        self._lock = threading.RLock()

    def render(self, path: str, text: str | None = None) -> Rendered:
        """Renders one file; ``text`` is its content where the caller has read it already.

        Raises:
            SpecError: the file cannot be read or is no valid template; all its undefined variables together.
        """
        with self._lock:
            source = self._source.read(path) if text is None else text
            if not any(marker in source for marker in _MARKERS):
                return Rendered(path, source, {}, None, self._source_line)
            self._texts[path] = source
            self._includes, self._undefined, self._secrets = {}, {}, {}
            # Python warns of strange but harmless code, e.g. a backslash in a text or a call of a text.
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                output, lines = self._run(path, source)
            return Rendered(path, output, self._includes, lines, self._source_line)

    def _run(self, path: str, source: str) -> tuple[str, LineMap]:
        lines = LineMap(path)
        pieces: list[str] = []
        findings: list[Finding] = []
        try:
            self._jinja.start()
            template = self._compile(path, source)
            size = 0
            for text, file, line, literal, root_line in _pieces(template, path):
                size += len(text)
                if size > MAX_OUTPUT:
                    raise SpecError([self._explainer.too_large(path, line, MAX_OUTPUT)])
                pieces.append(text)
                lines.add(text, file, line, literal, root_line)
        except SpecError as error:
            findings.extend(error.findings)
        except Exception as error:  # noqa: BLE001 - a template may raise anything; all of it is a finding
            if not self._undefined:
                findings.append(self._explainer.failure(path, error))
        output = "".join(pieces)
        if not findings:
            findings.extend(self._lost_secrets(path, output))
        undefined = [self._explainer.undefined(path, use) for use in self._undefined.values()]
        if undefined or findings:
            # One mistake may be used in several ways; each is told once.
            raise SpecError(dict.fromkeys([*undefined, *findings]))
        return output, lines

    def _compile(self, path: str, source: str) -> Template:
        code = self._jinja.compile(source, name=path, filename=path)
        return Template.from_code(self._jinja, code, self._jinja.make_globals(None))

    def _loading(self, name: str) -> None:
        if name in self._includes or include_path(name) != name:
            return
        text = self._include(name)
        self._includes[name] = "" if text is None else text_digest(text)

    def _include(self, path: str) -> str | None:
        if include_path(path) != path or not self._source.exists(path):
            return None
        if path not in self._texts:
            self._texts[path] = self._source.read(path)
        return self._texts[path]

    def _note(self, use: UndefinedUse) -> None:
        self._undefined.setdefault((use.name, use.template, use.line), use)

    def _written(self, name: str) -> None:
        self._secrets.setdefault(name, []).append(template_places(sys._getframe(1)))

    def _lost_secrets(self, path: str, output: str) -> Iterator[Finding]:
        """Secrets that were put out more often than they stand in the text: something was done to them."""
        for name, places in self._secrets.items() if self._checks_secrets else ():
            placeholder = f"(secret {name})"
            found = max(output.count(placeholder), output.count(to_yaml(placeholder)[1:-1]))
            if found < len(places):
                yield self._explainer.secret_lost(path, name, places[0])

    def _source_text(self, file: str) -> str:
        return self._texts.get(file, "")

    def _source_line(self, file: str, line: int) -> str:
        return line_of_text(self._source_text(file), line)


class _Includes(BaseLoader):
    """Gives Jinja2 the files of shared/ and nothing else."""

    def __init__(self, find: Callable[[str], str | None]) -> None:
        self._find = find

    def get_source(self, _environment: JinjaEnvironment, template: str) -> tuple[str, str, None]:
        """See ``BaseLoader.get_source``."""
        text = self._find(template)
        if text is None:
            raise TemplateNotFound(template)
        return text, template, None


def text_digest(text: str) -> str:
    """SHA-256 (hex) of a text."""
    return hashlib.sha256(text.encode()).hexdigest()


def render(source: Source, path: str, variables: Mapping[str, Any], environment: str = "") -> Rendered:
    """Renders a single file; see ``Renderer.render``."""
    return Renderer(source, variables, environment).render(path)


def _pieces(template: Template, path: str) -> Iterator[tuple[str, str, int, bool, int]]:
    """Text, file and line, whether literal, and the line of ``path``, for each piece of output."""
    events = cast("GeneratorType[str, None, None]", template.root_render_func(template.new_context()))
    for event in events:
        if isinstance(event, Piece) and event.template == path:
            yield event, path, event.line, event.literal, event.line
            continue
        # Output of an include, or of a statement such as {% filter %}: the root template stands at that statement.
        frame = events.gi_frame
        root_line = template.get_corresponding_lineno(frame.f_lineno) if frame else 1
        if isinstance(event, Piece):
            yield event, event.template, event.line, event.literal, root_line
        else:
            yield str(event), path, root_line, False, root_line
