"""Whom a PaymentIntent paid for: disputes and refunds made by hand carry no metadata of ours."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from services.chassis.database import Connection, Pool


@dataclass(frozen=True, slots=True)
class Owner:
    """A booking, or a customer's wallet by one top-up."""

    booking_id: UUID | None = None
    customer_id: str | None = None
    command_id: UUID | None = None


NOBODY = Owner()


@dataclass(frozen=True, slots=True)
class Ours:
    """Objects at Stripe by the ids that our rows have: whose they are, whatever their metadata says by now.

    `attempts`: PaymentIntent → booking and attempt. `payouts`: transfer → booking and payout.
    """

    attempts: Mapping[str, tuple[UUID, int]] = field(default_factory=dict)
    payouts: Mapping[str, tuple[UUID, UUID]] = field(default_factory=dict)


NOTHING = Ours()


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


async def ours(connection: Connection, payment_intents: Collection[str], transfers: Collection[str]) -> Ours:
    """Those of these objects that our rows know."""
    attempts = await attempts_of(connection, payment_intents) if payment_intents else {}
    if not transfers:
        return Ours(attempts)
    rows = await connection.fetch(
        "SELECT transfer_id, booking_id, payout_id FROM payout WHERE transfer_id = ANY($1)", list(transfers)
    )
    return Ours(attempts, {row["transfer_id"]: (row["booking_id"], row["payout_id"]) for row in rows})


async def attempts_of(connection: Connection | Pool, payment_intents: Collection[str]) -> dict[str, tuple[UUID, int]]:
    """PaymentIntent → booking and attempt, of those that are a payment's newest."""
    rows = await connection.fetch(
        "SELECT payment_intent, booking_id, attempt FROM payment WHERE payment_intent = ANY($1)", list(payment_intents)
    )
    return {row["payment_intent"]: (row["booking_id"], row["attempt"]) for row in rows}
