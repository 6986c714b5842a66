"""Whose money an object of Stripe's moved, by what our rows know: metadata cannot say otherwise."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import NamedTuple, TypeVar
from uuid import UUID

from services.chassis.database import Connection, Pool
from services.chassis.messages import LocalBody

ToldT = TypeVar("ToldT", bound=LocalBody)


class Attempt(NamedTuple):
    """A payment's newest attempt, and how its row stands."""

    booking_id: UUID
    number: int
    status: str
    action: str | None


Attempts = Mapping[str, Attempt]
"""By PaymentIntent."""
NO_ATTEMPTS: Attempts = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Owner:
    """A booking, by its payment or one of its payouts, or a customer's wallet, by one top-up."""

    booking_id: UUID | None = None
    customer_id: str | None = None
    command_id: UUID | None = None
    payout_id: UUID | None = None

    @property
    def key(self) -> str:
        """Of the messages about it."""
        return str(self.booking_id or self.customer_id)

    def of(self, told: ToldT) -> ToldT:
        """The same message, with the owner in the fields that it has for one."""
        mine = {name: value for name, value in asdict(self).items() if name in type(told).model_fields}
        return told.model_copy(update=mine)


async def owners(connection: Connection | Pool, objects: Collection[str]) -> dict[str, Owner]:
    """The owners of those PaymentIntents and transfers that rows of ours know."""
    if not objects:
        return {}
    rows = await connection.fetch(
        """
        SELECT payment_intent AS id, booking_id, NULL AS customer_id, NULL::uuid AS command_id, NULL::uuid AS payout_id
        FROM payment WHERE payment_intent = ANY($1)
        UNION ALL
        SELECT payment_intent, NULL, customer_id, command_id, NULL FROM top_up WHERE payment_intent = ANY($1)
        UNION ALL
        SELECT transfer_id, booking_id, NULL, NULL, payout_id FROM payout WHERE transfer_id = ANY($1)
        """,
        list(objects),
    )
    return {
        row["id"]: Owner(row["booking_id"], row["customer_id"], row["command_id"], row["payout_id"]) for row in rows
    }


async def attempts_of(connection: Connection | Pool, payment_intents: Collection[str]) -> dict[str, Attempt]:
    """Those of the PaymentIntents that are a payment's newest."""
    if not payment_intents:
        return {}
    rows = await connection.fetch(
        "SELECT payment_intent, booking_id, attempt, status, action FROM payment WHERE payment_intent = ANY($1)",
        list(payment_intents),
    )
    return {
        row["payment_intent"]: Attempt(row["booking_id"], row["attempt"], row["status"], row["action"]) for row in rows
    }
