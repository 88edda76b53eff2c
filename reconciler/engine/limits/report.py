"""How full an org is: every limit that it tells, with what we count beside those whose meaning is known."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, computed_field

from reconciler.engine.concurrency import together
from reconciler.engine.limits.counting import Counting, counting
from reconciler.engine.limits.known import MEANINGS, NAMESPACES, Known, limits_for
from reconciler.engine.limits.sizes import FLOW, MODULE, PUBLISHED, Sizes
from reconciler.engine.limits.values import Values
from reconciler.engine.observe import observe
from reconciler.engine.workspace import Workspace
from reconciler.ledger import Ledger
from reconciler.platform import Platform, PlatformError
from reconciler.specs.limits import DATA_TABLES


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)


class LimitLine(_Frozen):
    """One limit, and how full it is."""

    namespace: str | None
    key: str | None
    value: int
    counts: str | None = None
    """What it limits; None where nobody says."""
    now: int | None = None
    """How many there are; None for what is no number of objects."""
    source: str | None = None
    """Who says what counts against it."""

    @computed_field  # type: ignore[prop-decorator]
    @property
    def share(self) -> float | None:
        """How full it is; None where that is not known."""
        return self.now / self.value if self.now is not None and self.value > 0 else None


class SizeLine(_Frozen):
    """How large flows of one sort are known to have been published."""

    sort: str
    public: int
    """Bytes, of exports that others have measured."""
    here: int | None
    """Bytes, of what this org took from this machine."""


class LimitsReport(_Frozen):
    """See the module."""

    environment: str
    org: str
    limits: tuple[LimitLine, ...]
    """What the org tells."""
    documented: tuple[LimitLine, ...]
    """Documented for every org, where the org does not tell its own value."""
    missing: tuple[str, ...]
    """Limits (namespace/key) that an environment or a source names, and that the org does not tell."""
    unread: dict[str, str]
    """Namespace → why it could not be read."""
    sizes: tuple[SizeLine, ...]


async def limits_report(workspace: Workspace, platform: Platform, ledger: Ledger) -> LimitsReport:
    """Asks the org for all limits that concern us, and counts.

    Raises:
        WrongOrgError: the credentials belong to another org than the environment names.
        PlatformError: the org could not be read; a namespace that cannot be is told in the report.
    """
    environment = workspace.environment
    observation = await observe(platform, ledger, environment.org.id)
    values = Values(platform, observation.org.identity.id, workspace.cache, fresh=True)
    namespaces = [*dict.fromkeys((*NAMESPACES, *environment.limits.counts))]
    read = dict(zip(namespaces, await together(values.of(name) for name in namespaces), strict=True))
    known = limits_for(environment.limits.counts)
    tables, problem = await _tables(platform)
    counts = counting(observation, {}, in_org=environment.ledger.type == "org", others=tables)
    by_name = {(limit.namespace, limit.key): limit for limit in known if limit.key}
    told = [(name, key, value) for name in namespaces for key, value in sorted(read[name].items())]
    named = {(name, key) for name, key, _ in told}
    sizes = Sizes(workspace.cache, observation.org.identity.id)
    return LimitsReport(
        environment=environment.name,
        org=observation.org.identity.name,
        limits=tuple(_line(name, key, value, by_name.get((name, key)), counts) for name, key, value in told),
        documented=tuple(
            _line(None, None, limit.default, limit, counts)
            for limit in known
            if limit.default and (limit.namespace, limit.key) not in named
        ),
        missing=tuple(
            limit.name
            for limit in known
            if limit.key and (limit.namespace, limit.key) not in named and limit.namespace not in values.problems
        ),
        unread={name: str(error) for name, error in values.problems.items()} | problem,
        sizes=tuple(
            SizeLine(sort=sort, public=PUBLISHED[sort][0], here=sizes.largest(sort) or None) for sort in (FLOW, MODULE)
        ),
    )


async def _tables(platform: Platform) -> tuple[list[str], dict[str, str]]:
    try:
        return [f"{DATA_TABLES}/{table.name}" for table in await platform.data_tables.list()], {}
    except PlatformError as error:
        return [], {"the list of data tables": str(error)}


def _line(namespace: str | None, key: str | None, value: int, limit: Known | None, counts: Counting) -> LimitLine:
    if limit is None:
        meaning = MEANINGS.get((namespace or "", key or ""))
        return LimitLine(namespace=namespace, key=key, value=value, counts=meaning)
    now = counts.of(limit.globs).now
    return LimitLine(namespace=namespace, key=key, value=value, counts=limit.what, now=now, source=limit.source)
