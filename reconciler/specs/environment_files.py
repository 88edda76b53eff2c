"""Reads an environment's files along ``extends`` and merges them, remembering where each key came from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from reconciler.archy.model import Path
from reconciler.archy.yaml import YamlError, load_documents, locate
from reconciler.problems import Finding, Location, SpecError
from reconciler.specs.source import Source
from reconciler.specs.variables import is_secret
from reconciler.suggest import near

DIRECTORY = "environments"
ENDINGS = (".yaml", ".yml")


@dataclass(frozen=True)
class Layer:
    """One file of the chain."""

    file: str
    text: str
    data: Mapping[str, Any]


@dataclass(frozen=True)
class Layers:
    """The files of one environment and what they say together."""

    data: Mapping[str, Any]
    """Merged: mappings deeply, all else replaced; ``extends`` is the one in the environment's own file."""
    layers: tuple[Layer, ...]
    """The environment's own file first, then what it extends."""

    @property
    def files(self) -> tuple[str, ...]:
        """Paths of the files, the environment's own first."""
        return tuple(layer.file for layer in self.layers)

    def origin(self, path: Path) -> Location:
        """Where the value that counts is written: the nearest file that has the path, or most of it."""
        chosen = max(self.layers, key=lambda layer: _depth(layer.data, path))
        try:
            line, column = locate(chosen.text, path)
        except YamlError:
            return Location(file=chosen.file)
        return Location(file=chosen.file, line=line, column=column)

    def finding(self, id_: str, path: Path, message: str, remedy: str | None) -> Finding:
        """An error about the value at ``path``."""
        place = self.origin(path)
        return Finding(id=id_, message=message, file=place.file, line=place.line, column=place.column, remedy=remedy)


def file_names(source: Source) -> list[str]:
    """Names of all environment files, those that are only extended (``_base``) included."""
    paths = [PurePosixPath(path) for path in source.list(DIRECTORY)]
    own = [path for path in paths if str(path.parent) == DIRECTORY and path.suffix in ENDINGS]
    # A name with a dot is something else that belongs to an environment, e.g. local.seed.yaml.
    return sorted({path.stem for path in own if "." not in path.stem})


def environment_file(source: Source, name: str) -> str:
    """Path of the file of that name, whatever its ending; as it would be where there is none.

    Raises:
        SpecError: there are two.
    """
    candidates = [f"{DIRECTORY}/{name}{ending}" for ending in ENDINGS]
    present = [path for path in candidates if source.exists(path)]
    if len(present) > 1:
        raise _error(present[1], "ambiguous-environment", f"{present[0]} exists as well.", "Keep one of the two.")
    return present[0] if present else candidates[0]


def read_layers(source: Source, name: str, known: Sequence[str]) -> Layers:
    """Reads the file ``name`` and everything it extends; ``known`` are the names that exist.

    Raises:
        SpecError: a file is missing, not YAML, no mapping, or extends itself in a circle.
    """
    layers: list[Layer] = []
    visited: list[str] = []
    wanted: str | None = name
    while wanted is not None:
        if layers and wanted not in known:
            raise _bad_extends(layers[-1], f"extends names {wanted!r}, which does not exist.", near(wanted, known))
        if wanted in visited:
            circle = " → ".join([*visited[visited.index(wanted) :], wanted])
            raise _bad_extends(layers[-1], f"The environments extend each other in a circle: {circle}.", "")
        visited.append(wanted)
        layers.append(_read(source, wanted))
        wanted = _extends(layers[-1])
    merged: Mapping[str, Any] = {}
    for layer in reversed(layers):
        merged = merge(merged, layer.data)
    if "extends" not in layers[0].data:
        merged = {key: value for key, value in merged.items() if key != "extends"}
    return Layers(merged, tuple(layers))


def merge(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Mappings merge deeply, everything else replaces; a secret counts as one value, not as a mapping."""
    merged = dict(below)
    for key, value in above.items():
        inherited = merged.get(key)
        deep = isinstance(value, Mapping) and isinstance(inherited, Mapping)
        if deep and not is_secret(value) and not is_secret(inherited):
            assert isinstance(inherited, Mapping)
            merged[key] = merge(inherited, value)
        else:
            merged[key] = value
    return merged


def _read(source: Source, name: str) -> Layer:
    path = environment_file(source, name)
    text = source.read(path)
    try:
        documents = load_documents(text)
    except YamlError as error:
        raise _error(
            path, "yaml-syntax", error.message, error.remedy or "Correct the YAML.", error.line, error.column
        ) from None
    if len(documents) > 1:
        raise _error(
            path,
            "several-documents",
            "An environment file holds one document; there is a second one here.",
            "Move it to a file of its own.",
            documents[1].line,
            1,
        )
    data = documents[0].data if documents else {}
    if not isinstance(data, Mapping):
        raise _error(
            path,
            "not-a-mapping",
            "An environment file must be a mapping of keys.",
            "Write `org:`, `variables:` and so on at its left edge.",
            documents[0].line,
            1,
        )
    return Layer(path, text, data)


def _extends(layer: Layer) -> str | None:
    value = layer.data.get("extends")
    if value is None or (isinstance(value, str) and value):
        return value
    raise _bad_extends(layer, "extends must be the name of one other environment file.", "")


def _bad_extends(layer: Layer, message: str, suggestion: str) -> SpecError:
    line, column = locate(layer.text, ("extends",))
    remedy = f"{suggestion}Correct `extends:`; it takes the name of a file in {DIRECTORY}/, without its ending."
    return _error(layer.file, "bad-extends", message, remedy, line, column)


def _error(
    file: str, id_: str, message: str, remedy: str, line: int | None = None, column: int | None = None
) -> SpecError:
    return SpecError([Finding(id=id_, message=message, file=file, line=line, column=column, remedy=remedy)])


def _depth(data: Any, path: Path) -> int:
    """How many steps of the path exist in the data."""
    for depth, step in enumerate(path):
        if isinstance(data, Mapping) and step in data:
            data = data[str(step)]
        elif isinstance(data, list) and isinstance(step, int) and step < len(data):
            data = data[step]
        else:
            return depth
    return len(path)
