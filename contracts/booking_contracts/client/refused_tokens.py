"""A token that Kafka refuses is told as one.

A broker says no to a token by a text, and fails the login when it is answered (RFC 7628, 3.2.3). aiokafka does not look
at the text, and goes on as if it were logged in: the answers to what it asks then name no broker, and the client knows
none from then on, whatever token it is given later.
"""

from __future__ import annotations

from aiokafka import conn


class _Heard(conn.OAuthAuthenticator):  # type: ignore[misc]
    async def step(self, payload: bytes | None) -> tuple[bytes, bool] | None:
        """What to send next; None: we are logged in."""
        if payload:
            return b"\x01", True
        answer: tuple[bytes, bool] | None = await super().step(payload)
        return answer


def hear_refusals() -> None:
    """By every connection of this process from now on. May be called again."""
    conn.OAuthAuthenticator = _Heard
