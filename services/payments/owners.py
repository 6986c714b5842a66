"""Whom a PaymentIntent paid for: disputes and refunds made by hand carry no metadata of ours."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from services.chassis.database import Connection


@dataclass(frozen=True, slots=True)
class Owner:
    """A booking, or a customer's wallet by one top-up."""

    booking_id: UUID | None = None
    customer_id: str | None = None
    command_id: UUID | None = None


NOBODY = Owner()


async def owners(connection: Connection, payment_intents: Collection[str]) -> dict[str, Owner]:
    """The owners of those PaymentIntents that are ours."""
    if not payment_intents:
        return {}
    rows = await connection.fetch(
        """
        SELECT payment_intent, booking_id, NULL AS customer_id, NULL::uuid AS command_id
        FROM payment WHERE payment_intent = ANY($1)
        UNION ALL
        SELECT payment_intent, NULL, customer_id, command_id FROM top_up WHERE payment_intent = ANY($1)
        """,
        list(payment_intents),
    )
    return {row["payment_intent"]: Owner(row["booking_id"], row["customer_id"], row["command_id"]) for row in rows}
