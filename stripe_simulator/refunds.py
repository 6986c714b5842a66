"""Refunds (API reference, "Refunds"; pages "Refund and cancel payments", "Testing: refunds")."""

from functools import partial

from stripe_simulator.behaviour import OVERDRAWN, REFUSED
from stripe_simulator.currencies import check_steps, money
from stripe_simulator.errors import ApiError, JsonObject, invalid, refused, unexpected_state
from stripe_simulator.form import Params
from stripe_simulator.listing import page
from stripe_simulator.payment_objects import Charge, PaymentIntent
from stripe_simulator.refund_objects import Refund
from stripe_simulator.world import World

REASONS = ("duplicate", "fraudulent", "requested_by_customer")
BALANCE_LOOK_SECONDS = 0.25


def create_refund(world: World, object_id: str, params: Params) -> JsonObject:
    """Refund a captured payment, all that is left or a part.

    Raises charge_already_refunded, amount_too_large, charge_disputed, payment_intent_unexpected_state
    (uncaptured), and without a code where the balance is too low and the account may not wait for it
    (behaviour.py).
    """
    intent_id, charge_id = params.text("payment_intent"), params.text("charge")
    if not intent_id and not charge_id:
        message = "One of the following params should be provided for this request: payment_intent or charge."
        raise invalid(message, code="parameter_missing")
    amount = params.integer("amount")
    if amount is not None and amount < 1:
        message = "This value must be greater than or equal to 1."
        raise invalid(message, param="amount", code="parameter_invalid_integer")
    reason = params.choice("reason", REASONS)
    metadata = params.metadata()
    charge = _charge_to_refund(world, intent_id, charge_id)
    left = charge.refundable
    if charge.disputed and any(row.charge == charge.id and row.withdrawn for row in world.disputes.rows):
        message = f"Charge {charge.id} has been charged back; cannot issue a refund."
        raise refused(message, code="charge_disputed")
    if left == 0:
        raise refused(f"Charge {charge.id} has already been refunded.", code="charge_already_refunded")
    if amount is not None and amount > left:
        raise refused(
            f"Refund amount ({money(amount, charge.currency)}) is greater than unrefunded amount on charge "
            f"({money(left, charge.currency)})",
            code="amount_too_large",
            param="amount",
        )
    wanted = left if amount is None else amount
    check_steps(wanted, charge.currency)
    return _refund(world, charge, wanted, reason, metadata).render()


def retrieve_refund(world: World, object_id: str, params: Params) -> JsonObject:
    return world.refunds.at_path(object_id).render()


def update_refund(world: World, object_id: str, params: Params) -> JsonObject:
    refund = world.refunds.at_path(object_id)
    refund.metadata = params.metadata(refund.metadata)
    world.emit("refund.updated", refund, refund.payment_intent)
    return refund.render()


def list_refunds(world: World, object_id: str, params: Params) -> JsonObject:
    intent, charge = params.text("payment_intent"), params.text("charge")
    rows = world.refunds.rows if intent is None else world.refunds_of.get(intent, [])
    return page(rows, params, "/v1/refunds", lambda row: charge in (None, row.charge))


def release_part(world: World, charge: Charge, amount_minor: int, reason: str | None = None) -> None:
    """The part of an authorisation that nobody captures, as a Refund where the account sees it so (behaviour.py).

    It takes from the balance what a capture of less posted too much; after a void nothing was posted.
    """
    if not world.releases_are_refunds or not amount_minor:
        return
    charge.released += amount_minor
    released = _new(world, charge, amount_minor, reason, {}, "succeeded")
    released.is_release = True
    if charge.captured:
        released.balance_transaction = world.move("refund", -amount_minor, charge.currency, released.id).id
    _record(world, charge, released)


def fail_refund(
    world: World, refund: Refund, reason: str = "expired_or_canceled_card", status: str = "failed"
) -> Refund:
    """The bank sends the refund back ("Failed refunds"), or it is `canceled` before it was sent: what it took from the
    balance is there again.

    Raises 400 when it has ended badly before, and for the release of an authorisation.
    """
    if refund.status in ("failed", "canceled"):
        raise refused(f"Refund {refund.id} has already failed.", code="refund_already_failed")
    if refund.is_release:
        raise refused(f"Refund {refund.id} released an authorisation: it cannot fail.", code="refund_is_a_release")
    refund.status = status
    refund.failure_reason = reason
    charge = world.charges.at_path(refund.charge)
    charge.amount_refunded -= refund.amount
    if refund.balance_transaction is not None:
        moved = world.move("refund_failure", refund.amount, refund.currency, refund.id)
        refund.failure_balance_transaction = moved.id
    world.emit("refund.updated", refund, refund.payment_intent)
    world.emit("refund.failed", refund, refund.payment_intent)
    return refund


