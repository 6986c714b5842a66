"""RegisterProvider, DefineOffering, OpenSlot: what can be booked. Repeating one edits, for later bookings only."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from booking_contracts.booking import (
    DefineOffering,
    OfferingDefined,
    OpenSlot,
    ProviderRegistered,
    RegisterProvider,
    SlotOpened,
)
from booking_contracts.codes import Code, Rejected
from booking_contracts.types import Money

from services.booking.lifecycle.ending import expire_what_is_due
from services.booking.model import actors
from services.booking.model.catalogue import Offering, Provider
from services.booking.model.refunds import POLICIES
from services.booking.model.slots import new_slot
from services.booking.work import BookingWork
from services.chassis.messages import Accepted, Message


def register_provider(message: Message[RegisterProvider], work: BookingWork) -> Accepted:
    """Admins alone register providers; a changed policy gets the next version and leaves old bookings alone."""
    command = message.body
    if command.actor.kind != "admin":
        raise actors.not_allowed("Only an admin registers providers, on booking.admin-commands.")
    before = work.find(Provider, command.provider_id)
    chosen = command.refund_policy
    policy, tiers = (chosen, POLICIES[chosen]) if isinstance(chosen, str) else ("custom", chosen.tiers)
    version = before.policy_version if before else 1
    if before and before.tiers != tiers:
        version += 1
    provider = Provider(
        provider_id=command.provider_id,
        name=command.name,
        email=command.email,
        timezone=command.timezone,
        payout_account=command.payout_account,
        policy=policy,
        tiers=tiers,
        policy_version=version,
        sequence=before.sequence if before else 0,
    )
    if before and before.timezone != command.timezone:
        work.look_at_lines(command.provider_id)
    work.announce(
        work.put(provider),
        ProviderRegistered,
        name=command.name,
        email=command.email,
        timezone=command.timezone,
        payout_account=command.payout_account,
        refund_policy=command.refund_policy,
    )
    return Accepted(result={"policy_version": version})


def define_offering(message: Message[DefineOffering], work: BookingWork) -> Accepted:
    """A provider's own offering; living bookings keep their terms, and the slots that they are on what these have."""
    command = message.body
    provider = work.provider(command.provider_id)
    actors.require_owner(command.actor, command.provider_id)
    before = work.find(Offering, command.offering_id)
    if before is not None and before.provider_id != command.provider_id:
        raise actors.not_allowed(f"Offering {command.offering_id} is another provider's.")
    fields = {name: getattr(command, name) for name in DefineOffering.model_fields if name not in {"actor", "price"}}
    offering = Offering(**fields, price=Money(amount=command.price.amount, currency=command.price.currency))
    work.put(offering)
    if before is not None and offering.shape != before.shape:
        work.look_at_lines(command.provider_id)
    work.announce(
        provider,
        OfferingDefined,
        **{name: getattr(offering, name) for name in OfferingDefined.model_fields if name != "provider_id"},
    )
    return Accepted()


def open_slot(message: Message[OpenSlot], work: BookingWork) -> Accepted:
    """A one-off slot, or a closed one again; never below the seats taken."""
    command = message.body
    offering = owned_offering(message.key, command.offering_id, work)
    actors.require_owner(command.actor, offering.provider_id)
    if command.starts_at <= work.now:
        raise Rejected(Code.SLOT_IN_PAST, "The slot would have started; choose a later time.")
    slot = work.slot(offering.offering_id, command.starts_at) or new_slot(offering, command.starts_at)
    if work.closing_of(slot.slot_id) is not None:
        raise Rejected(Code.TOO_BUSY, "The slot's bookings are still being cancelled; send it again with a new id.")
    expire_what_is_due(work, slot)
    slot = work.slot(offering.offering_id, command.starts_at) or slot
    capacity = command.capacity or slot.capacity
    if capacity < slot.taken:
        problem = f"is below the {slot.taken} seats taken"
        raise _bad_capacity(problem)
    if command.capacity is not None and not offering.can_charge(command.capacity):
        raise _bad_capacity("times the offering's price is more than can be paid at once")
    own = command.capacity is not None or (slot.opened and slot.own_capacity)
    slot = work.put(replace(slot, capacity=capacity, own_capacity=own, opened=True, closed=False))
    work.freed.add(slot.slot_id)
    work.announce(
        work.provider(offering.provider_id),
        SlotOpened,
        offering_id=slot.offering_id,
        starts_at=slot.starts_at,
        ends_at=slot.ends_at,
        capacity=slot.capacity,
    )
    return Accepted(result={"capacity": slot.capacity})


def _bad_capacity(problem: str) -> Rejected:
    return Rejected(Code.INVALID_COMMAND, f"capacity {problem}.", field="capacity", problem=problem)


def owned_offering(key: str, offering_id: UUID, work: BookingWork) -> Offering:
    """The offering of a slot command, whose key is the offering's provider id."""
    offering = work.offering(offering_id)
    if key != str(offering.provider_id):
        problem = f"must be the id of the offering's provider, {offering.provider_id}"
        raise Rejected(Code.INVALID_COMMAND, f"key {problem}.", field="key", problem=problem)
    return offering
