"""RegisterProvider, DefineOffering: what can be booked. Repeating one edits, for later bookings only."""

from __future__ import annotations

from booking_contracts.booking import (
    DefineOffering,
    OfferingDefined,
    ProviderRegistered,
    RegisterProvider,
)
from booking_contracts.types import Money

from services.booking.model import actors
from services.booking.model.actors import not_allowed
from services.booking.model.catalogue import Offering, Provider
from services.booking.model.refunds import POLICIES
from services.booking.work import BookingWork
from services.chassis.messages import Accepted, Message


def register_provider(message: Message[RegisterProvider], work: BookingWork) -> Accepted:
    """Admins alone register providers; a changed policy gets the next version and leaves old bookings alone."""
    command = message.body
    actors.require_admin(command.actor, "registers providers")
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
        raise not_allowed(f"Offering {command.offering_id} is another provider's.")
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
