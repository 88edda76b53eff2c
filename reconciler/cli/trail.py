"""The audit trail of an environment on this machine."""

from __future__ import annotations

import os
from collections.abc import Callable

from reconciler.cli.session import STATE, Connected
from reconciler.engine.audit import Trail, surroundings_of, trail_path
from reconciler.engine.workspace import Workspace


def trail_of(workspace: Workspace, connected: Connected, notice: Callable[[str], None]) -> Trail | None:
    """The trail that a run is written to; None where the environment keeps none.

    Raises:
        ReconcilerError: it cannot be written.
    """
    path = trail_path(workspace.root, workspace.environment, STATE)
    if path is None:
        return None
    return Trail(
        path,
        environment=workspace.environment.name,
        client=connected.platform.connection.client_id or None,
        surroundings=surroundings_of(os.environ),
        now=connected.platform.now,
        mask=connected.mask,
        notice=notice,
    )
