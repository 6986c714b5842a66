"""From confirmation to an authorised, paid or declined card payment.

Sources: "How PaymentIntents work", "Place a hold on a payment method", "Card authentication and 3D Secure",
"Declines".
"""

from stripe_simulator.account_objects import PaymentMethod
from stripe_simulator.authorisations import authorise, capture
from stripe_simulator.cards import AUTHENTICATION_REQUIRED, GENERIC, Decline
from stripe_simulator.errors import ApiError, JsonObject, unexpected_state
from stripe_simulator.payment_objects import Charge, PaymentIntent
from stripe_simulator.world import World

CONFIRMABLE = ("requires_payment_method", "requires_confirmation", "requires_action")
AUTHENTICATION_FAILED = (
    "The provided PaymentMethod has failed authentication. You can provide payment_method_data or a new "
    "PaymentMethod to attempt to fulfill this PaymentIntent again."
)


def confirm(
    world: World,
    intent: PaymentIntent,
    method: PaymentMethod | None,
    *,
    return_url: str | None = None,
    off_session: bool = False,
    error_on_requires_action: bool = False,
) -> None:
    """Try to pay `intent` with `method`, or with the one it has.

    Raises payment_intent_unexpected_state, or the 402 card error of a decline. After a decline the
    PaymentIntent is requires_payment_method again, with last_payment_error.
    """
    if intent.status not in CONFIRMABLE:
        message = f"You cannot confirm this PaymentIntent because it has a status of {intent.status}."
        raise unexpected_state(message, intent.render())
    if method is None and intent.payment_method is not None:
        method = world.payment_methods.find(intent.payment_method)
    if method is None:
        message = (
            "You cannot confirm this PaymentIntent because it's missing a payment method. You can either "
            "update the "
            "PaymentIntent with a payment method and then confirm it again, or confirm it again directly "
            "with a "
            "payment method or ConfirmationToken."
        )
        raise unexpected_state(message, intent.render())
    intent.payment_method = method.id
    if not method.card.authenticate:
        _charge(world, intent, method)
    elif off_session or error_on_requires_action:
        raise _decline(world, intent, method, AUTHENTICATION_REQUIRED)
    else:
        intent.status = "requires_action"
        intent.next_action = next_action(intent.id, return_url)
        world.emit("payment_intent.requires_action", intent, intent.id)


def authenticate(world: World, intent: PaymentIntent, success: bool) -> None:
    """The payer passes or fails 3-D Secure. Raises payment_intent_unexpected_state unless requires_action."""
    method = world.payment_methods.find(intent.payment_method or "")
    if intent.status != "requires_action" or method is None:
        message = f"This PaymentIntent has a status of {intent.status}: nothing to authenticate."
        raise unexpected_state(message, intent.render())
    intent.next_action = None
    if success:
        try:
            _charge(world, intent, method)
        except ApiError:
            return  # the decline stands in last_payment_error and in the events
        return
    _back_to_payment_method(
        intent,
        {
            "code": "payment_intent_authentication_failure",
            "doc_url": "https://stripe.com/docs/error-codes/payment-intent-authentication-failure",
            "message": AUTHENTICATION_FAILED,
            "payment_method": method.render(),
            "type": "invalid_request_error",
        },
    )
    world.emit("payment_intent.payment_failed", intent, intent.id)


def finish_processing(world: World, intent: PaymentIntent, success: bool) -> None:
    """The bank answers at last: paid, or declined. Raises payment_intent_unexpected_state unless processing."""
    method = world.payment_methods.find(intent.payment_method or "")
    if intent.status != "processing" or method is None:
        message = f"This PaymentIntent has a status of {intent.status}: no answer of a bank is awaited."
        raise unexpected_state(message, intent.render())
    if success:
        _pay(world, intent, method)
    else:
        _decline(world, intent, method, GENERIC)


def next_action(object_id: str, return_url: str | None) -> JsonObject:
    """What a browser would be told to do about 3-D Secure."""
    url = f"https://hooks.stripe.com/3d_secure_2/hosted?intent={object_id}"
    if return_url is not None:
        return {"type": "redirect_to_url", "redirect_to_url": {"return_url": return_url, "url": url}}
    return {
        "type": "use_stripe_sdk",
        "use_stripe_sdk": {"type": "three_d_secure_redirect", "stripe_js": url, "source": object_id},
    }


def _charge(world: World, intent: PaymentIntent, method: PaymentMethod) -> None:
    decline = world.decline or method.card.decline
    if decline is not None:
        raise _decline(world, intent, method, decline)
    if method.card.processing:
        intent.status = "processing"
        intent.next_action = None
        world.emit("payment_intent.processing", intent, intent.id)
    else:
        _pay(world, intent, method)


def _pay(world: World, intent: PaymentIntent, method: PaymentMethod) -> None:
    charge = _new_charge(world, intent, method, "succeeded")
    intent.last_payment_error = None
    intent.next_action = None
    if intent.capture_method == "manual":
        authorise(world, intent, charge)
        world.emit("charge.succeeded", charge, intent.id)
        world.emit("payment_intent.amount_capturable_updated", intent, intent.id)
    else:
        capture(world, intent, charge, intent.amount)
        world.emit("charge.succeeded", charge, intent.id)
        world.emit("payment_intent.succeeded", intent, intent.id)


def _decline(world: World, intent: PaymentIntent, method: PaymentMethod, decline: Decline) -> ApiError:
    charge = _new_charge(world, intent, method, "failed", decline)
    fields: JsonObject = {
        "charge": charge.id,
        "decline_code": decline.decline_code,
        "payment_method": method.render(),
    }
    error = ApiError(402, "card_error", decline.message, code=decline.code, fields=fields)
    doc_url = f"https://stripe.com/docs/error-codes/{decline.code.replace('_', '-')}"
    described = {
        "type": error.kind,
        "code": error.code,
        "message": error.message,
        "doc_url": doc_url,
        **fields,
    }
    _back_to_payment_method(intent, described)
    world.emit("charge.failed", charge, intent.id)
    world.emit("payment_intent.payment_failed", intent, intent.id)
    fields["payment_intent"] = intent.render()
    return error


def _back_to_payment_method(intent: PaymentIntent, error: JsonObject) -> None:
    intent.status = "requires_payment_method"
    intent.payment_method = None
    intent.next_action = None
    intent.last_payment_error = error


def _new_charge(
    world: World, intent: PaymentIntent, method: PaymentMethod, status: str, decline: Decline | None = None
) -> Charge:
    charge = Charge(
        id=world.new_id("ch"),
        created=world.now(),
        amount=intent.amount,
        currency=intent.currency,
        card=method.card,
        payment_intent=intent.id,
        payment_method=method.id,
        customer=intent.customer,
        metadata=intent.metadata,
        description=intent.description,
        transfer_group=intent.transfer_group,
        status=status,
        decline=decline,
    )
    intent.latest_charge = charge.id
    world.charges_of.setdefault(intent.id, []).append(charge)
    return world.charges.add(charge)
