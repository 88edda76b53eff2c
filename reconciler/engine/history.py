"""What the specs said when an address was last applied: the basis of the diffs that people read.

The ledger knows a digest and a Git commit. The canonical spec behind the digest is taken from the cache, else
from Git at that commit, rendered the same way; it counts only if its digest is the ledger's.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from reconciler.archy.canonical import digest
from reconciler.cache import Cache
from reconciler.kinds.base import Desired, Live
from reconciler.ledger import Row
from reconciler.problems import ReconcilerError
from reconciler.specs import ArtifactCache, Catalog, GitRevision, WorkingTree, load_catalog, load_environment


class History:
    """Canonical specs as they were applied, secrets as placeholders."""

    def __init__(self, root: Path, environment: str, cache: Cache) -> None:
        self._root = root
        self._environment = environment
        self._cache = cache
        self._known: dict[str, Any] = {}

    def remember(self, desired: Desired) -> None:
        """Keeps a spec that is being applied."""
        self._cache.set(f"spec:1:{desired.digest}", desired.content.canonical)

    def remember_fields(self, live: Live) -> None:
        """Keeps the fields of an object that is about to be changed; they stand nowhere else."""
        if live.fields is not None and live.version is not None:
            self._cache.set(f"fields:1:{live.id}:{live.version}", dict(live.fields))

    def fields(self, id: str, version: str) -> dict[str, Any] | None:
        """The fields that an object had under a version, or None where this machine did not see them."""
        kept = self._cache.get(f"fields:1:{id}:{version}")
        return kept if isinstance(kept, dict) else None

    def canonical(self, spec_digest: str) -> Any:
        """A canonical spec that was applied from this machine, by its digest; None where it is not kept."""
        kept = self._cache.get(f"spec:1:{spec_digest}")
        return kept if kept is not None and digest(kept) == spec_digest else None

    def recall(self, rows: Iterable[Row]) -> None:
        """Makes the specs behind these rows known as far as they can be found."""
        by_commit = defaultdict(list)
        for row in rows:
            cached = self.canonical(row.spec_digest)
            if cached is not None:
                self._known[row.spec_digest] = cached
            elif row.commit:
                by_commit[row.commit].append(row)
        for commit, wanted in by_commit.items():
            self._recall_from_git(commit, wanted)

    def spec(self, row: Row) -> Any:
        """The canonical spec behind a row, or None when it could not be found."""
        return self._known.get(row.spec_digest)

    def _recall_from_git(self, commit: str, rows: Iterable[Row]) -> None:
        wanted = list(rows)
        for catalog in catalogs_at(self._root, self._environment, commit):
            for row in wanted:
                then = catalog.resources.get(row.address)
                if then is not None and then.digest == row.spec_digest:
                    self._known[row.spec_digest] = then.content.canonical
            wanted = [row for row in wanted if row.spec_digest not in self._known]
            if not wanted:
                return


def catalogs_at(
    root: Path, environment: str, commit: str, secret_env: Mapping[str, str] | None = None
) -> Iterator[Catalog]:
    """What the specs of a commit wanted in an environment, as far as that can still be told; best reading first.

    An environment that pins a release has its own file from a later commit, so the present one is tried second.
    Nothing comes of a shallow clone, a rewritten branch, or specs that were never valid for this environment.
    """
    try:
        source = GitRevision(root, commit)
    except ReconcilerError:
        return
    for environment_source in (source, WorkingTree(root)):
        try:
            settings = load_environment(environment_source, environment)
            with ArtifactCache() as artifacts:
                catalog = load_catalog(source, settings, secret_env=secret_env, cache=artifacts, closely=False)
        except ReconcilerError:
            continue
        yield catalog
