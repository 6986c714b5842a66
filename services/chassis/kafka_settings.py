"""How a process of ours reaches Kafka and shows it who it is; each aiokafka client is made with this."""

from __future__ import annotations

from typing import Literal, Self

from booking_contracts.client.security import KafkaSecurity, Mechanism, context_of_files
from pydantic import SecretStr, model_validator

from services.chassis.setting_files import FileSettings


class KafkaSettings(FileSettings):
    """The environment's KAFKA_…; passwords, tokens and certificates in files are read anew at each connection."""

    kafka_bootstrap_servers: str
    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    kafka_sasl_mechanism: Mechanism = "SCRAM-SHA-512"
    kafka_sasl_username: str | None = None
    kafka_sasl_password: SecretStr | None = None
    kafka_sasl_token: SecretStr | None = None
    """Of OAUTHBEARER; somebody beside us renews the file that holds it."""
    kafka_ssl_cafile: str | None = None
    """Certificates that the brokers' are signed with; the system's where none is named."""
    kafka_ssl_certfile: str | None = None
    """Our own certificate, for brokers that ask for one."""
    kafka_ssl_keyfile: str | None = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.kafka_ssl_certfile is None) != (self.kafka_ssl_keyfile is None):
            raise ValueError("KAFKA_SSL_CERTFILE and KAFKA_SSL_KEYFILE go together")
        if not self.kafka_security_protocol.startswith("SASL"):
            return self
        if self.kafka_sasl_mechanism == "OAUTHBEARER":
            if self.kafka_sasl_token is None:
                raise ValueError("OAUTHBEARER needs KAFKA_SASL_TOKEN_FILE")
        elif self.kafka_sasl_username is None or self.kafka_sasl_password is None:
            raise ValueError(f"{self.kafka_sasl_mechanism} needs KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD")
        return self

    def certificate_files(self) -> list[str]:
        """Files of certificates that this process connects with."""
        return [file for file in (self.kafka_ssl_cafile, self.kafka_ssl_certfile) if file]

    def kafka_security(self) -> dict[str, object]:
        """How this process shows the brokers who it is, as aiokafka names it; the ACLs of contracts rest on it."""
        login = self.kafka_login()
        return {} if login is None else login.settings()

    def kafka_login(self) -> KafkaSecurity | None:
        """The same, as a BookingClient takes it."""
        protocol = self.kafka_security_protocol
        if protocol == "PLAINTEXT":
            return None
        files = (self.kafka_ssl_cafile, self.kafka_ssl_certfile, self.kafka_ssl_keyfile)
        return KafkaSecurity(
            protocol,
            context_of_files(*files) if protocol.endswith("SSL") else None,
            self.kafka_sasl_mechanism,
            self.kafka_sasl_username,
            self._password_now,
            self._token_now,
        )

    def kafka_client(self) -> dict[str, object]:
        """Where Kafka is, and `kafka_security`: what a consumer or an admin client is made with."""
        return {"bootstrap_servers": self.kafka_bootstrap_servers, **self.kafka_security()}

    def _password_now(self) -> str:
        password = self.now().kafka_sasl_password
        assert password is not None, "asked for by SCRAM alone, which does not start without"
        return password.get_secret_value()

    def _token_now(self) -> str:
        token = self.now().kafka_sasl_token
        assert token is not None, "asked for by OAUTHBEARER alone, which does not start without"
        return token.get_secret_value()
