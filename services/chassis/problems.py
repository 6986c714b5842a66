"""Refusals over HTTP, as problem+json (RFC 9457); `type` leads to the kind's section of generated/codes.md."""

from __future__ import annotations

from collections.abc import Mapping

from aiohttp import web
from booking_contracts.problems import ProblemKind

RETRY_AFTER_SECONDS = 1
BY_STATUS = {kind.status: kind for kind in ProblemKind if kind is not ProblemKind.NOT_READY}
"""What a status says here; of another one there is nothing to say beyond it, and its type is about:blank."""


class Problem(Exception):
    """A refusal; the middleware of http.py makes the document of it."""

    def __init__(self, status: int, title: str, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status, self.title, self.detail, self.headers = status, title, detail, headers


def bad_request(detail: str) -> Problem:
    """400: the detail names the parameter and says what it should be."""
    return Problem(400, "Bad Request", detail)


def not_found(detail: str) -> Problem:
    """404: the detail says what is not there."""
    return Problem(404, "Not Found", detail)


def unavailable(detail: str) -> Problem:
    """503 with Retry-After: the same request may well succeed in a moment."""
    return Problem(503, "Service Unavailable", detail, {"Retry-After": str(RETRY_AFTER_SECONDS)})


def problem(
    status: int,
    title: str,
    detail: str,
    headers: Mapping[str, str] | None = None,
    kind: ProblemKind | None = None,
) -> web.Response:
    """A problem document, of the kind that its status stands for where none is named."""
    kind = kind or BY_STATUS.get(status)
    body = {"type": kind.reference if kind else "about:blank", "title": title, "status": status, "detail": detail}
    return web.json_response(body, status=status, content_type="application/problem+json", headers=headers)
