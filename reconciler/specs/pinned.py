"""The files of an environment that pins a release: specs of that revision, environment files of the working tree.

An environment file says what differs between orgs and is changed on its own, so it is not part of a release.
"""

from __future__ import annotations

from pathlib import Path

from reconciler.problems import Finding, SpecError
from reconciler.specs.environment import Environment
from reconciler.specs.environment_files import DIRECTORY, file_names, read_layers
from reconciler.specs.git import GitError, resolve
from reconciler.specs.source import GitRevision, Source, WorkingTree, checked_path


class PinnedRelease(Source):
    """See the module."""

    def __init__(self, tree: Source, release: Source) -> None:
        self._tree = tree
        self._release = release

    @property
    def label(self) -> str:
        """See ``Source.label``."""
        return self._release.label

    def list(self, *directories: str) -> list[str]:
        """See ``Source.list``."""
        return sorted(path for directory in directories for path in self._holder(directory).list(directory))

    def exists(self, path: str) -> bool:
        """See ``Source.exists``."""
        try:
            return self._holder(path).exists(path)
        except SpecError:
            return False

    def read_bytes(self, path: str) -> bytes:
        """See ``Source.read_bytes``."""
        return self._holder(path).read_bytes(path)

    def _holder(self, path: str) -> Source:
        return self._tree if checked_path(path).parts[:1] == (DIRECTORY,) else self._release


def source_of(root: Path, environment: Environment) -> Source:
    """Where the specs of an environment are read from: the working tree, or the release that it pins.

    Raises:
        SpecError: Git does not know the release here; it stands at the key's place.
    """
    tree = WorkingTree(root)
    if environment.release is None:
        return tree
    try:
        return PinnedRelease(tree, GitRevision(root, resolve(root, environment.release)))
    except GitError as error:
        raise SpecError([_unknown(tree, environment, error)]) from None


def _unknown(tree: Source, environment: Environment, error: GitError) -> Finding:
    layers = read_layers(tree, environment.name, file_names(tree))
    return layers.finding("unknown-release", ("release",), error.message, error.remedy)
