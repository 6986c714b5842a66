"""The PaymentIntents endpoints (API reference, "Payment Intents")."""

import secrets

from stripe_simulator import authorisations, confirmation
from stripe_simulator.currencies import check_charge_amount, check_steps, currency_code, money
from stripe_simulator.errors import JsonObject, invalid, refused, unexpected_state
from stripe_simulator.form import Params
from stripe_simulator.listing import page
from stripe_simulator.payment_methods import chosen_method
from stripe_simulator.payment_objects import PaymentIntent
from stripe_simulator.world import World

CAPTURE_METHODS = ("automatic", "automatic_async", "manual")
CANCELLATION_REASONS = ("duplicate", "fraudulent", "requested_by_customer", "abandoned")
CANCELABLE = ("requires_payment_method", "requires_capture", "requires_confirmation", "requires_action")
CHANGEABLE = ("requires_payment_method", "requires_confirmation", "requires_action")
TEXT_FIELDS = ("description", "receipt_email", "setup_future_usage", "statement_descriptor", "transfer_group")


def create_intent(world: World, object_id: str, params: Params) -> JsonObject:
    """Create, and with confirm=true try to pay at once. Raises 402 on a decline; the PaymentIntent stays."""
    params.required("amount")
    amount = params.integer("amount") or 0
    currency = currency_code(params.required("currency"))
    check_charge_amount(amount, currency)
    capture_method = params.choice("capture_method", CAPTURE_METHODS) or "automatic_async"
    confirming = params.boolean("confirm")
    if not confirming and params.text("off_session") not in (None, "false"):
        message = "You can only set off_session when confirm is true."
        raise invalid(message, param="off_session", code="payment_intent_invalid_parameter")
    metadata = params.metadata()
    _check_method_types(params)
    automatic = _automatic_methods(params)
    customer = params.text("customer")
    if customer is not None:
        world.customers.named_by(customer, "customer")
    method = chosen_method(world, params)
    intent_id = world.new_id("pi")
    intent = PaymentIntent(
        id=intent_id,
        created=world.now(),
        amount=amount,
        currency=currency,
        client_secret=f"{intent_id}_secret_{secrets.token_urlsafe(18)}",
        status="requires_confirmation" if method else "requires_payment_method",
        capture_method=capture_method,
        confirmation_method=params.choice("confirmation_method", ("automatic", "manual")) or "automatic",
        allowed_payment_method_types=params.names("allowed_payment_method_types") or None,
        automatic_payment_methods=automatic,
        metadata=metadata,
        customer=customer,
        payment_method=method.id if method else None,
    )
    _set_texts(intent, params)
    if confirming and method is None:
        confirmation.confirm(world, intent, None)  # raises before anything is kept
    world.payment_intents.add(intent)
    world.emit("payment_intent.created", intent, intent.id)
    if confirming:
        _confirm(world, intent, params)
    return intent.render()


def retrieve_intent(world: World, object_id: str, params: Params) -> JsonObject:
    intent = world.payment_intents.at_path(object_id, "intent")
    check_client_secret(intent.client_secret, params, object_id)
    return intent.render()


def list_intents(world: World, object_id: str, params: Params) -> JsonObject:
    customer = params.text("customer")
    return page(
        world.payment_intents.rows,
        params,
        "/v1/payment_intents",
        lambda row: customer in (None, row.customer),
    )


def update_intent(world: World, object_id: str, params: Params) -> JsonObject:
    intent = world.payment_intents.at_path(object_id, "intent")
    amount, currency = params.integer("amount"), params.text("currency")
    metadata = params.metadata(intent.metadata)
    if amount is not None or currency is not None or params.text("payment_method"):
        if intent.status not in CHANGEABLE:
            message = f"This PaymentIntent could not be updated because it has a status of {intent.status}."
            raise unexpected_state(message, intent.render())
        new_currency = currency_code(currency or intent.currency)
        check_charge_amount(intent.amount if amount is None else amount, new_currency)
        intent.amount = intent.amount if amount is None else amount
        intent.currency = new_currency
    method = chosen_method(world, params)
    if method is not None:
        intent.payment_method = method.id
        intent.status = "requires_confirmation"
    customer = params.text("customer")
    if customer:
        intent.customer = world.customers.named_by(customer, "customer").id
    intent.metadata = metadata
    _set_texts(intent, params)
    return intent.render()