def _charge_to_refund(world: World, intent_id: str | None, charge_id: str | None) -> Charge:
    if charge_id:
        charge = world.charges.named_by(charge_id, "charge")
        intent = world.payment_intents.at_path(charge.payment_intent)
    else:
        intent = world.payment_intents.named_by(intent_id or "", "payment_intent")
        found = world.charges.find(intent.latest_charge or "")
        if found is None:
            raise _not_refundable(intent)
        charge = found
    if not charge.captured:
        raise _not_refundable(intent)
    return charge


def _not_refundable(intent: PaymentIntent) -> ApiError:
    message = f"This PaymentIntent ({intent.id}) does not have a successful charge to refund."
    return unexpected_state(message, intent.render())


def _refund(world: World, charge: Charge, amount_minor: int, reason: str | None, metadata: dict[str, str]) -> Refund:
    behaviour = charge.card.refund
    refund = _new(
        world, charge, amount_minor, reason, metadata, "pending" if behaviour == "pending_first" else "succeeded"
    )
    covered = world.balance[charge.currency] >= amount_minor
    if covered or world.behaviour.refunds_without_balance == OVERDRAWN:
        _send(world, refund)
    elif world.behaviour.refunds_without_balance == REFUSED:
        message = "Insufficient funds in your Stripe balance to refund this amount."
        raise ApiError(
            400, "invalid_request_error", message, fields={"message_code": "insufficient_balance_for_refund"}
        )
    else:
        refund.status, refund.pending_reason = "pending", "insufficient_funds"
        world.agenda.after(BALANCE_LOOK_SECONDS, partial(_once_covered, world), refund.id)
    return _record(world, charge, refund)


def _new(
    world: World, charge: Charge, amount_minor: int, reason: str | None, metadata: dict[str, str], status: str
) -> Refund:
    return Refund(
        id=world.new_id("re"),
        created=world.now(),
        amount=amount_minor,
        currency=charge.currency,
        charge=charge.id,
        payment_intent=charge.payment_intent,
        metadata=metadata,
        reason=reason,
        status=status,
    )


def _record(world: World, charge: Charge, refund: Refund) -> Refund:
    world.refunds.add(refund)
    world.refunds_of.setdefault(charge.payment_intent, []).append(refund)
    charge.amount_refunded += refund.amount
    world.emit("refund.created", refund, charge.payment_intent)
    world.emit("charge.refunded", charge, charge.payment_intent)
    return refund


def _send(world: World, refund: Refund) -> None:
    """Out of the balance, on its way to the bank."""
    refund.balance_transaction = world.move("refund", -refund.amount, refund.currency, refund.id).id
    if world.charges.at_path(refund.charge).card.refund != "succeeds":
        world.agenda.after(world.outcome_delay_seconds, partial(_settle, world), refund.id)


def _once_covered(world: World, refund_id: str) -> None:
    refund = world.refunds.at_path(refund_id)
    if refund.status != "pending":
        return
    if world.balance[refund.currency] < refund.amount:
        world.agenda.after(BALANCE_LOOK_SECONDS, partial(_once_covered, world), refund_id)
        return
    pending_first = world.charges.at_path(refund.charge).card.refund == "pending_first"
    refund.status, refund.pending_reason = "pending" if pending_first else "succeeded", "processing"
    _send(world, refund)
    world.emit("refund.updated", refund, refund.payment_intent)


def _settle(world: World, refund_id: str) -> None:
    refund = world.refunds.at_path(refund_id)
    behaviour = world.charges.at_path(refund.charge).card.refund
    if behaviour == "fails_later" and refund.status == "succeeded":
        fail_refund(world, refund)
    elif behaviour == "pending_first" and refund.status == "pending":
        refund.status = "succeeded"
        world.emit("refund.updated", refund, refund.payment_intent)
