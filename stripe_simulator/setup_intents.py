"""SetupIntents in their simplest form: save a card, with or without 3-D Secure (page "Setup Intents")."""

import secrets

from stripe_simulator.account_objects import PaymentMethod, SetupIntent
from stripe_simulator.confirmation import AUTHENTICATION_FAILED, next_action
from stripe_simulator.errors import ApiError, JsonObject, refused
from stripe_simulator.form import Params
from stripe_simulator.payment_intents import check_client_secret
from stripe_simulator.payment_methods import chosen_method
from stripe_simulator.world import World

OPEN = ("requires_payment_method", "requires_confirmation", "requires_action")


def create_setup(world: World, object_id: str, params: Params) -> JsonObject:
    metadata, confirming = params.metadata(), params.boolean("confirm")
    customer = params.text("customer")
    if customer is not None:
        world.customers.named_by(customer, "customer")
    method = chosen_method(world, params)
    setup_id = world.new_id("seti")
    setup = SetupIntent(
        id=setup_id,
        created=world.now(),
        client_secret=f"{setup_id}_secret_{secrets.token_urlsafe(18)}",
        status="requires_confirmation" if method else "requires_payment_method",
        usage=params.choice("usage", ("on_session", "off_session")) or "off_session",
        customer=customer,
        description=params.text("description"),
        metadata=metadata,
        payment_method=method.id if method else None,
    )
    world.setup_intents.add(setup)
    if confirming:
        _confirm(world, setup, method, params.text("return_url"))
    return setup.render()


def retrieve_setup(world: World, object_id: str, params: Params) -> JsonObject:
    setup = world.setup_intents.at_path(object_id, "intent")
    check_client_secret(setup.client_secret, params, object_id)
    return setup.render()


def confirm_setup(world: World, object_id: str, params: Params) -> JsonObject:
    setup = world.setup_intents.at_path(object_id, "intent")
    check_client_secret(setup.client_secret, params, object_id)
    method = chosen_method(world, params) or world.payment_methods.find(setup.payment_method or "")
    _confirm(world, setup, method, params.text("return_url"))
    return setup.render()


def cancel_setup(world: World, object_id: str, params: Params) -> JsonObject:
    setup = world.setup_intents.at_path(object_id, "intent")
    _require_open(setup)
    setup.status = "canceled"
    setup.next_action = None
    setup.cancellation_reason = params.text("cancellation_reason")
    return setup.render()


def authenticate_setup(world: World, setup: SetupIntent, success: bool) -> None:
    """The payer passes or fails 3-D Secure. Raises setup_intent_unexpected_state unless requires_action."""
    method = world.payment_methods.find(setup.payment_method or "")
    if setup.status != "requires_action" or method is None:
        raise _unexpected(setup)
    setup.next_action = None
    if success:
        _succeed(world, setup, method)
        return
    setup.status = "requires_payment_method"
    setup.payment_method = None
    setup.last_setup_error = {
        "code": "setup_intent_authentication_failure",
        "message": AUTHENTICATION_FAILED,
        "payment_method": method.render(),
        "type": "invalid_request_error",
    }


def _confirm(world: World, setup: SetupIntent, method: PaymentMethod | None, return_url: str | None) -> None:
    _require_open(setup)
    if method is None:
        raise _unexpected(setup)
    setup.payment_method = method.id
    if method.card.authenticate:
        setup.status = "requires_action"
        setup.next_action = next_action(setup.id, return_url)
    elif method.card.decline is not None:
        decline = method.card.decline
        setup.status = "requires_payment_method"
        setup.payment_method = None
        fields: JsonObject = {"decline_code": decline.decline_code, "payment_method": method.render()}
        setup.last_setup_error = {
            "type": "card_error",
            "code": decline.code,
            "message": decline.message,
            **fields,
        }
        fields["setup_intent"] = setup.render()
        raise ApiError(402, "card_error", decline.message, code=decline.code, fields=fields)
    else:
        _succeed(world, setup, method)


def _succeed(world: World, setup: SetupIntent, method: PaymentMethod) -> None:
    setup.status = "succeeded"
    setup.last_setup_error = None
    method.customer = setup.customer
    world.emit("setup_intent.succeeded", setup, setup.id)


def _require_open(setup: SetupIntent) -> None:
    if setup.status not in OPEN:
        raise _unexpected(setup)


def _unexpected(setup: SetupIntent) -> ApiError:
    message = f"This SetupIntent has a status of {setup.status} and cannot be changed that way."
    return refused(message, code="setup_intent_unexpected_state", fields={"setup_intent": setup.render()})
