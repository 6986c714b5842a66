"""Who is who, for rules about one person: the same id, or the same e-mail address in one reading."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from uuid import UUID, uuid5

from booking_contracts.types import Attendee, Customer

ADDRESSES = UUID("0d5f2f5e-7c0b-5c1d-9a2e-6b1f0a7d3c44")


@lru_cache(10_000)
def reading(email: str) -> UUID:
    """An address as it is compared: as it is stored, whatever the case of its letters.

    A digest, because it stands beside bookings, where no contact data is kept.
    """
    return uuid5(ADDRESSES, email.casefold())


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody, as far as rules tell people apart."""

    id: str
    email: UUID | None = None
    """The reading of their address, where one is known."""

    @property
    def keys(self) -> tuple[str | UUID, ...]:
        """What any of which makes two the same person."""
        return (self.id,) if self.email is None else (self.id, self.email)

    def is_(self, other: Person) -> bool:
        """Whether they are the same."""
        return not set(self.keys).isdisjoint(other.keys)


@dataclass(frozen=True, slots=True)
class Party:
    """Who books or waits, and who comes where that is somebody else."""

    customer: Customer
    attendee: Attendee | None = None

    @property
    def payer(self) -> Person:
        return Person(self.customer.id, reading(self.customer.email))

    @property
    def comer(self) -> Person:
        """Who sits there. An attendee without an address is known by their id alone, unless that is the customer's."""
        if self.attendee is None or (self.attendee.id == self.customer.id and self.attendee.email is None):
            return self.payer
        email = self.attendee.email
        return Person(self.attendee.id, None if email is None else reading(email))

    @property
    def attendee_id(self) -> str | None:
        return None if self.attendee is None else self.attendee.id
