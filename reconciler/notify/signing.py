"""Signs what is sent as JSON, in the manner of Standard Webhooks, so that receivers may use any of its libraries.

The signature covers id, time and body: nobody can change them, and a receiver that refuses old times and known ids
cannot be sent the same message again by somebody who listened.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac

ID_HEADER = "webhook-id"
TIME_HEADER = "webhook-timestamp"
SIGNATURE_HEADER = "webhook-signature"
PREFIX = "whsec_"


def key_of(secret: str) -> bytes:
    """The key that a secret stands for: base64 after ``whsec_``, else its own letters.

    Raises:
        ValueError: what follows ``whsec_`` is no base64, or nothing: anybody could sign with an empty key.
    """
    if not secret.startswith(PREFIX):
        return secret.encode()
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("what follows whsec_ is no base64") from None
    if not key:
        raise ValueError("nothing follows whsec_")
    return key


def headers(id_: str, timestamp: int, body: bytes, key: bytes | None) -> dict[str, str]:
    """The headers of one attempt; without a key there is no signature."""
    made = {ID_HEADER: id_, TIME_HEADER: str(timestamp)}
    if key is not None:
        made[SIGNATURE_HEADER] = signature(id_, timestamp, body, key)
    return made


def signature(id_: str, timestamp: int, body: bytes, key: bytes) -> str:
    """``v1,`` and the HMAC-SHA256 of ``id.timestamp.body`` in base64."""
    signed = b".".join([id_.encode(), str(timestamp).encode(), body])
    return "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
