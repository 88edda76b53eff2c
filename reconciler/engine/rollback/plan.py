"""Makes the plan of a rollback: a plan like any other, for the objects as they were."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from reconciler.engine.history import History
from reconciler.engine.observe import observe
from reconciler.engine.planner import Aim, Planning, check_order, plan_on
from reconciler.engine.rollback.catalog import catalog_of, commit_of, consumers_of
from reconciler.engine.rollback.destination import Destination, at_commit, before_run
from reconciler.engine.rollback.former import Former
from reconciler.engine.rollback.request import Back
from reconciler.engine.rollback.settling import settle
from reconciler.engine.workspace import Scope, Workspace
from reconciler.ledger import Ledger
from reconciler.platform import Platform


async def plan_rollback(
    workspace: Workspace,
    platform: Platform,
    ledger: Ledger,
    back: Back,
    scope: Scope,
    *,
    secret_env: Mapping[str, str] | None,
    own_run: str | None = None,
) -> tuple[Planning, Destination]:
    """Plans a rollback; the specs of the working tree have no part in it.

    Raises:
        ReconcilerError: there is nothing to go back to, or it is not known.
        WrongOrgError: the credentials belong to another org.
        PlatformError: the org could not be read.
    """
    observation = await observe(platform, ledger, workspace.environment.org.id)
    history = History(workspace.root, workspace.environment.name, workspace.cache)
    former = Former(workspace, platform, observation, history, secret_env, back.strict)
    find = at_commit if back.commit else before_run
    destination = await find(back, observation.ledger, former)
    there = replace(
        workspace, catalog=catalog_of(workspace, observation, destination), commit=commit_of(workspace, destination)
    )
    aim = Aim(
        rollback=destination.reference,
        chosen=frozenset((*destination.targets, *consumers_of(there.catalog, destination.targets))),
        leaving=destination.made,
        settle=lambda verdicts: settle(verdicts, destination, observation, scope, back),
    )
    # What a run may have published without recording it is no drift of somebody else's.
    named = replace(scope, targets=(*back.addresses, *destination.doubtful))
    graph = check_order(there.catalog)
    return await plan_on(observation, graph, there, platform, named, own_run=own_run, aim=aim), destination
