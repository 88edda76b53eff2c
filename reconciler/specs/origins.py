"""Which line of an environment file a value in a spec comes from.

A finding stands where the spec writes the value; where that is ``{{ numbers.sales }}``, what has to be mended
is in the environment.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

from reconciler.archy.model import Path
from reconciler.problems import Location, SpecError
from reconciler.specs.environment import Environment
from reconciler.specs.environment_files import Layers, file_names, read_layers
from reconciler.specs.source import Source
from reconciler.specs.variables import is_secret


class VariableOrigins:
    """The variables of one environment by their values; nothing is read before somebody asks."""

    def __init__(self, source: Source, environment: Environment) -> None:
        """``source`` holds the specs and the files of the environment."""
        self._source = source
        self._environment = environment
        self._lines: dict[str, list[str]] = {}

    @property
    def layers(self) -> Layers | None:
        """The files of the environment; None where they are no longer what the environment was read from."""
        layers = self._layers
        return layers if layers is not None and self._is_current(layers) else None

    def note(self, place: Location, value: Any) -> str:
        """`` The value comes from <file>:<line>.``, for the end of a remedy; empty where that is not certain.

        It is certain where exactly one variable is this text or number, and the spec has an expression at the
        place and not the value itself.
        """
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            return ""
        paths = self._paths.get(str(value), [])
        if len(paths) != 1 or not self._written_by_expression(place, str(value)):
            return ""
        origin = self._origin(paths[0])
        return "" if origin is None else f" The value comes from {origin.file}:{origin.line}."

    @cached_property
    def _paths(self) -> Mapping[str, list[Path]]:
        found: dict[str, list[Path]] = defaultdict(list)
        for path, value in _scalars(self._environment.variables, ()):
            found[str(value)].append(path)
        return dict(found)

    @cached_property
    def _layers(self) -> Layers | None:
        try:
            return read_layers(self._source, self._environment.name, file_names(self._source))
        except SpecError:
            # They were read before, so they have changed since, or the environment is from elsewhere.
            return None

    def _origin(self, path: Path) -> Location | None:
        return None if self.layers is None else self.layers.origin(("variables", *path))

    def _is_current(self, layers: Layers) -> bool:
        return (layers.data.get("variables") or {}) == self._environment.variables

    def _written_by_expression(self, place: Location, value: str) -> bool:
        if place.line is None:
            return False
        # The value of a key may stand on the line below it.
        written = "\n".join(self._lines_of(place.file)[place.line - 1 : place.line + 1])
        return "{{" in written and value not in written

    def _lines_of(self, file: str) -> list[str]:
        if file not in self._lines:
            try:
                self._lines[file] = self._source.read(file).split("\n")
            except SpecError:
                self._lines[file] = []
        return self._lines[file]


def _scalars(node: Any, path: Path) -> Iterator[tuple[Path, str | int | float]]:
    if is_secret(node):
        return
    if isinstance(node, Mapping):
        for key, value in node.items():
            yield from _scalars(value, (*path, key))
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from _scalars(value, (*path, index))
    elif isinstance(node, str | int | float) and not isinstance(node, bool):
        yield path, node
