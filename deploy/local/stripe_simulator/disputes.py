"""Disputes (chargebacks): opened and closed from the control port or by a test card (page "Disputes")."""

from deploy.local.stripe_simulator.errors import JsonObject, refused
from deploy.local.stripe_simulator.form import Params
from deploy.local.stripe_simulator.listing import page
from deploy.local.stripe_simulator.payment_objects import Charge
from deploy.local.stripe_simulator.refund_objects import Dispute
from deploy.local.stripe_simulator.world import World

EVIDENCE_SECONDS = 9 * 24 * 3600


def open_dispute(world: World, charge: Charge, amount_minor: int) -> Dispute:
    """The payer's bank takes `amount_minor` back until the dispute is closed.

    Raises charge_disputed when the charge has a dispute, amount_too_large above what was captured.
    """
    if charge.disputed:
        raise refused(f"Charge {charge.id} has already been disputed.", code="charge_disputed")
    if not 1 <= amount_minor <= charge.amount_captured:
        raise refused(
            f"A dispute of charge {charge.id} must be between 1 and {charge.amount_captured}.",
            code="amount_too_large",
            param="amount",
        )
    charge.disputed = True
    dispute = Dispute(
        id=world.new_id("du"),
        created=world.now(),
        amount=amount_minor,
        currency=charge.currency,
        charge=charge.id,
        payment_intent=charge.payment_intent,
        reason="fraudulent",
        status="needs_response",
        due_by=world.now() + EVIDENCE_SECONDS,
        brand=charge.card.brand,
    )
    world.disputes.add(dispute)
    world.balance[charge.currency] -= amount_minor
    world.emit("charge.dispute.created", dispute, charge.payment_intent)
    return dispute


def close_dispute(world: World, dispute: Dispute, status: str) -> Dispute:
    """End a dispute as `won` (the money comes back) or `lost`. Raises 400 when it has ended before."""
    if dispute.status in ("won", "lost"):
        raise refused("This dispute is already closed", code="dispute_already_closed")
    dispute.status = status
    if status == "won":
        world.balance[dispute.currency] += dispute.amount
    world.emit("charge.dispute.closed", dispute, dispute.payment_intent)
    return dispute


def retrieve_dispute(world: World, object_id: str, params: Params) -> JsonObject:
    return world.disputes.at_path(object_id, "dispute").render()


def list_disputes(world: World, object_id: str, params: Params) -> JsonObject:
    charge, intent = params.text("charge"), params.text("payment_intent")
    return page(
        world.disputes.rows,
        params,
        "/v1/disputes",
        lambda row: charge in (None, row.charge) and intent in (None, row.payment_intent),
    )


def concede_dispute(world: World, object_id: str, params: Params) -> JsonObject:
    """POST /v1/disputes/{id}/close: the account accepts the loss."""
    return close_dispute(world, world.disputes.at_path(object_id, "dispute"), "lost").render()
