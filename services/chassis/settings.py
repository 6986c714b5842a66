"""What every service reads from its environment; a service's own settings extend this class."""

from __future__ import annotations

import hashlib
import hmac
from typing import Literal

from pydantic import BaseModel, ConfigDict
from pydantic_settings import BaseSettings, SettingsConfigDict

Scope = Literal["read:bookings", "read:money", "read:pii", "client-secret", "webhooks:write"]


class ApiToken(BaseModel):
    """A named bearer token with its scopes; only its hash is configured. Two may be valid at once for rotation."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    token_sha256: str
    scopes: frozenset[Scope]

    def matches(self, token: str) -> bool:
        """Compare in constant time."""
        return hmac.compare_digest(hashlib.sha256(token.encode()).hexdigest(), self.token_sha256)


class Settings(BaseSettings):
    """Environment variables of the same names, upper case."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore")

    database_url: str
    kafka_bootstrap_servers: str
    instance: str = "1"
    http_host: str = "0.0.0.0"
    http_port: int = 8080
    api_tokens: tuple[ApiToken, ...] = ()
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    drain_seconds: float = 15.0
