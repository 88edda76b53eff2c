"""How objects were at an earlier time, as something that can be applied: from Git, from the org, or from the cache."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from reconciler.archy.canonical import digest
from reconciler.archy.yaml import YamlError, load
from reconciler.engine.history import History, catalogs_at
from reconciler.engine.masking import hide_all, hide_like, secret_names
from reconciler.engine.observe import Observation
from reconciler.engine.rollback.desired import nowhere, of_fields
from reconciler.engine.workspace import Workspace
from reconciler.kinds.base import Content, Desired, Live
from reconciler.kinds.registry import kind_of
from reconciler.ledger import Earlier, Was
from reconciler.platform import JobFailed, NotFound, Platform
from reconciler.problems import Finding, Severity
from reconciler.specs import Masker

NOT_KNOWN = "?"
"""Stands for the secrets of a spec that is not known."""


@dataclass
class Former:
    """Finds what addresses were before a run."""

    workspace: Workspace
    platform: Platform
    observation: Observation
    history: History
    secret_env: Mapping[str, str] | None
    """Where the values of secrets are looked up, should something have to be uploaded."""
    strict: bool = True
    findings: list[Finding] = field(default_factory=list)
    declared: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Of objects whose fields a list shows: address → the fields that the spec of that time declared."""

    async def find(self, steps: Mapping[str, Earlier]) -> dict[str, Desired]:
        """The objects as they were; what cannot be found is told in ``findings``, absent ones are left out."""
        found = self._from_git({a: step for a, step in steps.items() if step.digest})
        # What had been changed by hand was something else than the spec of that time.
        exact = {address: desired for address, desired in found.items() if steps[address].was is Was.OURS}
        rest = {a: step for a, step in steps.items() if step.was is not Was.ABSENT and a not in exact}
        for address, step in rest.items():
            if not kind_of(address.partition("/")[0]).content_in_versions:
                desired = self._from_fields(address, step, found.get(address)) or self._instead(address, found)
                if desired is not None:
                    exact[address] = desired
        for address, desired in exact.items():
            if steps[address].was is Was.OURS:
                exact[address] = self.as_it_stood(desired, steps[address])
        exact |= await self._from_org({a: step for a, step in rest.items() if a not in exact}, found)
        for address, step in rest.items():
            if address not in exact:
                self.findings.append(self._no_way(address, step))
        return exact

    def _from_git(self, steps: Mapping[str, Earlier]) -> dict[str, Desired]:
        by_commit: dict[str, dict[str, Earlier]] = defaultdict(dict)
        for address, step in steps.items():
            if step.commit:
                by_commit[step.commit][address] = step
        found: dict[str, Desired] = {}
        for commit, wanted in by_commit.items():
            missing = set(wanted)
            for catalog in catalogs_at(
                self.workspace.root, self.workspace.environment.name, commit, secret_env=self.secret_env
            ):
                for address in sorted(missing):
                    then = catalog.resources.get(address)
                    if then is not None and then.digest == wanted[address].digest:
                        found[address] = then
                        missing.discard(address)
                if not missing:
                    break
        return found

    def _instead(self, address: str, found: Mapping[str, Desired]) -> Desired | None:
        """The spec of that time, where what somebody had made of the object by hand is not known any more."""
        desired = found.get(address)
        if desired is not None:
            self.findings.append(
                Finding(
                    id="rollback-to-spec",
                    severity=Severity.WARNING,
                    message=f"{address} had been changed by hand before the run, and this machine did not see how; "
                    "it goes back to what the specs had said.",
                    address=address,
                )
            )
        return desired

    def as_it_stood(self, desired: Desired, step: Earlier) -> Desired:
        """With what stood in fields that the spec of that time left alone, and that were declared since."""
        address, kind = desired.address, kind_of(desired.kind)
        live = self.observation.org.by_address.get(address)
        if kind.content_in_versions or live is None or not step.version or not step.is_of(live.id):
            return desired
        spec = desired.content.canonical
        added = self._declared_since(address, step) - set(spec)
        if not added:
            return desired
        self.declared[address] = tuple(sorted(spec))
        fields = self.history.fields(live.id, step.version)
        if fields is None:
            self.findings.append(_cleared(address, added))
            return desired
        content = replace(desired.content, canonical={**spec, **{name: fields.get(name) for name in sorted(added)}})
        return replace(desired, load=lambda: content, references=kind.field_references(content.canonical))

    def _declared_since(self, address: str, step: Earlier) -> set[str]:
        """Fields that specs declared from then on, which runs may have set or cleared."""
        row = self.observation.row(address)
        trail = self.observation.ledger.trails.get(address, ())
        since = trail[trail.index(step) :] if step in trail else ()
        specs = (self.history.canonical(each.digest or "") for each in since)
        return {*(row.fields if row else ()), *(name for spec in specs if isinstance(spec, Mapping) for name in spec)}

    def _from_fields(self, address: str, step: Earlier, then: Desired | None) -> Desired | None:
        """Fields as they stood in the org before the run, as far as the run may have touched them.

        ``then`` is the spec of that time, where somebody had changed what was made of it.
        """
        live, row = self.observation.org.by_address.get(address), self.observation.row(address)
        if step.was is Was.OURS:
            spec = self.history.canonical(step.digest or "")
            if isinstance(spec, Mapping):
                return of_fields(address, spec, step.digest)
        if live is None or row is None or not step.version or not step.is_of(live.id):
            return None
        fields = self.history.fields(live.id, step.version)
        if fields is None:
            return None
        names = self._declared_since(address, step)
        if then is not None:
            self.declared[address] = tuple(sorted(then.content.canonical))
            names |= set(then.content.canonical)
        return of_fields(address, {name: fields.get(name) for name in sorted(names)}, None)

    async def _from_org(self, steps: Mapping[str, Earlier], specs: Mapping[str, Desired]) -> dict[str, Desired]:
        """Earlier versions of flows as the org exports them; ``specs`` are those of that time, as far as known."""
        wanted: dict[str, tuple[Live, str]] = {}
        for address, step in steps.items():
            live = self.observation.org.by_address.get(address)
            if live is not None and step.version and step.is_of(live.id) and kind_of(live.kind).content_in_versions:
                wanted[address] = (live, step.version)
        texts = await self._exported(list(wanted.values()))
        found = {}
        for address, (live, version) in wanted.items():
            text = texts.get((live.id, version))
            step, then = steps[address], specs.get(address)
            spec = then.content.canonical if then else self.history.canonical(step.digest or "")
            desired = self._of_export(live, version, text, step, spec) if text is not None else None
            if desired is not None:
                found[address] = desired
        return found

    async def _exported(self, wanted: list[tuple[Live, str]]) -> dict[tuple[str, str], str]:
        if not wanted:
            return {}
        kind = kind_of(wanted[0][0].kind)
        try:
            return dict(await kind.exports(self.platform, wanted))
        except (JobFailed, NotFound):
            if len(wanted) == 1:
                # The org keeps that version no longer.
                return {}
        return {key: text for each in wanted for key, text in (await self._exported([each])).items()}

    def _of_export(self, live: Live, version: str, text: str, step: Earlier, spec: Any) -> Desired | None:
        try:
            ((root, body),) = load(Masker(self.workspace.secrets).mask(text)).items()
        except (YamlError, ValueError, AttributeError):
            return None
        inspection = kind_of(live.kind).inspect(root, body)
        # The spec itself, where the version was made from it: the ledger goes on from there.
        ours = step.was is Was.OURS
        form = spec if ours and spec is not None else self._hidden(inspection.canonical, live.address, step, spec)
        known = step.digest if ours else None
        unknown = (NOT_KNOWN,) if step.secrets and spec is None else ()
        return Desired(
            kind=live.kind,
            root=root,
            name=live.name,
            file=f"version {version} in the org",
            line=1,
            digest=known or digest(form),
            division=live.division,
            references=inspection.references,
            secrets=unknown or secret_names(spec),
            interface=kind_of(live.kind).interface(root, body),
            load=lambda: Content(body=body, text="", canonical=form),
            locate=nowhere(f"version {version} of {live.address}"),
        )

    def _hidden(self, form: Any, address: str, step: Earlier, spec: Any) -> Any:
        """Without what may be secret, though its value is not known here: by the specs of that time and of now."""
        row = self.observation.row(address)
        templates = [spec] if step.secrets else []
        if row is not None and row.secrets:
            self.history.recall([row])
            templates.append(self.history.spec(row))
        return hide_all(form) if any(each is None for each in templates) else hide_like(templates, form)

    def _no_way(self, address: str, step: Earlier) -> Finding:
        where = f"commit {step.commit[:12]} does not lead to it here" if step.commit else "no commit is known for it"
        return Finding(
            id="no-way-back",
            severity=Severity.ERROR if self.strict else Severity.WARNING,
            message=f"{address} cannot be taken back: {where}, and neither the org nor this machine has kept "
            "what it was.",
            address=address,
            remedy="Fetch the whole history (git fetch --unshallow), roll back where it was applied, "
            "or name only the other addresses.",
        )


def _cleared(address: str, fields: Iterable[str]) -> Finding:
    named = ", ".join(sorted(fields))
    return Finding(
        id="rollback-to-spec",
        severity=Severity.WARNING,
        message=f"The specs of that time left {named} of {address} alone, and this machine did not see what "
        "stood there; it is cleared.",
        address=address,
        remedy="Roll back where the run was applied, or look at the object afterwards.",
    )
