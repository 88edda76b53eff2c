"""What a run acts with: the plan that it is to carry out, and the steps that do it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from reconciler.engine.history import History
from reconciler.engine.lease import Lease
from reconciler.engine.limits.sizes import Sizes
from reconciler.engine.planner import Planning, make_plan
from reconciler.engine.rollback.destination import Destination
from reconciler.engine.rollback.plan import plan_rollback
from reconciler.engine.rollback.request import Back
from reconciler.engine.rollback.steps import BackSteps
from reconciler.engine.steps import Signature, Steps
from reconciler.engine.workspace import Scope, Workspace
from reconciler.ledger import Ledger
from reconciler.platform import Platform

Made = TypeVar("Made", bound=Steps)


@dataclass
class Acting:
    """Of one run: towards the specs, or back to what was before."""

    workspace: Workspace
    platform: Platform
    ledger: Ledger
    holder: str
    run: str
    back: Back | None = None
    secret_env: Mapping[str, str] | None = field(default=None, repr=False)
    _destination: Destination | None = None

    async def plan(self, scope: Scope, own_run: str | None = None) -> Planning:
        """Plans on the org as it is now; raises as ``make_plan`` or ``plan_rollback`` does."""
        if self.back is None:
            return await make_plan(self.workspace, self.platform, self.ledger, scope, own_run=own_run)
        planning, self._destination = await plan_rollback(
            self.workspace, self.platform, self.ledger, self.back, scope, secret_env=self.secret_env, own_run=own_run
        )
        return planning

    def steps(self, planning: Planning, lease: Lease) -> Steps:
        """The steps of a plan that ``plan`` made."""
        if self._destination is None:
            return self._made(Steps, planning, lease)
        return self.steps_back(planning, lease, self._destination)

    def steps_back(self, planning: Planning, lease: Lease, destination: Destination) -> BackSteps:
        """The steps of a rollback."""
        steps = self._made(BackSteps, planning, lease)
        steps.targets = destination.targets
        return steps

    def _made(self, kind: type[Made], planning: Planning, lease: Lease) -> Made:
        workspace, org = planning.workspace, planning.observation.org
        return kind(
            platform=self.platform,
            ledger=self.ledger,
            lease=lease,
            org=org,
            rows=planning.observation.ledger.rows,
            trails=planning.observation.ledger.trails,
            wanted=workspace.catalog.resources,
            history=planning.history or History(workspace.root, workspace.environment.name, workspace.cache),
            signature=Signature(self.holder, self.run, workspace.commit.commit),
            secret_fingerprints=workspace.secret_fingerprints(org.identity.id),
            sizes=Sizes(workspace.cache, org.identity.id),
            missing_is_made=workspace.missing_is_made,
        )
