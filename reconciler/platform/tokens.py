"""The access token: fetched once, renewed before it expires, replaced when the org refuses it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from pydantic import Field

from reconciler.platform.connection import Connection
from reconciler.platform.errors import AuthenticationFailed
from reconciler.platform.models import Wire

_RENEW_BEFORE = 60.0
"""Seconds before the expiry, or half of a shorter lifetime (the shortest should be 5 minutes, facts §1)."""


class Token(Wire):
    """Answer of the token endpoint (facts §1); its keys are snake_case on the wire."""

    access_token: str = Field(alias="access_token", repr=False)
    expires_in: float = Field(default=86_400.0, alias="expires_in")
    """Seconds."""


class TokenSource:
    """Hands out a valid token; many requests may ask at once, one of them logs in."""

    def __init__(
        self, connection: Connection, *, login: Callable[[], Awaitable[Token]], clock: Callable[[], float]
    ) -> None:
        self._fixed = connection.access_token
        self._login = login
        self._clock = clock
        self._token: str | None = None
        self._renew_at = 0.0
        self._turn = asyncio.Lock()

    async def get(self) -> str:
        """A token that is valid for a while yet.

        Raises:
            AuthenticationFailed: the login was refused.
        """
        if self._fixed is not None:
            return self._fixed
        async with self._turn:
            if self._token is None or self._clock() >= self._renew_at:
                await self._renew()
            return self._valid()

    def refuse(self, refused: str) -> None:
        """The org does not take this token any more; the next ``get`` logs in once, whoever asks.

        Raises:
            AuthenticationFailed: the token was given from outside.
        """
        if self._fixed is not None:
            raise AuthenticationFailed(
                "The org does not accept the access token: it is expired, revoked or of another region.",
                status=401,
                remedy="Set a fresh GENESYSCLOUD_ACCESS_TOKEN, or unset it to log in with the OAuth client.",
            )
        if self._token == refused:
            self._token = None

    async def _renew(self) -> None:
        token = await self._login()
        self._token = token.access_token
        self._renew_at = self._clock() + max(token.expires_in - _RENEW_BEFORE, token.expires_in / 2)

    def _valid(self) -> str:
        assert self._token is not None
        return self._token
