"""Sample commands: valid as they are, every field changeable by name.

    sample.place_booking(offering_id=offering.offering_id, seats=2)

A field or value that the service would refuse raises pydantic.ValidationError.
Ids are new on every call; pass the ones that belong together.
"""

from __future__ import annotations

from typing import TypeVar
from uuid import UUID

from booking_contracts import booking, payments
from booking_contracts.envelope import Command, uuid7
from booking_contracts.testkit.people import ADMIN, CARD, customer, customer_actor, euros, provider_actor, starts_at
from booking_contracts.types import Actor, Customer, Price

CommandT = TypeVar("CommandT", bound=Command)

# ── Catalogue and slots ────────────────────────────────────────────────────────────────────────────


def register_provider(**changes: object) -> booking.RegisterProvider:
    """A provider in UTC with the moderate refund policy, registered by an admin."""
    defaults: dict[str, object] = {
        "provider_id": uuid7(),
        "name": "Studio North",
        "email": "studio@example.com",
        "timezone": "UTC",
        "payout_account": "acct_studio_north",
        "refund_policy": "moderate",
        "actor": ADMIN,
    }
    return booking.RegisterProvider.model_validate({**defaults, **changes})


def define_offering(**changes: object) -> booking.DefineOffering:
    """One hour for one person at 45.00 EUR, booked at once, defined by its provider."""
    provider_id = _id(changes, "provider_id")
    defaults: dict[str, object] = {
        "offering_id": uuid7(),
        "provider_id": provider_id,
        "title": "Piano lesson",
        "duration_minutes": 60,
        "price": Price(amount=4500, currency="EUR"),
        "capacity": 1,
        "approval": False,
        "actor": provider_actor(provider_id),
    }
    return booking.DefineOffering.model_validate({**defaults, **changes})


def set_schedule(**changes: object) -> booking.SetSchedule:
    """Open every day from 09:00 to 17:00."""
    provider_id = _id(changes, "provider_id")
    week = [booking.WeeklyHours.model_validate({"weekday": day, "from": "09:00", "to": "17:00"}) for day in range(1, 8)]
    defaults: dict[str, object] = {
        "provider_id": provider_id,
        "weekly": week,
        "actor": provider_actor(provider_id),
    }
    return booking.SetSchedule.model_validate({**defaults, **changes})


def open_slot(**changes: object) -> booking.OpenSlot:
    """A one-off slot in a week. Publish it with key=<provider_id>."""
    return _slot(booking.OpenSlot, changes)


def close_slot(**changes: object) -> booking.CloseSlot:
    """The same slot, closed. Publish it with key=<provider_id>."""
    return _slot(booking.CloseSlot, changes)


# ── Bookings ───────────────────────────────────────────────────────────────────────────────────────


def place_booking(**changes: object) -> booking.PlaceBooking:
    """One seat in a week, paid by card. The actor is the customer, also a changed one."""
    payer = changes.get("customer", customer())
    defaults: dict[str, object] = {
        "booking_id": uuid7(),
        "offering_id": uuid7(),
        "starts_at": starts_at(),
        "customer": payer,
        "payment": CARD,
        "actor": _acting(payer),
    }
    return booking.PlaceBooking.model_validate({**defaults, **changes})


def approve_booking(**changes: object) -> booking.ApproveBooking:
    """By a provider: pass actor=provider_actor(<provider_id>)."""
    return _about_booking(booking.ApproveBooking, changes, actor=provider_actor())


def reject_booking(**changes: object) -> booking.RejectBooking:
    """By a provider: pass actor=provider_actor(<provider_id>)."""
    return _about_booking(booking.RejectBooking, changes, actor=provider_actor(), reason="Fully booked that week")


def pay_booking(**changes: object) -> booking.PayBooking:
    """By card."""
    return _about_booking(booking.PayBooking, changes, payment=CARD)


def abandon_payment(**changes: object) -> booking.AbandonPayment:
    """The customer closed the payment form."""
    return _about_booking(booking.AbandonPayment, changes)


