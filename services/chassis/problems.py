"""Refusals over HTTP, as problem+json (RFC 9457)."""

from __future__ import annotations

from collections.abc import Mapping

from aiohttp import web

RETRY_AFTER_SECONDS = 1


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


def problem(status: int, title: str, detail: str, headers: Mapping[str, str] | None = None) -> web.Response:
    """A problem document."""
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    return web.json_response(body, status=status, content_type="application/problem+json", headers=headers)
