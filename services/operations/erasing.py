"""Erases a customer in every service: nobody can be reached any more by what our databases hold of them.

`bookingctl customer erase` and the console do it by this function.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from services.booking import erasing as booking
from services.booking.erasing import Known
from services.chassis.database import Connection
from services.chassis.forgetting import Left, forget
from services.notifications import erasing as notifications

Acting = Callable[[str], AbstractAsyncContextManager[Connection]]
"""A connection to a service's database, as the service's own role."""

STAYS = """\
Stays: ids, prices, history with the reasons that people wrote, and ledger, which books are kept on; who paid for
somebody who came along; a provider's own address (catalogue); the same person under another id.
Ends by itself: Kafka's topics after 7 days, dead-letter topics after 30. Elsewhere: Stripe, mail servers, backups."""


@dataclass(frozen=True, slots=True)
class Erased:
    """What was erased, and what has to be done before erasing again; nothing of that where it is all gone."""

    known: Known
    again: Sequence[str]

    def sentences(self) -> list[str]:
        """Lines for who has asked for it; what is left to do comes last."""
        pays, comes = self.known.pays, self.known.comes
        return [
            f"erased: {len(pays.bookings)} bookings, {len(pays.entries)} waitlist entries",
            f"erased as attendee of others: {len(comes.bookings)} bookings, {len(comes.entries)} waitlist entries",
            STAYS,
            *self.again,
        ]


async def erase(acting: Acting, customer_id: str) -> Erased:
    """Name, address and phone of who has paid, with those who came along, or has come along with others.

    Payments has no contacts, and is asked too: what was sent there by mistake is refused, and kept for a while. Raises
    NotPossible while a booking of theirs is not over, they wait in a line, or letters to them are on their way.
    """
    left: dict[str, Left] = {}
    async with acting("booking") as connection:
        found = await booking.known(connection, customer_id)
    async with acting("notifications") as connection:
        await notifications.erase(connection, found.pays.ids, found.comes.ids, customer_id)
        left["notifications"] = await forget(connection, found.keys, found.texts)
    async with acting("payments") as connection:
        left["payments"] = await forget(connection, found.keys, found.texts)
    async with acting("booking") as connection:
        left["booking"] = await booking.erase(connection, found, customer_id)
    async with acting("notifications") as connection:
        unheard = await notifications.unheard(connection, found.told)
    again = [line for service, rest in left.items() for line in rest.sentences(service)]
    if unheard:
        again.append(f"notifications has not heard all of {len(unheard)} bookings: erase again later: {unheard[0]}")
    return Erased(found, again)
