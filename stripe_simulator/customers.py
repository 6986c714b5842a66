"""Customers (API reference, "Customers")."""

from stripe_simulator.account_objects import Customer
from stripe_simulator.errors import JsonObject
from stripe_simulator.form import Params
from stripe_simulator.listing import page
from stripe_simulator.payment_methods import resolve
from stripe_simulator.world import World

TEXT_FIELDS = ("email", "name", "phone", "description")


def create_customer(world: World, object_id: str, params: Params) -> JsonObject:
    customer = Customer(world.new_id("cus"), world.now(), metadata=params.metadata())
    _set_texts(customer, params)
    method = params.text("payment_method")
    if method:
        resolve(world, method).customer = customer.id
    return world.customers.add(customer).render()


def retrieve_customer(world: World, object_id: str, params: Params) -> JsonObject:
    return world.customers.at_path(object_id).render()


def update_customer(world: World, object_id: str, params: Params) -> JsonObject:
    customer = world.customers.at_path(object_id)
    customer.metadata = params.metadata(customer.metadata)
    _set_texts(customer, params)
    return customer.render()


def list_customers(world: World, object_id: str, params: Params) -> JsonObject:
    email = params.text("email")
    return page(world.customers.rows, params, "/v1/customers", lambda row: email in (None, row.email))


def _set_texts(customer: Customer, params: Params) -> None:
    for name in TEXT_FIELDS:
        value = params.text(name)
        if value is not None:
            setattr(customer, name, value or None)
