"""IVRs: as other versioned kinds, but their numbers go in by fifties (facts §3.4)."""

from __future__ import annotations

from collections.abc import Collection

from reconciler.platform.crud import CrudApi
from reconciler.platform.errors import BadRequest, PlatformError, VersionConflict
from reconciler.platform.models import Ivr, IvrBody, TelephonyBody
from reconciler.platform.session import Session

_NEW_NUMBERS = 50
"""Most new numbers in one POST or PUT (facts §3.4, Terraform provider)."""
_BETWEEN = 2.0
"""Seconds between two such requests, as the provider waits."""


class IvrsApi(CrudApi[Ivr]):
    """IVRs, ``/api/v2/architect/ivrs``."""

    def __init__(self, session: Session) -> None:
        super().__init__(session, "ivrs", Ivr, IvrBody)

    async def create(self, body: TelephonyBody) -> Ivr:
        """Makes an IVR from an ``IvrBody``, with more than 50 numbers in several steps.

        Raises as ``CrudApi.create`` does. When a later step fails, the IVR stays, with the numbers so far.
        """
        assert isinstance(body, IvrBody)
        steps = number_steps(body.dnis, present=())
        try:
            made = await super().create(body.model_copy(update={"dnis": steps[0]}))
        except BadRequest as error:
            raise _explained(error, body) from error
        return await self._further(made, body, steps[1:])

    async def update(self, id: str, body: TelephonyBody) -> Ivr:
        """Replaces an IVR by an ``IvrBody``, with more than 50 new numbers in several steps.

        Raises as ``CrudApi.update`` does.
        """
        assert isinstance(body, IvrBody)
        steps: list[tuple[str, ...]] = [body.dnis]
        if len(body.dnis) > _NEW_NUMBERS:
            live = await self.get(id)
            if body.version is not None and live.version != body.version:
                raise VersionConflict(
                    f"IVR '{live.name}' is at version {live.version}, not {body.version} any more.",
                    path=self._path(id),
                )
            steps = number_steps(body.dnis, present=live.dnis)
        try:
            updated = await super().update(id, body.model_copy(update={"dnis": steps[0]}))
        except BadRequest as error:
            raise _explained(error, body) from error
        return await self._further(updated, body, steps[1:])

    async def _further(self, ivr: Ivr, body: IvrBody, steps: list[tuple[str, ...]]) -> Ivr:
        for numbers in steps:
            await self._session.sleep(_BETWEEN)
            held = len(ivr.dnis)
            try:
                ivr = await super().update(ivr.id, body.model_copy(update={"dnis": numbers, "version": ivr.version}))
            except PlatformError as error:
                if isinstance(error, BadRequest):
                    error = _explained(error, body)
                error.message += f" IVR '{body.name}' has {held} of its {len(body.dnis)} numbers so far."
                raise error from None
        return ivr


def number_steps(wanted: Collection[str], *, present: Collection[str]) -> list[tuple[str, ...]]:
    """Growing sets of numbers, the last one complete, each with at most 50 more than the one before.

    Numbers that are not wanted go with the first step; order is that of ``wanted``.
    """
    kept = set(present) & set(wanted)
    new = [number for number in wanted if number not in kept]
    steps: list[tuple[str, ...]] = []
    for end in range(_NEW_NUMBERS, max(len(new), 1) + _NEW_NUMBERS, _NEW_NUMBERS):
        allowed = kept | set(new[:end])
        steps.append(tuple(number for number in wanted if number in allowed))
    return steps


def _explained(error: BadRequest, body: IvrBody) -> BadRequest:
    """The org's own words for a number outside all DID pools speak of a field that no IVR has."""
    if "didPoolId" not in error.message:
        return error
    numbers = ", ".join(body.dnis[:5]) + (", …" if len(body.dnis) > 5 else "")
    return BadRequest(
        f"A number of IVR '{body.name}' ({numbers}) lies in no DID pool of the org. {error.message}",
        remedy="Add the number to a DID pool, or correct it in the spec; a new pool shows after some seconds.",
        method=error.method,
        path=error.path,
        status=error.status,
        code=error.code,
        context_id=error.context_id,
        details=error.details,
    )
