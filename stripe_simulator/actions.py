"""What the control port can do to the account: the payer's, the bank's and the operator's part in a payment."""

from collections.abc import Callable
from typing import TypeAlias

from stripe_simulator.confirmation import authenticate, finish_processing
from stripe_simulator.currencies import currency_code
from stripe_simulator.disputes import change_dispute, close_dispute, open_dispute
from stripe_simulator.errors import JsonObject, invalid, missing
from stripe_simulator.refunds import fail_refund
from stripe_simulator.setup_intents import authenticate_setup
from stripe_simulator.world import World

Action: TypeAlias = Callable[[World, str, JsonObject], JsonObject]


def authenticate_payer(world: World, object_id: str, fields: JsonObject) -> JsonObject:
    """{success: bool} finishes the 3-D Secure of a PaymentIntent or SetupIntent."""
    success = _success(fields)
    if object_id.startswith("seti_"):
        setup = world.setup_intents.at_path(object_id, "intent")
        authenticate_setup(world, setup, success)
        return setup.render()
    intent = world.payment_intents.at_path(object_id, "intent")
    authenticate(world, intent, success)
    return intent.render()


def finish(world: World, object_id: str, fields: JsonObject) -> JsonObject:
    """{success: bool}: the bank's answer to a PaymentIntent that is `processing`."""
    success = _success(fields)
    intent = world.payment_intents.at_path(object_id, "intent")
    finish_processing(world, intent, success)
    return intent.render()


def open_chargeback(world: World, object_id: str, fields: JsonObject) -> JsonObject:
    """{payment_intent, amount?, currency?, inquiry?}: amount in minor units, all that was captured when left out."""
    intent_id, amount, currency = (fields.get(name) for name in ("payment_intent", "amount", "currency"))
    if not isinstance(intent_id, str):
        raise missing("payment_intent")
    intent = world.payment_intents.named_by(intent_id, "payment_intent")
    charge = world.charges.named_by(intent.latest_charge or "", "payment_intent")
    return open_dispute(
        world,
        charge,
        charge.amount_captured if amount is None else _integer("amount", amount),
        currency=None if currency is None else currency_code(str(currency)),
        inquiry=fields.get("inquiry") is True,
    ).render()


def close_chargeback(world: World, object_id: str, fields: JsonObject) -> JsonObject:
    """{status: won | lost}."""
    status = fields.get("status")
    if status not in ("won", "lost"):
        raise invalid("Invalid status: must be one of won, lost", param="status")
    return close_dispute(world, world.disputes.at_path(object_id, "dispute"), str(status)).render()


def change_chargeback(world: World, object_id: str, fields: JsonObject) -> JsonObject:
    """{status}: any status a dispute can have, whatever it has now."""
    return change_dispute(world, world.disputes.at_path(object_id, "dispute"), str(fields.get("status"))).render()


def end_refund(world: World, object_id: str, fields: JsonObject) -> JsonObject:
    """{status?: failed | canceled, reason?}: the bank sends it back, or it is called off."""
    status, reason = fields.get("status", "failed"), fields.get("reason", "expired_or_canceled_card")
    if status not in ("failed", "canceled"):
        raise invalid("Invalid status: must be one of failed, canceled", param="status")
    return fail_refund(world, world.refunds.at_path(object_id), str(reason), str(status)).render()


def move_balance(world: World, object_id: str, fields: JsonObject) -> JsonObject:
    """{currency, amount}: adds to the balance (a top-up of the account), or takes from it (a payout to its bank)."""
    currency = currency_code(str(fields.get("currency")))
    amount = _integer("amount", fields.get("amount"))
    world.move("topup" if amount > 0 else "payout", amount, currency, None)
    return {"currency": currency, "available": world.balance[currency]}


def change_behaviour(world: World, object_id: str, fields: JsonObject) -> JsonObject:
    """Fields of behaviour.py; the others stay."""
    world.behaviour = world.behaviour.changed(fields)
    return world.behaviour.shown()


ACTIONS: dict[tuple[str, str], Action] = {
    ("POST", "/authenticate/{id}"): authenticate_payer,
    ("POST", "/processing/{id}"): finish,
    ("POST", "/disputes"): open_chargeback,
    ("POST", "/disputes/{id}/close"): close_chargeback,
    ("POST", "/disputes/{id}/change"): change_chargeback,
    ("POST", "/refunds/{id}/fail"): end_refund,
    ("POST", "/balance"): move_balance,
    ("PUT", "/behaviour"): change_behaviour,
}


def _success(fields: JsonObject) -> bool:
    success = fields.get("success")
    if not isinstance(success, bool):
        raise missing("success")
    return success


def _integer(name: str, value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise invalid(f"Invalid integer: {value}", param=name, code="parameter_invalid_integer")
    return value
