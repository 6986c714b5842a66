"""Kinds of refusal over HTTP: a problem document (RFC 9457) of the services has one of them as its `type`.

A kind's docstring says when it comes and what to do `Next`: `make contracts` writes generated/codes.md of them.
"""

from __future__ import annotations

from enum import StrEnum

PAGE = "/codes.md"
"""Where every service shows generated/codes.md, so that a `type` can be opened where the document came from."""


class ProblemKind(StrEnum):
    """What kind of refusal it is; `detail` says what it is about this time."""

    BAD_REQUEST = "bad-request"
    """A parameter, or the body, is not what the path takes.
    Next: correct what `detail` names; unchanged the request is refused again."""
    UNAUTHORIZED = "unauthorized"
    """The request has no token, or one that this service does not know.
    Next: send `Authorization: Bearer` with a token of this service."""
    FORBIDDEN = "forbidden"
    """The token is known, and lacks the scope that the path needs.
    Next: use a token with the scope that `detail` names."""
    NOT_FOUND = "not-found"
    """There is no such path, or nothing is stored under this id.
    Next: check the path and the id. What was commanded a moment ago may be on its way: ask again shortly."""
    METHOD_NOT_ALLOWED = "method-not-allowed"
    """The path does not take this method.
    Next: use one that the header Allow names."""
    CONFLICT = "conflict"
    """What is there is in a state that leaves no answer: a booking that its customer cannot cancel has no cancellation
    quote, a payment that does not wait for the payer has no client secret.
    Next: read it again, and decide by the state that it has now."""
    BODY_TOO_LARGE = "body-too-large"
    """The body has more bytes than the services take.
    Next: send less."""
    INTERNAL_ERROR = "internal-error"
    """A fault of ours.
    Next: try again later; if it stays, tell the operators the path and the time."""
    UNAVAILABLE = "unavailable"
    """The database or Stripe is busy or does not answer, or too many ask at once.
    Next: send the same request again after the seconds of Retry-After."""
    NOT_READY = "not-ready"
    """The answer of a health path: the process is not live, ready or started; `detail` says why.
    Next: nothing for a client; Kubernetes waits, or starts the process again."""

    @property
    def status(self) -> int:
        """The HTTP status that it comes with."""
        return _STATUSES[self]

    @property
    def reference(self) -> str:
        """The `type` of a problem document: a reference with its full path, as RFC 9457 (3.1.1) wants relative ones."""
        return f"{PAGE}#{self.value}"


_STATUSES = {
    ProblemKind.BAD_REQUEST: 400,
    ProblemKind.UNAUTHORIZED: 401,
    ProblemKind.FORBIDDEN: 403,
    ProblemKind.NOT_FOUND: 404,
    ProblemKind.METHOD_NOT_ALLOWED: 405,
    ProblemKind.CONFLICT: 409,
    ProblemKind.BODY_TOO_LARGE: 413,
    ProblemKind.INTERNAL_ERROR: 500,
    ProblemKind.UNAVAILABLE: 503,
    ProblemKind.NOT_READY: 503,
}
