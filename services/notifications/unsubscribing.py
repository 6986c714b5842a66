"""Links that end somebody's reminders: signed by us, followed without a token (RFC 8058; rules.md, People).

A link names a mailbox by its hash, so that no address stands in the logs of whoever passes it on. It works as long as
the secret that signed it is among ours.
"""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from services.chassis.database import Pool
from services.notifications.model.addresses import person_of

PATH = "/unsubscribe/"
_PURPOSE = b"unsubscribe from reminders\x00"
"""What else is signed with the same secret one day ends nobody's reminders."""
_SIGNATURE_BYTES = 16
IS_OFF = "SELECT EXISTS (SELECT FROM reminders_off WHERE person = $1)"
SWITCH_OFF = "INSERT INTO reminders_off (person) VALUES ($1) ON CONFLICT DO NOTHING"


@dataclass(frozen=True, slots=True)
class Links:
    """`public_url` is where people reach this service; `secrets` are asked for each link: the first one signs, each of
    them counts, so that one can be replaced."""

    public_url: str
    secrets: Callable[[], Sequence[str]]

    def to_end_reminders(self, address: str) -> str:
        """The link in a reminder to this address."""
        person = person_of(address)
        token = urlsafe_b64encode(person + _signature(self.secrets()[0], person)).rstrip(b"=")
        return f"{self.public_url.rstrip('/')}{PATH}{token.decode()}"

    def person(self, token: str) -> bytes | None:
        """Whose reminders a link ends, or None where we did not sign it."""
        try:
            found = urlsafe_b64decode(token.encode("ascii") + b"=" * (-len(token) % 4))
        except ValueError:
            return None
        person, signature = found[:-_SIGNATURE_BYTES], found[-_SIGNATURE_BYTES:]
        signed = [hmac.compare_digest(signature, _signature(secret, person)) for secret in self.secrets()]
        return person if any(signed) else None


class Unsubscribed:
    """Whether somebody has ended their reminders, asked of the database when a reminder is handed over: it may have
    waited for a mail server since it was written."""

    pool: Pool | None = None
    """Requests' own; there from the start of the process on."""

    async def has(self, address: str) -> bool:
        """Raises database.UNAVAILABLE."""
        return self.pool is not None and bool(await self.pool.fetchval(IS_OFF, person_of(address)))


def _signature(secret: str, person: bytes) -> bytes:
    return hmac.digest(secret.encode(), _PURPOSE + person, "sha256")[:_SIGNATURE_BYTES]
