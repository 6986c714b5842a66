"""Chapters of what comes after the payment: days pass, and the money reaches its people."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from booking_contracts.booking import PlaceBooking
from booking_contracts.testkit import sample
from booking_contracts.testkit.people import customer_actor, euros
from booking_contracts.testkit.system import Studio

from deploy.local.demo.narrator import Narrator, money


async def days_pass(tell: Narrator) -> None:
    """Approval, a session, two days: the escrow goes to the provider."""
    tell.title("Days pass: approved, held in escrow, completed by itself, paid out (the stack's clock moves 8 days)")
    system = tell.system
    studio = await system.studio(approval=True, commission_bps=1000)
    command, _ = await tell.place(studio, "olga")
    approved = await system.accepted(sample.approve_booking(booking_id=command.booking_id, actor=studio.actor))
    tell.say(f"the studio approves → {approved.state}; her card is tried now, not before")
    await system.payment_in(command.booking_id, "captured")
    await whose_money(tell, "before the session", command)
    await system.clock.advance_to(studio.starts_at + timedelta(hours=3))
    await system.booking_in(command.booking_id, "PENDING_CONFIRMATION")
    tell.say("two hours after the end nobody has said a word: the session completes itself")
    await whose_money(tell, "while she may dispute", command)
    await system.clock.advance(hours=48)
    await system.payment_in(command.booking_id, "settled")
    await whose_money(tell, "after 48 hours", command)
    tell.messages(command.booking_id)


async def dispute(tell: Narrator) -> None:
    """The customer is not content; an admin shares out what is in escrow."""
    tell.title("A dispute: the escrow waits for an admin, who splits it")
    system = tell.system
    studio = await system.studio(commission_bps=1000)
    command, _ = await tell.place(studio, "paul")
    await system.payment_in(command.booking_id, "captured")
    await end_of_session(tell, studio)
    complete = sample.complete_session(booking_id=command.booking_id, actor=studio.actor)
    tell.say(f"the studio: CompleteSession → {(await system.accepted(complete)).state}")
    raised = sample.raise_dispute(booking_id=command.booking_id, actor=customer_actor("paul"))
    tell.say(f"paul: RaiseDispute → {(await system.accepted(raised)).state}")
    await whose_money(tell, "while it is open", command)
    for release in (4500, 3000):
        decision = sample.resolve_dispute(booking_id=command.booking_id, refund=euros(1500), release=euros(release))
        reply: Any = await system.client.ask(decision)
        outcome = getattr(reply, "code", None) or reply.state
        tell.say(f"admin: refund {money(decision.refund.model_dump())}, release {release / 100:.2f} → {outcome}")
    await system.payment_in(command.booking_id, "settled")
    await whose_money(tell, "after the decision", command)
    tell.messages(command.booking_id)


async def end_of_session(tell: Narrator, studio: Studio) -> None:
    """The clock moves to the end of the studio's first slot."""
    await tell.system.clock.advance_to(studio.starts_at + timedelta(hours=1))


async def whose_money(tell: Narrator, when: str, command: PlaceBooking) -> None:
    """The price, by who has it."""
    payment = await tell.system.payment(command.booking_id)
    commission, released = payment["commission"], payment["released"]
    provider = {"amount": released["amount"] - commission["amount"], "currency": released["currency"]}
    parts = {
        "escrow": payment["escrow"],
        "provider": provider,
        "commission": commission,
        command.customer.id: payment["refunded"],
    }
    tell.say(f"[bold]{when}[/bold]: " + ", ".join(f"{who} {money(amount)}" for who, amount in parts.items()))
