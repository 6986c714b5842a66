"""PaymentMethods: Stripe's test ids and cards, created and attached (page "Testing")."""

from stripe_simulator.account_objects import PaymentMethod
from stripe_simulator.cards import CARDS, NUMBERS
from stripe_simulator.errors import JsonObject, invalid, missing, no_such
from stripe_simulator.form import Params
from stripe_simulator.listing import page
from stripe_simulator.world import World


def chosen_method(world: World, params: Params) -> PaymentMethod | None:
    """What `payment_method` or `payment_method_data` names; None when neither was sent.

    A test id such as pm_card_visa makes a new PaymentMethod each time. Raises 400 resource_missing.
    """
    named = params.text("payment_method")
    if named:
        return resolve(world, named)
    data = params.nested("payment_method_data")
    return _from_card(world, data) if data.form else None


def resolve(world: World, named: str, param: str = "payment_method", status: int = 400) -> PaymentMethod:
    """The PaymentMethod with this id, or a new one for a test id."""
    found = world.payment_methods.find(named)
    if found is not None:
        return found
    card = CARDS.get(named)
    if card is None:
        raise no_such("PaymentMethod", named, param=param, status=status)
    return world.payment_methods.add(PaymentMethod(world.new_id("pm"), world.now(), card))


def create_method(world: World, object_id: str, params: Params) -> JsonObject:
    method = _from_card(world, params)
    method.metadata = params.metadata()
    return method.render()


def retrieve_method(world: World, object_id: str, params: Params) -> JsonObject:
    return resolve(world, object_id, status=404).render()


def attach_method(world: World, object_id: str, params: Params) -> JsonObject:
    customer = world.customers.named_by(params.required("customer"), "customer")
    method = resolve(world, object_id, status=404)
    method.customer = customer.id
    return method.render()


def detach_method(world: World, object_id: str, params: Params) -> JsonObject:
    method = resolve(world, object_id, status=404)
    method.customer = None
    return method.render()


def list_methods(world: World, object_id: str, params: Params) -> JsonObject:
    """Both /v1/payment_methods?customer= and /v1/customers/{id}/payment_methods."""
    customer = object_id or params.text("customer")
    url = f"/v1/customers/{object_id}/payment_methods" if object_id else "/v1/payment_methods"
    return page(world.payment_methods.rows, params, url, lambda row: row.customer == customer)


def _from_card(world: World, params: Params) -> PaymentMethod:
    kind = params.required("type")
    if kind != "card":
        raise invalid(f"The payment method type {kind} is not simulated: use card.", param="type")
    card = params.nested("card")
    token, number = card.text("token"), card.text("number")
    if token is not None:
        return resolve(world, token.replace("tok_", "pm_card_", 1), "card[token]")
    if number is None:
        raise missing("card[number]")
    test_id = NUMBERS.get(number.replace(" ", ""))
    if test_id is None:
        raise invalid("Your card number is incorrect.", param="card[number]", code="incorrect_number")
    return resolve(world, test_id)