def quote_cancellation(**changes: object) -> booking.QuoteCancellation:
    """Asks what cancelling would give back."""
    return _about_booking(booking.QuoteCancellation, changes)


def cancel_booking(**changes: object) -> booking.CancelBooking:
    """By the customer."""
    return _about_booking(booking.CancelBooking, changes, reason="Plans changed")


def reschedule_booking(**changes: object) -> booking.RescheduleBooking:
    """To one hour later than `place_booking()`."""
    return _about_booking(booking.RescheduleBooking, changes, starts_at=starts_at(hour=11))


def complete_session(**changes: object) -> booking.CompleteSession:
    """By a provider: pass actor=provider_actor(<provider_id>)."""
    return _about_booking(booking.CompleteSession, changes, actor=provider_actor())


def confirm_session(**changes: object) -> booking.ConfirmSession:
    """The customer confirms that it took place."""
    return _about_booking(booking.ConfirmSession, changes)


def raise_dispute(**changes: object) -> booking.RaiseDispute:
    """By the customer."""
    return _about_booking(booking.RaiseDispute, changes, reason="The teacher did not come")


def resolve_dispute(**changes: object) -> booking.ResolveDispute:
    """By an admin: all of 45.00 EUR goes back."""
    return _about_booking(
        booking.ResolveDispute, changes, actor=ADMIN, refund=euros(4500), release=euros(0), note="No-show confirmed"
    )


# ── Waitlist and wallet ────────────────────────────────────────────────────────────────────────────


def join_waitlist(**changes: object) -> booking.JoinWaitlist:
    """For one seat in a week. The actor is the customer, also a changed one."""
    payer = changes.get("customer", customer())
    defaults: dict[str, object] = {
        "entry_id": uuid7(),
        "offering_id": uuid7(),
        "starts_at": starts_at(),
        "customer": payer,
        "actor": _acting(payer),
    }
    return booking.JoinWaitlist.model_validate({**defaults, **changes})


def leave_waitlist(**changes: object) -> booking.LeaveWaitlist:
    """By the customer."""
    return booking.LeaveWaitlist.model_validate({"entry_id": uuid7(), "actor": customer_actor(), **changes})


def accept_offer(**changes: object) -> booking.AcceptOffer:
    """A new booking id, paid by card."""
    return _about_booking(booking.AcceptOffer, changes, entry_id=uuid7(), payment=CARD)


def top_up_wallet(**changes: object) -> payments.TopUpWallet:
    """100.00 EUR by card. The actor is the customer, also a changed one."""
    return _wallet(payments.TopUpWallet, changes, payment_method="pm_card_visa")


def withdraw_from_wallet(**changes: object) -> payments.WithdrawFromWallet:
    """100.00 EUR. The actor is the customer, also a changed one."""
    return _wallet(payments.WithdrawFromWallet, changes)


def _id(changes: dict[str, object], name: str) -> UUID:
    given = changes.get(name)
    return given if isinstance(given, UUID) else uuid7()


def _acting(payer: object) -> Actor:
    return customer_actor(payer.id if isinstance(payer, Customer) else "customer-1")


def _slot(kind: type[CommandT], changes: dict[str, object]) -> CommandT:
    defaults = {"offering_id": uuid7(), "starts_at": starts_at(), "actor": provider_actor()}
    return kind.model_validate({**defaults, **changes})


def _about_booking(kind: type[CommandT], changes: dict[str, object], **defaults: object) -> CommandT:
    return kind.model_validate({"booking_id": uuid7(), "actor": customer_actor(), **defaults, **changes})


def _wallet(kind: type[CommandT], changes: dict[str, object], **defaults: object) -> CommandT:
    customer_id = str(changes.get("customer_id", "customer-1"))
    amount = Price(amount=10_000, currency="EUR")
    ready = {"customer_id": customer_id, "amount": amount, "actor": customer_actor(customer_id)}
    return kind.model_validate({**ready, **defaults, **changes})
