"""Headers that every answer has: nothing inline runs, nobody frames a page, nothing is kept by a cache."""

from __future__ import annotations

from aiohttp import web

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


async def add_headers(_: web.Request, response: web.StreamResponse) -> None:
    """For `on_response_prepare`: errors have them, too. Files name how long they are kept themselves."""
    response.headers.update(HEADERS)
    response.headers.setdefault("Cache-Control", "no-store")
