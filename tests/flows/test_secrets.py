"""Nothing that a running system writes down holds a card number, a client secret, a key, a password or a token."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import pytest
from booking_contracts.booking import BookingCancelled, PaymentActionRequired, PaymentFailed
from booking_contracts.testkit import sample
from booking_contracts.testkit.people import customer_actor
from booking_contracts.testkit.system import System
from booking_contracts.types import Price

from deploy.local.environment import STRIPE_API_KEY
from deploy.local.stack import Stack
from services.operations.databases import DATABASES
from stripe_simulator.cards import NUMBERS
from tests.flows.everything import Written, everything
from tests.flows.story import ends_paid

SPACED = "[ -]?"
CARDS = "|".join(SPACED.join(number) for number in NUMBERS)
PATTERNS = {
    "a card number": rf"(?<![0-9a-f])(?:{CARDS})(?![0-9a-f])",
    "a client secret": r"(?:pi|seti)_\w+_secret_\w+",
    "a secret key of Stripe's": r"\b[sr]k_(?:test|live)_\w+",
}
"""A number inside a longer run of hexadecimal digits is no card's."""


BEFORE_ALL_EYES = {
    "topic booking.commands",
    "topic booking.events",
    "topic payments.commands",
    "topic payments.events",
    "topic notifications.events",
    "database booking",
    "database payments",
    "database notifications",
}
"""Where the id of a booking stands that was paid and cancelled."""


def secrets(env: Mapping[str, str]) -> dict[str, str]:
    """What this stack must keep to itself, as regular expressions by what it is."""
    passwords = {urlsplit(url).password for name, url in env.items() if urlsplit(url).password is not None}
    assert len(passwords) == 2 * len(DATABASES) + 2, "databases, their owners, the auditor, the superuser"
    return {
        **PATTERNS,
        "the webhook's secret": re.escape(env["STRIPE_WEBHOOK_SECRET"]),
        "the key of Stripe's API": re.escape(STRIPE_API_KEY),
        "the service token": re.escape(env["SERVICE_TOKEN"]),
        "the console's token": re.escape(env["CONSOLE_TOKEN"]),
        "a database's password": "|".join(map(re.escape, filter(None, passwords))),
    }


def leaks(written: Iterable[Written], wanted: Mapping[str, str]) -> set[tuple[str, str]]:
    """What was found where; the secret itself is not repeated."""
    patterns = {what: re.compile(pattern) for what, pattern in wanted.items()}
    return {(what, where) for where, text in written for what, pattern in patterns.items() if pattern.search(text)}


async def a_card_of(system: System, number: str) -> str:
    """A PaymentMethod that the payer's browser made of a card number, at Stripe."""
    url = f"{system.env['STRIPE_API_BASE']}/v1/payment_methods"
    card = {"type": "card", "card[number]": number, "card[exp_month]": "12", "card[exp_year]": "2034"}
    card["card[cvc]"] = "123"
    headers = {"Authorization": f"Bearer {STRIPE_API_KEY}"}
    async with system.http.post(url, data=card, headers=headers) as answer:
        return str((await answer.json())["id"])


async def pays_and_cancels(system: System, card: str) -> UUID:
    studio = await system.studio()
    command = system.place(studio, "vera", card=card)
    await system.accepted(command)
    await ends_paid(system, studio, command.booking_id)
    await system.accepted(sample.cancel_booking(booking_id=command.booking_id, actor=customer_actor("vera")))
    await system.client.outcome(command.booking_id, BookingCancelled)
    await system.payment_in(command.booking_id, "settled")
    await system.mail("vera@example.com", "cancelled")
    return UUID(str(command.booking_id))


async def is_declined(system: System, card: str) -> None:
    command = system.place(await system.studio(), "vito", card=card)
    await system.accepted(command)
    await system.client.outcome(command.booking_id, PaymentFailed)


async def passes_3d_secure(system: System, card: str) -> str:
    """Returns the client secret that the payer's browser was given (contract.md, HTTP)."""
    studio = await system.studio()
    command = system.place(studio, "viola", card=card)
    await system.accepted(command)
    await system.client.outcome(command.booking_id, PaymentActionRequired)
    handed = await system.get("payments", f"/v1/payments/{command.booking_id}/client-secret")
    (intent,) = await system.stripe.payment_intents(command.booking_id)
    await system.stripe.control("POST", f"/authenticate/{intent['id']}", {"success": True})
    await ends_paid(system, studio, command.booking_id)
    return str(handed["client_secret"])


async def tops_up(system: System, card: str) -> Any:
    command = sample.top_up_wallet(
        customer_id="viktor",
        amount=Price(amount=5000, currency="EUR"),
        payment_method=card,
        actor=customer_actor("viktor"),
    )
    return await system.client.ask(command)


@pytest.mark.requirement("observability", "requires-action")
async def test_no_secret_is_written_down(system: System, running_stack: Stack) -> None:
    cards = {name: await a_card_of(system, number) for number, name in NUMBERS.items()}
    booking_id = await pays_and_cancels(system, cards["pm_card_visa"])
    await is_declined(system, cards["pm_card_chargeDeclined"])
    handed = await passes_3d_secure(system, cards["pm_card_authenticationRequired"])
    await tops_up(system, cards["pm_card_mastercard"])
    wanted = secrets(system.env)
    assert leaks([("the payer's browser", handed)], wanted) == {("a client secret", "the payer's browser")}
    written = await everything(system, running_stack)
    assert leaks(written, {**wanted, "the client secret": re.escape(handed)}) == set()
    logged = {where for where, _ in written if where.startswith("log ")}
    assert {f"log {name}.log" for name in running_stack.names} <= logged
    seen = {where.partition(",")[0] for where, text in written if str(booking_id) in text}
    assert seen >= BEFORE_ALL_EYES, "what was searched is what was written"


@pytest.mark.parametrize(
    ("what", "text"),
    [
        ("a card number", '{"number": "4242424242424242"}'),
        ("a card number", "paid with 4000 0027-6000 3184."),
        ("a client secret", "pi_3abc_secret_9XyZ"),
        ("a secret key of Stripe's", "Bearer sk_live_51abc"),
        ("the key of Stripe's API", STRIPE_API_KEY),
        ("the webhook's secret", "STRIPE_WEBHOOK_SECRET"),
        ("the service token", "SERVICE_TOKEN"),
        ("the console's token", "CONSOLE_TOKEN"),
        ("a database's password", "PAYMENTS_MIGRATION_URL"),
    ],
)
async def test_a_leak_would_be_seen(system: System, what: str, text: str) -> None:
    planted = system.env.get(text, text)
    assert (what, "here") in leaks([("here", f"before {planted} after")], secrets(system.env))


def test_what_only_looks_like_a_card_is_none() -> None:
    assert leaks([("here", "01a14242424242424242"), ("here", "42424242424242421")], PATTERNS) == set()
