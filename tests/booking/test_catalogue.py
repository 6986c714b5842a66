"""What an offering says when its provider did not, and the slots it makes."""

from __future__ import annotations

from dataclasses import MISSING, fields
from datetime import timedelta, timezone
from uuid import UUID

import pytest
from booking_contracts.booking import DefineOffering
from booking_contracts.types import Price

from services.booking.model.catalogue import Offering
from services.booking.model.slots import new_slot, slot_id
from tests.booking.builders import OFFERING, PROVIDER, START, TEACHER, World, an_offering


@pytest.mark.requirement("price-integrity", "deadline-enforcement")
def test_an_offering_that_names_no_terms_has_those_of_the_contract() -> None:
    ours = {field.name: field.default for field in fields(Offering) if field.default is not MISSING}
    told = {name: field.default for name, field in DefineOffering.model_fields.items() if name in ours}
    assert ours == told


@pytest.mark.requirement("schedule")
def test_a_slot_is_known_by_offering_and_instant_before_it_has_a_row() -> None:
    """Rows are stored under these ids: another way to make them would lose every slot there is."""
    assert slot_id(OFFERING, START) == UUID("d89d1a49-be2f-5fdf-bf86-f56d5fbefc5f")
    assert slot_id(OFFERING, START.astimezone(timezone(timedelta(hours=5)))) == slot_id(OFFERING, START)
    others = {slot_id(UUID(int=3), START), slot_id(OFFERING, START + timedelta(microseconds=1))}
    assert len(others | {slot_id(OFFERING, START)}) == 3


@pytest.mark.requirement("schedule", "provider-overlap")
def test_a_slot_keeps_its_provider_busy_from_buffer_to_buffer() -> None:
    offering = an_offering(duration_minutes=50, buffer_before_minutes=5, buffer_after_minutes=10, capacity=4)
    slot = new_slot(offering, START)
    minutes = [(at - START) // timedelta(minutes=1) for at in (slot.busy_from, slot.starts_at, slot.ends_at)]
    assert (*minutes, slot.busy_until - slot.ends_at) == (-5, 0, 50, timedelta(minutes=10))
    assert (slot.capacity, slot.seats_left, slot.active) == (4, 4, False)


@pytest.mark.requirement("price-integrity")
def test_whoever_defines_an_offering_names_the_commission_of_later_bookings() -> None:
    """docs/decisions/0007: deliberately so, until the product says otherwise."""
    world = World(commission_bps=1000)
    before = world.place()
    define = DefineOffering(
        offering_id=OFFERING,
        provider_id=PROVIDER,
        title="Piano lesson",
        approval=False,
        capacity=1,
        duration_minutes=60,
        price=Price(amount=4500, currency="EUR"),
        commission_bps=0,
        actor=TEACHER,
    )
    world.tell(define)
    assert world.booking(before.booking_id).commission_bps == 1000
    offering = world.work.find(Offering, OFFERING)
    assert offering is not None
    assert offering.commission_bps == 0
