"""What becomes of an authorisation: captured, released, or expired (page "Place a hold on a payment
method")."""

from functools import partial

from stripe_simulator.disputes import open_dispute
from stripe_simulator.payment_objects import Charge, PaymentIntent
from stripe_simulator.refunds import release_part
from stripe_simulator.world import World

AUTHORISATION_SECONDS = 7 * 24 * 3600
EXPIRED = "expired"
"""The cancellation_reason; `automatic` before version 2025-03-31.basil (behaviour.py)."""


def authorise(world: World, intent: PaymentIntent, charge: Charge) -> None:
    """Reserve the whole amount until it is captured, released, or seven days have passed."""
    intent.status = "requires_capture"
    intent.amount_capturable = intent.amount
    charge.capture_before = charge.created + AUTHORISATION_SECONDS
    world.agenda.after(AUTHORISATION_SECONDS, partial(_expire, world), intent.id)


def capture(world: World, intent: PaymentIntent, charge: Charge, amount_minor: int) -> None:
    """Move `amount_minor` of an authorisation into the balance; the rest is released by `release_rest`.

    Where that is a Refund, the whole authorisation is posted first (changelog 2025-03-31.basil, "Balance Transaction").
    """
    charge.captured = True
    charge.amount_captured = amount_minor
    charge.capture_before = None
    intent.status = "succeeded"
    intent.amount_capturable = 0
    intent.amount_received = amount_minor
    posted = charge.amount if world.releases_are_refunds else amount_minor
    charge.balance_transaction = world.move("charge", posted, charge.currency, charge.id).id
    if charge.card.disputed:
        world.agenda.after(world.outcome_delay_seconds, partial(_dispute, world), charge.id)


def release_rest(world: World, charge: Charge) -> None:
    """What a partial capture left of the authorisation."""
    release_part(world, charge, charge.amount - charge.amount_captured)


def release(world: World, intent: PaymentIntent, reason: str | None) -> None:
    """Cancel the PaymentIntent and let go of its authorisation, if it has one."""
    charge = world.charges.find(intent.latest_charge or "")
    if charge is not None and intent.status == "requires_capture":
        charge.capture_before = None
        release_part(world, charge, charge.amount, "expired_uncaptured_charge" if reason == EXPIRED else None)
    intent.status = "canceled"
    intent.amount_capturable = 0
    intent.canceled_at = world.now()
    intent.cancellation_reason = "automatic" if reason == EXPIRED and world.releases_are_refunds else reason
    intent.next_action = None
    world.emit("payment_intent.canceled", intent, intent.id)


def _expire(world: World, intent_id: str) -> None:
    intent = world.payment_intents.find(intent_id)
    if intent is None or intent.status != "requires_capture":
        return
    charge = world.charges.find(intent.latest_charge or "")
    if charge is not None:
        world.emit("charge.expired", charge, intent.id)
    release(world, intent, EXPIRED)


def _dispute(world: World, charge_id: str) -> None:
    charge = world.charges.find(charge_id)
    if charge is not None and not charge.disputed:
        open_dispute(world, charge, charge.amount_captured)
