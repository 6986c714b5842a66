"""The console's one use of a key: texts that it gives to a browser and knows again (HMAC-SHA-256, RFC 2104)."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Callable, Sequence

from services.chassis.clock import real_seconds

HOUR = 3600


class Signer:
    """Signs with the first of the secrets, and reads what was signed with any of them: so one can be replaced."""

    def __init__(self, secrets: Callable[[], Sequence[str]]) -> None:
        self._secrets = secrets

    def signed(self, purpose: str, text: str, hours: float) -> str:
        """The text with its end and its signature. Made twice within an hour it is the same, so that a page that has
        not changed is the same, too. What was signed for one purpose is nothing for another."""
        end = str((int(real_seconds() + hours * HOUR) // HOUR + 1) * HOUR)
        return ".".join((_encoded(text.encode()), end, self._signature(self._secrets()[0], purpose, text, end)))

    def read(self, purpose: str, signed: str) -> str | None:
        """The text; None where it was not signed by us for this purpose, or has ended."""
        found = self.opened(purpose, signed)
        return None if found is None else found[0]

    def opened(self, purpose: str, signed: str) -> tuple[str, int] | None:
        """And when it ends, Unix time."""
        encoded, _, rest = signed.partition(".")
        end, _, signature = rest.partition(".")
        try:
            text = base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)).decode()
            ended = int(end) <= real_seconds()
        except ValueError:
            return None
        given = signature.encode("utf-8", "surrogateescape")
        ours = (self._signature(secret, purpose, text, end).encode() for secret in self._secrets())
        return None if ended or not any(hmac.compare_digest(given, one) for one in ours) else (text, int(end))

    @staticmethod
    def _signature(secret: str, purpose: str, text: str, end: str) -> str:
        of = "\x00".join((purpose, end, text)).encode()
        return _encoded(hmac.digest(secret.encode(), of, "sha256"))


def _encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
