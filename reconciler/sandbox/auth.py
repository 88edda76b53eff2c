"""OAuth client credentials, access tokens and the rate limit of a token (facts §1, §2)."""

from __future__ import annotations

import base64
import binascii
import hmac
import secrets
import sqlite3
import uuid
from typing import Any
from urllib.parse import parse_qs

from reconciler.sandbox.call import API, Call, Caller, Endpoint, Reply
from reconciler.sandbox.errors import ApiError, too_many_requests
from reconciler.sandbox.settings import Settings
from reconciler.sandbox.store import get_meta_json
from reconciler.sandbox.wire import iso

LOGIN = "/oauth/token"
RATE_WINDOW_SECONDS = 60.0


def issue_token(call: Call) -> Reply:
    """``POST /oauth/token``; its errors have a shape of their own (facts §1)."""
    client = _client_of_basic(call)
    if client is None:
        return login_error(401, "invalid_client", "client not found or invalid client secret")
    form = parse_qs(call.content.decode("utf-8", "replace"))
    grants = form.get("grant_type", [])
    if grants != ["client_credentials"]:
        return login_error(400, "unsupported_grant_type", "only grant_type=client_credentials is supported")
    token = secrets.token_urlsafe(48)
    lifetime = call.settings.token_seconds
    call.db.execute("DELETE FROM tokens WHERE expires < ?", (call.now,))
    call.db.execute("INSERT INTO tokens VALUES (?, ?, ?)", (token, client["id"], call.now + lifetime))
    return Reply({"access_token": token, "token_type": "bearer", "expires_in": lifetime})


def login_error(status: int, error: str, description: str) -> Reply:
    """A refusal in the token endpoint's own form (facts §1)."""
    return Reply(
        {"error": error, "description": description, "error_description": description},
        status=status,
    )


def _client_of_basic(call: Call) -> sqlite3.Row | None:
    scheme, _, encoded = call.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        client_id, _, secret = base64.b64decode(encoded, validate=True).decode("utf-8").partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    row: sqlite3.Row | None = call.db.execute("SELECT * FROM clients WHERE id = ?", (client_id,)).fetchone()
    if row is None or not hmac.compare_digest(row["secret"].encode(), secret.encode()):
        return None
    return row


def identify(db: sqlite3.Connection, authorization: str, now: float) -> Caller:
    """The caller behind an ``Authorization: Bearer`` header; raises 401."""
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise ApiError(
            401, "authentication.required", "No authentication bearer token specified in authorization header."
        )
    row = db.execute(
        "SELECT t.expires, c.* FROM tokens t JOIN clients c ON c.id = t.client_id WHERE token = ?",
        (token.strip(),),
    ).fetchone()
    if row is None:
        raise ApiError(401, "bad.credentials", "Invalid login credentials.")
    if row["expires"] <= now:
        raise ApiError(401, "credentials.expired", "The supplied credentials are expired and cannot be used.")
    return Caller(token.strip(), row["id"], row["name"], row["user_id"])


def count_against_limit(db: sqlite3.Connection, caller: Caller, settings: Settings, now: float) -> None:
    """Counts one request of a token; raises 429 when the last minute held the allowed number."""
    if settings.rate_limit is None:
        return
    db.execute("DELETE FROM token_calls WHERE at <= ?", (now - RATE_WINDOW_SECONDS,))
    row = db.execute("SELECT count(*) AS used, min(at) AS first FROM token_calls WHERE token = ?", (caller.token,))
    used, first = row.fetchone()
    if used >= settings.rate_limit:
        raise too_many_requests(max(1, int(first + RATE_WINDOW_SECONDS - now) + 1))
    db.execute("INSERT INTO token_calls VALUES (?, ?)", (caller.token, now))


def show_token(call: Call) -> dict[str, Any]:
    """``GET /tokens/me`` (SDK ``TokenInfo``)."""
    organization = get_meta_json(call.db, "organization")
    named = {"id": organization["id"], "name": organization["name"]}
    expires = call.db.execute("SELECT expires FROM tokens WHERE token = ?", (call.caller.token,)).fetchone()[0]
    return {
        "organization": named,
        "homeOrganization": named,
        "authorizedScope": [],
        "dateTokenIdles": iso(expires),
        "OAuthClient": {
            "id": call.caller.client_id,
            "name": call.caller.client_name,
            "authorizedGrantType": "CLIENT-CREDENTIALS",
            "state": "active",
            "organization": named,
        },
    }


def revoke_token(call: Call) -> Reply:
    """``DELETE /tokens/me``."""
    call.db.execute("DELETE FROM tokens WHERE token = ?", (call.caller.token,))
    return Reply(status=200)


def add_client(call: Call) -> Reply:
    """``POST /sandbox/clients {name, user?}``: another OAuth client, acting as a person if one is named."""
    body = call.object()
    name = str(body.get("name") or "Another client")
    user_id: str | None = None
    if body.get("user"):
        row = call.db.execute(
            "SELECT id FROM objects WHERE kind = 'user' AND name = ?", (str(body["user"]),)
        ).fetchone()
        user_id = row["id"] if row else None
        if user_id is None:
            raise ApiError(404, "not.found", f"There is no user named '{body['user']}' in this org.")
    client_id, secret = str(uuid.uuid4()), secrets.token_urlsafe(32)
    call.db.execute(
        "INSERT INTO clients (id, secret, name, user_id) VALUES (?, ?, ?, ?)", (client_id, secret, name, user_id)
    )
    return Reply({"client_id": client_id, "client_secret": secret, "name": name}, status=201)


ENDPOINTS = (
    Endpoint("POST", LOGIN, issue_token, authenticated=False),
    Endpoint("GET", f"{API}/tokens/me", show_token, query=("preserveIdleTTL",)),
    Endpoint("DELETE", f"{API}/tokens/me", revoke_token),
    Endpoint("POST", "/sandbox/clients", add_client, authenticated=False, counted=False),
)
