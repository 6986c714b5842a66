"""Disputes (chargebacks): opened, answered, closed, and changed after that (page "Disputes", API reference)."""

from functools import partial

from stripe_simulator.dispute_objects import EVIDENCE, FINAL, INQUIRIES, STATUSES, Dispute
from stripe_simulator.errors import JsonObject, invalid, refused
from stripe_simulator.form import Params
from stripe_simulator.listing import page
from stripe_simulator.payment_objects import Charge
from stripe_simulator.refunds import fail_refund
from stripe_simulator.world import World

EVIDENCE_SECONDS = 9 * 24 * 3600
LONGEST_EVIDENCE = 150_000
VERDICTS = {"winning_evidence": "won", "losing_evidence": "lost"}
"""What `uncategorized_text` decides in test mode (page "Testing", "Evidence")."""


def open_dispute(
    world: World, charge: Charge, amount_minor: int, *, currency: str | None = None, inquiry: bool = False
) -> Dispute:
    """The payer's bank takes `amount_minor` back until the dispute is closed; an inquiry takes nothing.

    In another currency than the charge's, all that was captured leaves the balance. A refund that waits for balance
    fails by it (support page "Pending refunds due to insufficient or negative account balance").

    Raises charge_disputed when the charge has a dispute, amount_too_large above what was captured.
    """
    if charge.disputed:
        raise refused(f"Charge {charge.id} has already been disputed.", code="charge_disputed")
    foreign = currency is not None and currency != charge.currency
    if amount_minor < 1 or (not foreign and amount_minor > charge.amount_captured):
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
        currency=currency or charge.currency,
        charge=charge.id,
        payment_intent=charge.payment_intent,
        reason="fraudulent",
        status="warning_needs_response" if inquiry else "needs_response",
        due_by=world.now() + EVIDENCE_SECONDS,
        brand=charge.card.brand,
        taken=charge.amount_captured if foreign else amount_minor,
    )
    world.disputes.add(dispute)
    moved = _move(world, dispute)
    world.emit("charge.dispute.created", dispute, charge.payment_intent)
    _tell_of_money(world, dispute, moved)
    for refund in world.refunds_of.get(charge.payment_intent, []):
        if refund.pending_reason == "insufficient_funds" and refund.status == "pending":
            fail_refund(world, refund, reason="charge_for_pending_refund_disputed")
    return dispute


def close_dispute(world: World, dispute: Dispute, status: str) -> Dispute:
    """End a dispute as `won` (the money comes back) or `lost`; an inquiry ends as warning_closed.

    Raises 400 when it has ended before.
    """
    if dispute.status in FINAL:
        raise refused("This dispute is already closed", code="dispute_already_closed")
    dispute.status = "warning_closed" if dispute.status in INQUIRIES else status
    moved = _move(world, dispute)
    world.emit("charge.dispute.closed", dispute, dispute.payment_intent)
    _tell_of_money(world, dispute, moved)
    return dispute


def change_dispute(world: World, dispute: Dispute, status: str) -> Dispute:
    """Any other status, also after the end: banks overturn what was lost (Automattic/woocommerce-payments#4931) and
    take again what was won, an inquiry becomes a chargeback; the money moves with it.

    Raises 400 for a status that disputes do not have.
    """
    if status not in STATUSES:
        raise invalid(f"Invalid status: must be one of {', '.join(STATUSES)}", param="status")
    dispute.status = status
    moved = _move(world, dispute)
    world.emit("charge.dispute.updated", dispute, dispute.payment_intent)
    _tell_of_money(world, dispute, moved)
    if status in FINAL:
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


def update_dispute(world: World, object_id: str, params: Params) -> JsonObject:
    """POST /v1/disputes/{id}: evidence, sent to the bank at once unless `submit` is false, and metadata.

    Raises 400 for evidence on a closed or answered dispute, for unknown fields of it and above 150,000 characters.
    """
    dispute = world.disputes.at_path(object_id, "dispute")
    metadata, given = params.metadata(dispute.metadata), params.nested("evidence")
    given.refuse_unknown({*EVIDENCE, "enhanced_evidence"})
    texts = {name: text for name in EVIDENCE if (text := given.text(name)) is not None}
    submit = texts if params.text("submit") is None else params.boolean("submit")
    if texts or submit:
        if dispute.status in FINAL:
            raise refused("This dispute is already closed", code="dispute_already_closed")
        if dispute.submissions:
            raise refused("Evidence has been submitted for this dispute already.", code="dispute_evidence_submitted")
    evidence = {name: text for name, text in {**dispute.evidence, **texts}.items() if text}
    if sum(len(text) for text in evidence.values()) > LONGEST_EVIDENCE:
        raise invalid(f"Evidence can have up to {LONGEST_EVIDENCE:,} characters in all.", param="evidence")
    dispute.metadata, dispute.evidence = metadata, evidence
    if submit:
        _submit(world, dispute)
    world.emit("charge.dispute.updated", dispute, dispute.payment_intent)
    return dispute.render()


def concede_dispute(world: World, object_id: str, params: Params) -> JsonObject:
    """POST /v1/disputes/{id}/close: the account accepts the loss."""
    return close_dispute(world, world.disputes.at_path(object_id, "dispute"), "lost").render()


def _submit(world: World, dispute: Dispute) -> None:
    dispute.submissions += 1
    dispute.status = "warning_under_review" if dispute.status in INQUIRIES else "under_review"
    verdict = VERDICTS.get(dispute.evidence.get("uncategorized_text", ""))
    if verdict is not None:
        world.agenda.after(world.outcome_delay_seconds, partial(_judge, world, verdict), dispute.id)


def _judge(world: World, verdict: str, dispute_id: str) -> None:
    dispute = world.disputes.at_path(dispute_id)
    if dispute.status not in FINAL:
        close_dispute(world, dispute, verdict)


def _move(world: World, dispute: Dispute) -> int:
    """The money to where the status says that it is; returns what the balance gained."""
    with_us = dispute.status in ("won", "prevented", *INQUIRIES)
    if with_us != dispute.withdrawn:
        return 0
    amount = dispute.taken if with_us else -dispute.taken
    currency = world.charges.at_path(dispute.charge).currency
    movement = world.move("dispute_reversal" if with_us else "dispute", amount, currency, dispute.id)
    dispute.movements = (*dispute.movements, movement)
    return amount


def _tell_of_money(world: World, dispute: Dispute, moved: int) -> None:
    if moved:
        kind = "funds_reinstated" if moved > 0 else "funds_withdrawn"
        world.emit(f"charge.dispute.{kind}", dispute, dispute.payment_intent)
