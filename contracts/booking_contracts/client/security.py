"""How a client proves to Kafka who it is."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class KafkaSecurity:
    """How to reach a broker that asks who is there."""

    protocol: Literal["SSL", "SASL_PLAINTEXT", "SASL_SSL"]
    ssl_context: ssl.SSLContext | None = None
    mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "SCRAM-SHA-512"
    username: str | None = None
    password: str | None = None

    def settings(self) -> dict[str, object]:
        """As aiokafka names them."""
        found: dict[str, object] = {"security_protocol": self.protocol, "ssl_context": self.ssl_context}
        if self.protocol.startswith("SASL"):
            found |= {"sasl_mechanism": self.mechanism}
            found |= {"sasl_plain_username": self.username, "sasl_plain_password": self.password}
        return found
