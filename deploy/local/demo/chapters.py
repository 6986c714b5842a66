"""The chapters of the demo, each a story over the real system."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from booking_contracts.booking import BookingConfirmed, BookingExpired, PaymentFailed
from booking_contracts.testkit import sample
from booking_contracts.testkit.people import customer_actor

from deploy.local.demo import days, planning, troubles, webhooks
from deploy.local.demo.narrator import Narrator, money


async def success(tell: Narrator) -> None:
    """One booking all the way."""
    tell.title("A booking goes all the way")
    system = tell.system
    studio = await system.studio()
    tell.say("a provider is registered, an offering of 45.00 EUR defined, a slot with one seat opened")
    command, _ = await tell.place(studio, "alice")
    await system.client.outcome(command.booking_id, BookingConfirmed)
    await system.payment_in(command.booking_id, "captured")
    await tell.mail("alice@example.com", "confirmed")
    tell.messages(command.booking_id)
    await tell.state(command.booking_id)
    (intent,) = await system.stripe.payment_intents(command.booking_id)
    received = {"amount": intent["amount_received"], "currency": intent["currency"].upper()}
    tell.say(f"Stripe: {intent['id']} {intent['status']}, {money(received)} received")


async def decline(tell: Narrator) -> None:
    """A declined card gives the seat back."""
    tell.title("A card is declined: the seat comes back, a retry succeeds")
    system = tell.system
    studio = await system.studio()
    command, _ = await tell.place(studio, "bob", card="pm_card_chargeDeclined")
    failed = await system.client.outcome(command.booking_id, PaymentFailed)
    tell.say(f"payment failed: {failed.reason}. “{failed.customer_message}”")
    await tell.mail("bob@example.com", "payment")
    await tell.seats(studio)
    command, _ = await tell.place(studio, "bob")
    await system.payment_in(command.booking_id, "captured")
    tell.messages(command.booking_id)
    await tell.state(command.booking_id)


async def race(tell: Narrator) -> None:
    """Two customers, one seat."""
    tell.title("Two customers race for the last seat")
    studio = await tell.system.studio()
    await asyncio.gather(tell.place(studio, "carol"), tell.place(studio, "dave"))
    await tell.seats(studio)
    for booking_id in tell.bookings[-2:]:
        status, _ = await tell.system.try_get("booking", f"/v1/bookings/{booking_id}")
        if status == 200:
            await tell.system.payment_in(booking_id, "captured")


async def cancellation(tell: Narrator) -> None:
    """A paid booking is cancelled and refunded; the second cancel changes nothing."""
    tell.title("A paid booking is cancelled and refunded")
    system = tell.system
    studio = await system.studio()
    command, _ = await tell.place(studio, "erin")
    await system.payment_in(command.booking_id, "captured")
    cancel = sample.cancel_booking(booking_id=command.booking_id, actor=customer_actor("erin"))
    accepted = await system.accepted(cancel)
    refund, kept = money(accepted.result["refund"]), money(accepted.result["kept"])
    tell.say(f"CancelBooking → {accepted.state}, refund {refund}, kept {kept}")
    tell.say(f"CancelBooking again → {(await system.rejected(cancel)).code}")
    await system.payment_in(command.booking_id, "settled")
    await tell.mail("erin@example.com", "cancelled")
    tell.messages(command.booking_id)
    await tell.state(command.booking_id)
    await tell.seats(studio)


async def expiry(tell: Narrator) -> None:
    """A hold that nobody pays."""
    tell.title("Nobody pays: the hold expires (the stack's clock moves 15 minutes)")
    system = tell.system
    studio = await system.studio()
    command, _ = await tell.place(studio, "frank", payment=None)
    await tell.seats(studio)
    await system.clock.advance(minutes=15)
    await tell.seats(studio)
    await system.client.outcome(command.booking_id, BookingExpired)
    await tell.mail("frank@example.com", "expired")
    tell.messages(command.booking_id)


ALL: tuple[Callable[[Narrator], Awaitable[None]], ...] = (
    success,
    decline,
    race,
    troubles.closed_form,
    troubles.three_d_secure,
    troubles.lost_answer,
    cancellation,
    troubles.late_authorisation,
    expiry,
    planning.calendar,
    webhooks.webhooks,
    days.days_pass,
    days.dispute,
)
