"""What every service reads from its environment; a service's own settings extend this class."""

from __future__ import annotations

import hashlib
import hmac
import socket
from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, SecretStr

from services.chassis.clock import real_seconds
from services.chassis.database import Address
from services.chassis.expiry import files_of
from services.chassis.kafka_settings import KafkaSettings

Scope = Literal["read:bookings", "read:money", "read:pii", "client-secret", "webhooks:write"]
LONGEST_INSTANCE = 48
"""PostgreSQL keeps 63 bytes of a session's name, and ours end with what the session is for."""


class ApiToken(BaseModel):
    """A named bearer token with its scopes; only its hash is configured. Two may be valid at once for rotation."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    token_sha256: str
    scopes: frozenset[Scope]
    expires_at: AwareDatetime | None = None
    """From then on it opens nothing, by the machine's clock; an alert tells before."""

    def matches(self, token: str) -> bool:
        """Compare in constant time. A header that is not UTF-8 comes with its bytes as surrogates."""
        given = token.encode("utf-8", "surrogateescape")
        is_it = hmac.compare_digest(hashlib.sha256(given).hexdigest(), self.token_sha256)
        return is_it and (self.expires_at is None or real_seconds() < self.expires_at.timestamp())


class Settings(KafkaSettings):
    """Environment variables of the same names, upper case, or files that X_FILE names (setting_files.py)."""

    database_url: str
    """As asyncpg reads it: `?sslmode=verify-full&sslrootcert=…` for TLS."""
    database_password: SecretStr | None = None
    """Goes before one in the URL."""
    instance: Annotated[str, AfterValidator(lambda name: name[-LONGEST_INSTANCE:])] = Field(
        default_factory=socket.gethostname, validate_default=True
    )
    """This replica's name in logs, sessions and consumer groups: in Kubernetes the pod's, which is its host's."""
    http_host: str = "0.0.0.0"
    http_port: int = 8080
    api_tokens: tuple[ApiToken, ...] = ()
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    drain_seconds: float = 15.0

    @property
    def database(self) -> Address:
        """Where the service's database is; each new connection asks for the password of then."""
        return Address(self.database_url, None if self.database_password is None else self._database_password_now)

    def _database_password_now(self) -> str:
        password = self.now().database_password
        assert password is not None, "what was set at the start stays set"
        return password.get_secret_value()

    def certificate_files(self) -> list[str]:
        """Its database's, too."""
        return [*super().certificate_files(), *files_of(self.database)]
