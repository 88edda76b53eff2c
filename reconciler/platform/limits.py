"""The org's own limits (facts §3.11, SDK ``OrganizationApi``, ``LimitsEntityListing``, ``Limit``)."""

from __future__ import annotations

from pydantic import model_validator

from reconciler.platform.models import Wire
from reconciler.platform.session import Session, path_of

_PATIENCE = 10.0
"""Seconds of retries: limits are nice to know, nothing waits for them."""


class Limit(Wire):
    """One limit, as it is in force in the org."""

    key: str
    value: int


class _Listing(Wire):
    entities: tuple[Limit, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _without_value(cls, data: object) -> object:
        """What has no key or no number is no limit that anybody could compare with."""
        if not isinstance(data, dict) or not isinstance(data.get("entities"), list):
            return data
        said = [one for one in data["entities"] if not _says_nothing(one)]
        return {**data, "entities": said}


def _says_nothing(limit: object) -> bool:
    return isinstance(limit, dict) and (not limit.get("key") or limit.get("value") is None)


class LimitsApi:
    """Limits, ``/api/v2/organizations/limits``."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def of(self, namespace: str) -> dict[str, int]:
        """The limits in force in a namespace, by key.

        Raises:
            NotFound: the org knows no such namespace.
            PermissionDenied: the client lacks ``limits:organization:view``.
        """
        path = path_of("organizations", "limits", "namespaces", namespace)
        listing = (await self._session.request("GET", path, deadline=_PATIENCE)).read(_Listing)
        return {limit.key: limit.value for limit in listing.entities}
