"""Reads the money from the four sides: Stripe's simulator, payments' database, booking's, and its events."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import aiohttp
import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition
from booking_contracts.topics import BOOKING_EVENTS

from tests.faults.facts import Entry
from tests.money.facts import Booking, ByHand, Intent, Money, Movement, Part, Payment, Payout, Refund, TopUp

SPLITS = {
    "booking.BookingCancelled.v1": ("refund", "kept"),
    "booking.BookingCompleted.v1": (None, "release"),
    "booking.DisputeResolved.v1": ("refund", "release"),
}
"""Which fields of an event say what goes to the payer and what to the provider."""


async def collect(env: Mapping[str, str]) -> Money:
    """Everything, now."""
    money = Money()
    told = await _told(env["KAFKA_BOOTSTRAP_SERVERS"])
    booking = await asyncpg.connect(env["AUDITOR_BOOKING_DATABASE_URL"])
    for row in await booking.fetch("SELECT b.*, s.status AS saga FROM booking b LEFT JOIN saga s USING (booking_id)"):
        booking_id = str(row["booking_id"])
        money.bookings.append(
            Booking(
                booking_id,
                row["state"],
                row["saga"] or "none",
                row["price_minor"],
                row["currency"],
                told.get(booking_id),
            )
        )
    await booking.close()
    payments = await asyncpg.connect(env["AUDITOR_PAYMENTS_DATABASE_URL"])
    await _read_payments(payments, money)
    await _read_wallets(payments, money)
    await payments.close()
    await _read_stripe(env["STRIPE_CONTROL_URL"], money)
    return money


async def _told(servers: str) -> dict[str, tuple[int, int]]:
    """The split that each booking's last such event told of."""
    found: dict[str, tuple[int, int]] = {}
    consumer = AIOKafkaConsumer(bootstrap_servers=servers, fetch_max_wait_ms=50)
    await consumer.start()
    try:
        partitions = [TopicPartition(BOOKING_EVENTS.name, number) for number in range(BOOKING_EVENTS.partitions)]
        consumer.assign(partitions)
        await consumer.seek_to_beginning()
        behind = {partition: end for partition, end in (await consumer.end_offsets(partitions)).items() if end}
        while behind:
            for partition, records in (await consumer.getmany(timeout_ms=200)).items():
                for record in records:
                    kind = dict(record.headers)["ce_type"].decode()
                    if kind in SPLITS:
                        body = json.loads(record.value)
                        back, on = SPLITS[kind]
                        found[body["booking_id"]] = (body[back]["amount"] if back else 0, body[on]["amount"])
                if records[-1].offset + 1 >= behind.get(partition, 0):
                    behind.pop(partition, None)
    finally:
        await consumer.stop()
    return found


async def _read_payments(connection: Any, money: Money) -> None:
    for row in await connection.fetch("SELECT * FROM payment WHERE method IS NOT NULL"):
        money.payments.append(
            Payment(
                str(row["booking_id"]),
                row["customer_id"] if row["method"] == "wallet" else None,
                str(row["provider_id"]),
                row["currency"],
                row["status"],
                row["captured_minor"],
                row["refunded_minor"],
                row["released_minor"],
                row["commission_minor"],
            )
        )
    for row in await connection.fetch("SELECT * FROM refund"):
        refund = Refund(str(row["booking_id"]), row["amount_minor"], row["status"], row["stripe_refund"])
        money.refunds.append(refund)
    for row in await connection.fetch("SELECT * FROM payout"):
        money.payouts.append(
            Payout(
                str(row["provider_id"]),
                row["amount_minor"],
                row["currency"],
                row["status"],
                row["transfer_id"],
                row["reversed_minor"],
            )
        )
    for row in await connection.fetch("SELECT * FROM dashboard_refund"):
        of = str(row["booking_id"] or row["top_up_id"])
        money.by_hand.append(
            ByHand(row["stripe_refund"], of, row["currency"], row["amount_minor"], row["lost_minor"], row["failed"])
        )
    for row in await connection.fetch("SELECT * FROM chargeback"):
        money.outcomes[row["dispute_id"]] = row["outcome"]
        if row["booking_id"] is not None:
            money.disputed[row["dispute_id"]] = str(row["booking_id"])
    for row in await connection.fetch("SELECT finding FROM reconciliation WHERE repair = 'unclaimed'"):
        money.unclaimed.append(row["finding"])
    for row in await connection.fetch("SELECT * FROM ledger_entry"):
        entry = Entry(str(row["transaction_id"]), row["account"], row["currency"], row["amount_minor"])
        money.entries.append(entry)


async def _read_wallets(connection: Any, money: Money) -> None:
    for row in await connection.fetch("SELECT * FROM top_up"):
        money.top_ups.append(
            TopUp(str(row["command_id"]), row["customer_id"], row["currency"], row["amount_minor"], row["status"])
        )
    for row in await connection.fetch(
        "SELECT p.*, w.currency FROM withdrawal_part p JOIN withdrawal w USING (command_id)"
    ):
        money.parts.append(
            Part(row["customer_id"], row["currency"], row["amount_minor"], row["status"], row["stripe_refund"])
        )


async def stripe_state(control: str, *sections: str) -> Any:
    """Some sections of what the simulator holds."""
    async with (
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=120)) as http,
        http.get(f"{control}/state", params={"only": ",".join(sections)}) as response,
    ):
        return await response.json()


async def _read_stripe(control: str, money: Money) -> None:
    state = await stripe_state(control, "payment_intents", "refunds", "transfers", "disputes")
    for one in state["payment_intents"]:
        of = one["metadata"].get("booking_id") or one["metadata"]["command_id"]
        currency = one["currency"].upper()
        money.intents.append(Intent(one["id"], of, currency, one["status"], one["amount_received"]))
    for one in state["refunds"]:
        money.stripe_refunds.append(_movement(one, one["payment_intent"]))
    for one in state["transfers"]:
        money.transfers.append(_movement(one, one["destination"], less=one["amount_reversed"]))
    for one in state["disputes"]:
        here = one["amount"] + sum(moved["amount"] for moved in one["balance_transactions"])
        money.disputes.append(_movement(one, one["payment_intent"], less=here))


def _movement(one: Any, to: str, less: int = 0) -> Movement:
    return Movement(one["id"], to, one["currency"].upper(), one["amount"] - less, one.get("status", ""))
