"""What a service's HTTP application is given in tests that start no process: well-being, and tokens."""

from __future__ import annotations

import hashlib

from services.chassis.http import Health
from services.chassis.settings import ApiToken, Scope


async def _well() -> str | None:
    return None


HEALTHY = Health(_well, _well, _well, _well)


def a_token(name: str, *scopes: Scope) -> ApiToken:
    """Whoever asks with `name` as the token has these scopes."""
    return ApiToken(name=name, token_sha256=hashlib.sha256(name.encode()).hexdigest(), scopes=frozenset(scopes))
