"""How a client proves to Kafka who it is. What lies in files, or is asked for, is read anew for each connection."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, Self, get_args

from aiokafka.abc import AbstractTokenProvider

from booking_contracts.client.refused_tokens import hear_refusals

Mechanism = Literal["SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"]


@dataclass(frozen=True, slots=True)
class KafkaSecurity:
    """How to reach a broker that asks who is there.

    `password` and `token` may be functions: each login asks them, so that a secret is rotated without a restart.
    """

    protocol: Literal["SSL", "SASL_PLAINTEXT", "SASL_SSL"]
    ssl_context: ssl.SSLContext | None = None
    mechanism: Mechanism = "SCRAM-SHA-512"
    username: str | None = None
    password: str | Callable[[], str] | None = None
    token: Callable[[], str] | None = None
    """Of OAUTHBEARER: the access token that is valid now."""

    def __post_init__(self) -> None:
        if self.mechanism not in get_args(Mechanism):  # PLAIN would hand the password to whoever answers
            raise ValueError(f"{self.mechanism} is not used here; there are {', '.join(get_args(Mechanism))}")

    def settings(self) -> dict[str, object]:
        """As aiokafka names them."""
        found: dict[str, object] = {"security_protocol": self.protocol, "ssl_context": self.ssl_context}
        if not self.protocol.startswith("SASL"):
            return found
        found["sasl_mechanism"] = self.mechanism
        if self.mechanism == "OAUTHBEARER":
            hear_refusals()
            return found | {"sasl_oauth_token_provider": _Token(self.token)}
        password = _Asked(self.password) if callable(self.password) else self.password
        return found | {"sasl_plain_username": self.username, "sasl_plain_password": password}


def context_of_files(cafile: str | None, certfile: str | None = None, keyfile: str | None = None) -> ssl.SSLContext:
    """TLS that trusts the certificates in `cafile`, the system's where it is None, and shows our own.

    Each connection reads the files anew. Raises OSError where they cannot be read now.
    """
    return _OfFiles(cafile, certfile, keyfile)


class _OfFiles(ssl.SSLContext):
    """For asyncio and uvloop, which ask a context for nothing but `wrap_bio`."""

    def __new__(cls, *_: str | None) -> Self:
        return super().__new__(cls, ssl.PROTOCOL_TLS_CLIENT)

    def __init__(self, cafile: str | None, certfile: str | None, keyfile: str | None) -> None:
        self._cafile, self._certfile, self._keyfile = cafile, certfile, keyfile
        self._read()

    def wrap_bio(self, *arguments: Any, **options: Any) -> ssl.SSLObject:
        return self._read().wrap_bio(*arguments, **options)

    def _read(self) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=self._cafile)
        if self._certfile is not None:
            context.load_cert_chain(self._certfile, self._keyfile)
        return context


class _Asked:
    """A password to aiokafka, which takes one for all connections and encodes it at each login."""

    def __init__(self, ask: Callable[[], str]) -> None:
        self._ask = ask

    def encode(self, encoding: str) -> bytes:
        return self._ask().encode(encoding)


class _Token(AbstractTokenProvider):  # type: ignore[misc]
    def __init__(self, ask: Callable[[], str] | None) -> None:
        if ask is None:
            raise ValueError("OAUTHBEARER needs a token")
        self._ask = ask

    async def token(self) -> str:
        return self._ask()
