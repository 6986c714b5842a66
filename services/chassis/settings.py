"""What every service reads from its environment; a service's own settings extend this class."""

from __future__ import annotations

import hashlib
import hmac
import ssl
from datetime import UTC, datetime
from typing import Literal
from urllib.parse import parse_qs, urlsplit

from booking_contracts.client.security import KafkaSecurity
from pydantic import AwareDatetime, BaseModel, ConfigDict, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

Scope = Literal["read:bookings", "read:money", "read:pii", "client-secret", "webhooks:write"]


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
        return is_it and (self.expires_at is None or datetime.now(UTC) < self.expires_at)


class Settings(BaseSettings):
    """Environment variables of the same names, upper case."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore")

    database_url: str
    kafka_bootstrap_servers: str
    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    kafka_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "SCRAM-SHA-512"
    kafka_username: str | None = None
    kafka_password: SecretStr | None = None
    kafka_ca_file: str | None = None
    """Certificates that the brokers' are signed with; the system's where none is named."""
    instance: str = "1"
    http_host: str = "0.0.0.0"
    http_port: int = 8080
    api_tokens: tuple[ApiToken, ...] = ()
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    drain_seconds: float = 15.0

    def certificate_files(self) -> list[str]:
        """Files of certificates that this service connects with."""
        of_database = parse_qs(urlsplit(self.database_url).query)
        found = [self.kafka_ca_file, *of_database.get("sslrootcert", ()), *of_database.get("sslcert", ())]
        return [file for file in found if file]

    def kafka_connection(self) -> dict[str, object]:
        """How this service shows the brokers who it is, as aiokafka names it; the ACLs of contracts rest on it."""
        protocol = self.kafka_security_protocol
        if protocol == "PLAINTEXT":
            return {}
        context = ssl.create_default_context(cafile=self.kafka_ca_file) if protocol.endswith("SSL") else None
        password = self.kafka_password.get_secret_value() if self.kafka_password else None
        return KafkaSecurity(protocol, context, self.kafka_sasl_mechanism, self.kafka_username, password).settings()
