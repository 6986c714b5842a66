"""Chapters of what goes wrong: customers who leave, banks that ask, answers that are lost or late."""

from __future__ import annotations

from booking_contracts.booking import BookingExpired, PaymentActionRequired, PlaceBooking
from booking_contracts.testkit import sample
from booking_contracts.testkit.people import customer_actor
from booking_contracts.types import PaymentChoice

from deploy.local.demo.narrator import Narrator

FORM = PaymentChoice(method="card")


async def closed_form(tell: Narrator) -> None:
    """The customer leaves the payment form, once with a word and once without."""
    tell.title("The payment form is closed: the slot can be booked again at once")
    system = tell.system
    studio = await system.studio()
    first, _ = await tell.place(studio, "grace", payment=FORM)
    await system.client.outcome(first.booking_id, PaymentActionRequired)
    abandon = sample.abandon_payment(booking_id=first.booking_id, actor=customer_actor("grace"))
    tell.say(f"grace closes the form, AbandonPayment → {(await system.accepted(abandon)).state}")
    await tell.seats(studio)
    second, _ = await tell.place(studio, "grace", payment=FORM)
    await system.client.outcome(second.booking_id, PaymentActionRequired)
    tell.say("grace closes the browser without a word, and simply books again")
    third, _ = await tell.place(studio, "grace")
    await system.payment_in(third.booking_id, "captured")
    await system.payment_in(second.booking_id, "voided")
    tell.messages(second.booking_id)
    await tell.state(second.booking_id)
    await tell.state(third.booking_id)


async def three_d_secure(tell: Narrator) -> None:
    """The bank asks the customer."""
    tell.title("The bank wants to hear from the customer: 3-D Secure")
    system = tell.system
    studio = await system.studio()
    command, _ = await tell.place(studio, "heidi", card="pm_card_authenticationRequired")
    event = await system.client.outcome(command.booking_id, PaymentActionRequired)
    tell.say(f"the customer has to act: {event.kind}; the seat is held meanwhile")
    (intent,) = await system.stripe.payment_intents(command.booking_id)
    await system.stripe.control("POST", f"/authenticate/{intent['id']}", {"success": True})
    await system.payment_in(command.booking_id, "captured")
    tell.messages(command.booking_id)
    await tell.state(command.booking_id)


async def lost_answer(tell: Narrator) -> None:
    """Stripe charges, and its answer never arrives."""
    tell.title("Stripe's answer is lost after it has reserved the money: still one charge")
    system = tell.system
    studio = await system.studio()
    async with system.stripe.fail("timeout_after", seconds=1, count=1):
        command, _ = await tell.place(studio, "ivan")
        await system.payment_in(command.booking_id, "captured")
    key = f"{command.booking_id}:authorize:1"
    tries = [one for one in (await system.stripe.state())["requests"] if one["idempotency_key"] == key]
    tell.say(f"Stripe was asked {len(tries)} times under one key, and holds {await _charges(tell, command)} charge")
    await tell.state(command.booking_id)


async def late_authorisation(tell: Narrator) -> None:
    """The answer comes after the hold is over."""
    tell.title("Stripe is slow, the hold ends first: the late authorisation is given back")
    system = tell.system
    studio = await system.studio()
    async with system.stripe.fail("latency", seconds=2, count=1):
        command, _ = await tell.place(studio, "judy")
        await system.clock.advance(minutes=15)
        await system.client.outcome(command.booking_id, BookingExpired)
        await system.payment_in(command.booking_id, "voided")
    tell.messages(command.booking_id)
    (intent,) = await system.stripe.payment_intents(command.booking_id)
    tell.say(f"Stripe: {intent['id']} {intent['status']}, {intent['amount_received']} received")
    await tell.seats(studio)


async def _charges(tell: Narrator, command: PlaceBooking) -> int:
    return len(await tell.system.stripe.payment_intents(command.booking_id))
