"""What the console reads from its environment, or from files that X_FILE names (chassis/setting_files.py)."""

from __future__ import annotations

import hashlib
import hmac
import socket
from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, SecretStr, StringConstraints, model_validator

from services.chassis.clock import real_seconds
from services.chassis.kafka_settings import KafkaSettings
from services.operations.console.roles import Right

Prefix = Annotated[str, StringConstraints(pattern=r"^(/[A-Za-z0-9._~-]+)*$")]


class ConsoleToken(BaseModel):
    """An operator's token; only its hash is configured. `name` is what the log of operators has."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, StringConstraints(min_length=1, max_length=128)]
    token_sha256: str
    roles: frozenset[Right]
    expires_at: AwareDatetime | None = None

    @property
    def is_valid(self) -> bool:
        """By the machine's clock."""
        return self.expires_at is None or real_seconds() < self.expires_at.timestamp()

    def is_of(self, token: str) -> bool:
        """Also where it has ended. Compared in constant time."""
        given = hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()
        return hmac.compare_digest(given, self.token_sha256)

    def matches(self, token: str) -> bool:
        """Whether it opens the console."""
        return self.is_of(token) and self.is_valid


class ConsoleSettings(KafkaSettings):
    """Environment variables of the same names, upper case. Kafka's are those of every service."""

    http_host: str = "0.0.0.0"
    http_port: int = 8080
    metrics_port: int | None = None
    """Where Prometheus reads /metrics, without a login; None: nowhere. Never the port that the world comes to."""
    instance: str = Field(default_factory=socket.gethostname)
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    console_prefix: Prefix = ""
    """What all paths begin with where a proxy passes only these on: /console. /health has none."""
    console_read_only: bool = False
    """Nobody can do anything, only see."""
    console_tokens: tuple[ConsoleToken, ...] = ()
    console_session_secrets: tuple[SecretStr, ...] = Field(min_length=1)
    """Sessions and forms are signed with the first, and read with each; 32 characters at least."""
    console_session_hours: Annotated[float, Field(gt=0, le=168)] = 12.0
    console_https: bool = True
    """Browsers come by HTTPS, and send cookies by nothing else."""
    console_proxy_user_header: str | None = None
    """The header in which a proxy (OIDC) says who the operator is: X-Forwarded-Email."""
    console_proxy_roles_header: str | None = None
    """Its list of groups, by commas or blanks: X-Forwarded-Groups."""
    console_proxy_roles: dict[str, Right] | None = None
    """Right by group; without it groups are called as the rights are."""
    console_proxy_secret_header: str = "X-Console-Secret"
    console_proxy_secret: SecretStr | None = None
    """What the proxy sends in that header; without it anybody could say that they are somebody."""
    console_links: dict[str, str] = Field(default_factory=dict)
    """Where else to look, by name, with {trace_id}, {correlation_id}, {booking_id} or {stripe_id} in the address."""
    console_services: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """The addresses of each service's replicas over HTTP, for what only a process knows: its circuit to Stripe."""

    @model_validator(mode="after")
    def _metrics_are_no_page(self) -> Self:
        if self.metrics_port == self.http_port:
            raise ValueError("METRICS_PORT is HTTP_PORT: everybody would read what is told of tokens and files")
        return self

    @model_validator(mode="after")
    def _somebody_gets_in(self) -> Self:
        if any(len(one.get_secret_value()) < 32 for one in self.console_session_secrets):
            raise ValueError("CONSOLE_SESSION_SECRETS are of 32 characters at least")
        if self.console_proxy_user_header and not (self.console_proxy_secret and self.console_proxy_roles_header):
            raise ValueError("CONSOLE_PROXY_USER_HEADER needs CONSOLE_PROXY_ROLES_HEADER and CONSOLE_PROXY_SECRET")
        if not self.console_proxy_user_header and not self.console_tokens:
            raise ValueError("nobody gets in: set CONSOLE_TOKENS, or CONSOLE_PROXY_USER_HEADER")
        return self
