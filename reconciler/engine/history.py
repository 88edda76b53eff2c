"""What the specs said when an address was last applied: the basis of the diffs that people read.

The ledger knows a digest and a Git commit. The canonical spec behind the digest is taken from the cache, else
from Git at that commit, rendered the same way; it counts only if its digest is the ledger's.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from reconciler.archy.canonical import digest
from reconciler.cache import Cache
from reconciler.kinds.base import Desired
from reconciler.ledger import Row
from reconciler.problems import ReconcilerError
from reconciler.specs import ArtifactCache, GitRevision, Source, WorkingTree, load_catalog, load_environment


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

    def recall(self, rows: Iterable[Row]) -> None:
        """Makes the specs behind these rows known as far as they can be found."""
        by_commit = defaultdict(list)
        for row in rows:
            cached = self._cache.get(f"spec:1:{row.spec_digest}")
            if cached is not None and digest(cached) == row.spec_digest:
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
        try:
            source = GitRevision(self._root, commit)
        except ReconcilerError:
            # A shallow clone, or a rewritten branch: the diff falls back on an export.
            return
        # An environment that pins a release has its own file from a later commit: the present one comes nearest.
        for environment_source in (source, WorkingTree(self._root)):
            self._recall_for(source, environment_source, wanted)
            wanted = [row for row in wanted if row.spec_digest not in self._known]
            if not wanted:
                return

    def _recall_for(self, source: Source, environment_source: Source, rows: Iterable[Row]) -> None:
        try:
            environment = load_environment(environment_source, self._environment)
            with ArtifactCache() as artifacts:
                catalog = load_catalog(source, environment, secret_env=None, cache=artifacts, closely=False)
        except ReconcilerError:
            # Specs that were never valid, or not for this environment.
            return
        for row in rows:
            then = catalog.resources.get(row.address)
            if then is not None and then.digest == row.spec_digest:
                self._known[row.spec_digest] = then.content.canonical
