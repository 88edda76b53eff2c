"""Refusals in the platform's shape (SDK ``ErrorBody``; facts §2 and §3.1 for codes).

Codes that no source confirms are taken from the generic list; ``docs/fidelity.md`` names them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError


class ApiError(Exception):
    """A request that is refused; becomes the platform's error envelope."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        headers: Mapping[str, str] | None = None,
        details: Sequence[Mapping[str, str]] = (),
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.headers = dict(headers or {})
        self.details = [dict(detail) for detail in details]

    def body(self, correlation_id: str) -> dict[str, Any]:
        """The error envelope; ``contextId`` repeats the ``ININ-Correlation-Id`` header."""
        return {
            "message": self.message,
            "code": self.code,
            "status": self.status,
            "messageParams": {},
            "contextId": correlation_id,
            "details": self.details,
            "errors": [],
        }


def bad_request(message: str, code: str = "bad.request") -> ApiError:
    """400: the request itself is wrong."""
    return ApiError(400, code, message)


def invalid_value(message: str) -> ApiError:
    """400: a field of the body has a value that is not allowed."""
    return ApiError(400, "invalid.value", message)


def not_found(message: str = "The requested resource was not found.", code: str = "not.found") -> ApiError:
    """404."""
    return ApiError(404, code, message)


def conflict(message: str, code: str = "general.conflict", details: Sequence[Mapping[str, str]] = ()) -> ApiError:
    """409: the object's state, or another object, stands against it."""
    return ApiError(409, code, message, details=details)


def unauthorized(message: str = "No authentication bearer token specified in authorization header.") -> ApiError:
    """401: no token, or one that is not (or no longer) valid."""
    return ApiError(401, "authentication.required" if "No auth" in message else "bad.credentials", message)


def too_many_requests(seconds: int) -> ApiError:
    """429 in the form of all APIs since November 2021 (facts §2)."""
    return ApiError(
        429,
        "too.many.requests.retry.after",
        f"Rate limit exceeded the maximum. Retry the request in [{seconds}] seconds",
        headers={"Retry-After": str(seconds), "inin-ratelimit-reset": str(seconds)},
    )


def first_problem(error: ValidationError) -> str:
    """The first thing that is wrong with a body, with its place in it."""
    problem = error.errors()[0]
    place = ".".join(str(step) for step in problem["loc"])
    return f"{place}: {problem['msg']}" if place else problem["msg"]
