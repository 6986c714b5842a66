"""Contacts are checked and stored normalised."""

from __future__ import annotations

import json
from typing import Any

import pytest
from booking_contracts.booking import RegisterProvider
from booking_contracts.types import Attendee, Customer

from services.booking.contact import normal_place, normal_provider
from services.chassis.handlers import FieldProblem
from tests.booking.builders import ADMIN, PROVIDER, a_customer, place
from tests.chassis.conftest import engine as engine
from tests.chassis.harness import Engine
from tests.chassis.scenes import Scene


@pytest.mark.requirement("customer-contact")
def test_addresses_and_numbers_have_one_spelling() -> None:
    attendee = Attendee(id="kim", name="Kim", email="Kim@EXAMPLE.com")
    customer = a_customer(email="Bob.B@Example.COM", phone="+49 30 123456")
    command = normal_place(place(customer=customer, attendee=attendee))
    assert (command.customer.email, command.customer.phone) == ("Bob.B@example.com", "+4930123456")
    assert command.attendee is not None
    assert command.attendee.email == "Kim@example.com"


@pytest.mark.requirement("customer-contact")
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("email", "bob"),
        ("email", "bob@"),
        ("email", "bob@exa mple.com"),
        ("phone", "030 123456"),
        ("phone", "+49 (30) 123456"),
        ("phone", "+999999999999999999"),
        ("locale", "xx-nowhere-at-all"),
        ("timezone", "Europe/Atlantis"),
    ],
)
def test_what_is_wrong_names_its_field(field: str, value: str) -> None:
    with pytest.raises(FieldProblem) as caught:
        normal_place(place(customer=a_customer(**{field: value})))
    assert caught.value.field == f"customer.{field}"


@pytest.mark.requirement("customer-contact")
def test_a_providers_address_and_zone() -> None:
    fields: dict[str, Any] = {
        "provider_id": PROVIDER,
        "name": "Ann",
        "email": "ann@EXAMPLE.com",
        "timezone": "Europe/Berlin",
        "refund_policy": "strict",
        "actor": ADMIN,
    }
    assert normal_provider(RegisterProvider(**fields)).email == "ann@example.com"
    for field, value in (("email", "ann"), ("timezone", "Mars/Base")):
        with pytest.raises(FieldProblem) as caught:
            normal_provider(RegisterProvider(**{**fields, field: value}))
        assert caught.value.field == field


@pytest.mark.requirement("customer-contact")
async def test_what_is_stored_and_told_is_normalised(engine: Engine) -> None:
    scene = await Scene(engine).open()
    customer = Customer(id="bob", name="Bob", email="bob@EXAMPLE.com", phone="+49 30 123456")
    await engine.tell(scene.place().model_copy(update={"customer": customer}))
    (row,) = await engine.fetch("SELECT customer FROM booking_contact")
    (placed,) = [sent for sent in await engine.sent() if sent.type == "booking.BookingPlaced.v1"]
    for found in (json.loads(row["customer"]), placed.body["customer"]):
        assert (found["email"], found["phone"]) == ("bob@example.com", "+4930123456")