def confirm_intent(world: World, object_id: str, params: Params) -> JsonObject:
    intent = world.payment_intents.at_path(object_id, "intent")
    check_client_secret(intent.client_secret, params, object_id)
    if intent.status in confirmation.CONFIRMABLE:
        intent.capture_method = params.choice("capture_method", CAPTURE_METHODS) or intent.capture_method
    _confirm(world, intent, params)
    return intent.render()


def capture_intent(world: World, object_id: str, params: Params) -> JsonObject:
    """Capture once, all or a part. Raises payment_intent_unexpected_state, amount_too_large."""
    amount = params.integer("amount_to_capture")
    if amount is not None and amount < 1:
        message = "This value must be greater than or equal to 1."
        raise invalid(message, param="amount_to_capture", code="parameter_invalid_integer")
    intent = world.payment_intents.at_path(object_id, "intent")
    charge = world.charges.find(intent.latest_charge or "")
    if intent.status != "requires_capture" or charge is None:
        already = (
            "it has already been captured."
            if intent.status == "succeeded"
            else (
                f"it has a status of {intent.status}. Only a PaymentIntent with one of the following "
                "statuses may be "
                "captured: requires_capture."
            )
        )
        raise unexpected_state(f"This PaymentIntent could not be captured because {already}", intent.render())
    if amount is not None and amount > intent.amount_capturable:
        raise refused(
            f"The amount_to_capture ({money(amount, intent.currency)}) is greater than the amount_capturable "
            f"({money(intent.amount_capturable, intent.currency)}).",
            code="amount_too_large",
            param="amount_to_capture",
        )
    if amount is not None:
        check_steps(amount, intent.currency, "amount_to_capture")
    intent.metadata = params.metadata(intent.metadata)
    authorisations.capture(world, intent, charge, intent.amount_capturable if amount is None else amount)
    world.emit("charge.captured", charge, intent.id)
    authorisations.release_rest(world, charge)
    world.emit("payment_intent.succeeded", intent, intent.id)
    return intent.render()


def cancel_intent(world: World, object_id: str, params: Params) -> JsonObject:
    reason = params.choice("cancellation_reason", CANCELLATION_REASONS)
    intent = world.payment_intents.at_path(object_id, "intent")
    if intent.status not in CANCELABLE:
        message = (
            f"You cannot cancel this PaymentIntent because it has a status of {intent.status}. Only a "
            "PaymentIntent "
            f"with one of the following statuses may be canceled: {', '.join(CANCELABLE)}."
        )
        raise unexpected_state(message, intent.render())
    authorisations.release(world, intent, reason)
    return intent.render()


def check_client_secret(secret: str, params: Params, object_id: str) -> None:
    """A client_secret, when sent, must be the object's own: 400 otherwise."""
    given = params.text("client_secret")
    if given is not None and given != secret:
        message = "The client_secret provided does not match the client_secret associated with this object."
        raise refused(message, code="payment_intent_invalid_parameter", param="client_secret")


def _confirm(world: World, intent: PaymentIntent, params: Params) -> None:
    already = world.payment_methods.find(intent.payment_method or "")
    confirmation.confirm(
        world,
        intent,
        already if params.boolean("confirm") else chosen_method(world, params),
        return_url=params.text("return_url"),
        off_session=params.text("off_session") not in (None, "false"),
        error_on_requires_action=params.boolean("error_on_requires_action"),
    )


def _check_method_types(params: Params) -> None:
    allowed = params.names("allowed_payment_method_types")
    if allowed and "card" not in allowed:
        raise invalid("Only card is simulated: allow it.", param="allowed_payment_method_types")
    if allowed and "automatic_payment_methods" in params.form:
        message = "Send either allowed_payment_method_types or automatic_payment_methods."
        raise invalid(message, param="allowed_payment_method_types", code="parameters_exclusive")


def _automatic_methods(params: Params) -> JsonObject | None:
    given = params.nested("automatic_payment_methods")
    if "allowed_payment_method_types" in params.form or (given.form and not given.boolean("enabled")):
        return None
    return {"allow_redirects": given.text("allow_redirects") or "always", "enabled": True}


def _set_texts(intent: PaymentIntent, params: Params) -> None:
    for name in TEXT_FIELDS:
        value = params.text(name)
        if value is not None:
            setattr(intent, name, value or None)
