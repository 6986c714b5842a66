"""Users of the secure stack's Kafka, and where its secrets lie."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from pathlib import Path
from secrets import token_hex
from typing import Any

from booking_contracts.client.security import KafkaSecurity, context_of_files

from deploy.local.certificates import make_authority, signed
from deploy.local.kafka_users import unsigned_token
from deploy.local.layout import Layout, write_private
from deploy.local.secured import BY_CERTIFICATE, give_kafka
from deploy.local.stack import Stack

PASSWORD = "of a test"


class Users:
    """How each reaches the broker; and the files of secrets, which tests rotate."""

    def __init__(self, stack: Stack) -> None:
        self.root = stack.log("kafka").parents[1]
        self._layout = Layout.load(self.root)
        self.servers = f"127.0.0.1:{self._layout.ports['kafka-secure']}"
        self.tls = self.root / "tls"
        self._authority = str(self.tls / "ca.pem")

    def url(self, name: str) -> str:
        """Where a process answers over HTTP."""
        return self._layout.url(name)

    def security(self, user: str, password: str | Callable[[], str] = PASSWORD) -> KafkaSecurity:
        """By password."""
        return KafkaSecurity("SASL_SSL", context_of_files(self._authority), "SCRAM-SHA-512", user, password)

    def client(self, user: str, password: str | Callable[[], str] = PASSWORD) -> dict[str, Any]:
        """The same, for aiokafka."""
        return {"bootstrap_servers": self.servers, **self.security(user, password).settings()}

    def client_by_token(self, token: str) -> dict[str, Any]:
        """The same by OAUTHBEARER."""
        context = context_of_files(self._authority)
        login = KafkaSecurity("SASL_SSL", context, "OAUTHBEARER", token=lambda: token)
        return {"bootstrap_servers": self.servers, **login.settings()}

    def env(self, user: str) -> dict[str, str]:
        """By password, for a program of ours."""
        return {
            "KAFKA_BOOTSTRAP_SERVERS": self.servers,
            "KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
            "KAFKA_SASL_USERNAME": user,
            "KAFKA_SASL_PASSWORD": PASSWORD,
            "KAFKA_SSL_CAFILE": self._authority,
        }

    def by_certificate(self, user: str) -> dict[str, str]:
        """In the environment of a program of ours, without a password."""
        certificate = signed(self.tls, f"{user}-of-{token_hex(4)}", common_name=user)
        return {
            "KAFKA_BOOTSTRAP_SERVERS": f"127.0.0.1:{self._layout.ports['kafka-mtls']}",
            "KAFKA_SECURITY_PROTOCOL": "SSL",
            "KAFKA_SSL_CAFILE": self._authority,
            "KAFKA_SSL_CERTFILE": str(certificate),
            "KAFKA_SSL_KEYFILE": str(certificate.with_suffix(".key")),
        }

    def by_token(self, user: str) -> dict[str, str]:
        """The same with a token in a file; one that nobody has signed, which this broker takes."""
        file = self.root / "token"
        file.write_text(f"{unsigned_token(user, 600)}\n")
        return {
            **{name: it for name, it in self.env(user).items() if not name.startswith("KAFKA_SASL")},
            "KAFKA_SASL_MECHANISM": "OAUTHBEARER",
            "KAFKA_SASL_TOKEN_FILE": str(file),
        }

    def new_authority(self) -> ssl.SSLContext:
        """Another authority signs for Kafka, from its next start on, and for services; returns who trusts the old one.

        Until `old_is_gone`, services trust both.
        """
        old = (self.tls / "ca.pem").read_text()
        before = ssl.create_default_context(cadata=old)
        self._next = make_authority(self.tls, f"ca-{token_hex(4)}")
        write_private(self.tls / "ca.pem", old + self._next.read_text())
        give_kafka(self.tls, self._signed("kafka"), self._next)
        for service in BY_CERTIFICATE:
            fresh = self._signed(service)
            for ending in (".key", ".pem"):
                write_private(self.tls / f"{service}{ending}", fresh.with_suffix(ending).read_text())
        return before

    def old_is_gone(self) -> None:
        """Nobody trusts the authority of before; who asks for a certificate from now on has it of the new one."""
        write_private(self.tls / "ca.key", self._next.with_suffix(".key").read_text())
        write_private(self.tls / "ca.pem", self._next.read_text())

    def _signed(self, name: str) -> Path:
        return signed(self.tls, f"{name}-of-{self._next.stem}", self._next.stem, common_name=name)

    def secret(self, service: str, name: str) -> Path:
        """The file of a service's secret."""
        return self.root / "secrets" / service / name

    def rotate(self, service: str, name: str, value: str) -> None:
        """Put something else there, in one step."""
        write_private(self.secret(service, name), value)
