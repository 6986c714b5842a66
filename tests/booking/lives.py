"""Bookings brought into every state by the real handlers, and every message that can be about them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

from booking_contracts import booking as messages
from booking_contracts import payments
from booking_contracts.envelope import MessageBody
from booking_contracts.types import Actor, Money

from services.booking.local_messages import DeadlineReached
from services.booking.model.booking import Booking
from services.booking.model.expected_outcomes import Case
from services.booking.model.states import State
from tests.booking.builders import ADMIN, CARD, NOW, START, TEACHER, World, acting, answer, authorized, place

STRANGER = Actor(kind="provider", id="00000000-0000-0000-0000-000000000009")
END = START + timedelta(hours=1)
CLOCK = {
    Case.BEFORE_CUT_OFF: NOW,
    Case.AFTER_CUT_OFF: START - timedelta(minutes=30),
    Case.STARTED: START,
    Case.ENDED: END,
}


def euros(minor: int) -> Money:
    return Money(amount=minor, currency="EUR")


def split(booking: Booking, refund: int) -> messages.ResolveDispute:
    """An admin's decision: `refund` minor units go back, the rest to the provider."""
    return messages.ResolveDispute(
        booking_id=booking.booking_id,
        refund=euros(refund),
        release=euros(booking.price.amount - refund),
        note="heard both",
        actor=ADMIN,
    )


def dispute(booking: Booking) -> messages.RaiseDispute:
    return messages.RaiseDispute(booking_id=booking.booking_id, reason="nobody came", actor=acting())


def pending(world: World, *, approval: bool = False) -> Booking:
    """PENDING_PAYMENT with its first attempt in flight, booked at once or approved."""
    booking = world.place()
    if approval:
        world.tell(messages.ApproveBooking(booking_id=booking.booking_id, actor=TEACHER))
    return world.booking(booking.booking_id)


def confirmed(world: World, *, approval: bool = False) -> Booking:
    booking = pending(world, approval=approval)
    world.tell(authorized(booking))
    return world.booking(booking.booking_id)


def completed_by_provider(world: World) -> Booking:
    """PENDING_CONFIRMATION, its money not captured yet."""
    booking = confirmed(world)
    world.at(END).tell(messages.CompleteSession(booking_id=booking.booking_id, actor=TEACHER))
    return world.booking(booking.booking_id)


def disputed(world: World) -> Booking:
    booking = completed_by_provider(world)
    world.tell(dispute(booking))
    return world.booking(booking.booking_id)


def in_state(world: World, state: State) -> Booking:
    """A booking in `state`; a dead one died while its attempt was in flight."""
    booking = _LIVES[state](world)
    booking = world.booking(booking.booking_id)
    assert booking.state is state, f"{booking.state} instead of {state}"
    return booking


def _then(start: Callable[[World], Booking], *bodies: Callable[[Booking], Any]) -> Callable[[World], Booking]:
    def live(world: World) -> Booking:
        booking = start(world)
        for body in bodies:
            world.tell(body(booking))
        return booking

    return live


def _cancel(actor: Any) -> Callable[[Booking], messages.CancelBooking]:
    return lambda booking: messages.CancelBooking(booking_id=booking.booking_id, actor=actor)


def _expired(world: World) -> Booking:
    booking = pending(world)
    assert booking.deadline is not None
    world.at(booking.deadline).tell(DeadlineReached(booking_id=booking.booking_id))
    return booking


MOVED_TO = START + timedelta(days=1)
S = State
_LIVES: dict[State, Callable[[World], Booking]] = {
    S.PENDING_APPROVAL: lambda world: world.place(),
    S.PENDING_PAYMENT: pending,
    S.CONFIRMED: confirmed,
    S.PENDING_CONFIRMATION: completed_by_provider,
    S.COMPLETED: _then(
        completed_by_provider, lambda b: messages.ConfirmSession(booking_id=b.booking_id, actor=acting())
    ),
    S.DISPUTED: disputed,
    S.RESOLVED_REFUNDED: _then(disputed, lambda b: split(b, 4500)),
    S.RESOLVED_RELEASED: _then(disputed, lambda b: split(b, 0)),
    S.RESOLVED_SPLIT: _then(disputed, lambda b: split(b, 1500)),
    S.CANCELLED_BY_CUSTOMER: _then(pending, _cancel(acting())),
    S.CANCELLED_BY_PROVIDER: _then(pending, _cancel(TEACHER)),
    S.CANCELLED_BY_ADMIN: _then(pending, _cancel(ADMIN)),
    S.REJECTED_BY_PROVIDER: _then(
        lambda world: world.place(), lambda b: messages.RejectBooking(booking_id=b.booking_id, actor=TEACHER)
    ),
    S.PAYMENT_FAILED: _then(pending, lambda b: messages.AbandonPayment(booking_id=b.booking_id, actor=acting())),
    S.EXPIRED: _expired,
}

ACTORS = {"provider": TEACHER, "admin": ADMIN}
REFUNDS = {"refund": 4500, "release": 0, "split": 1500}
NEEDS_APPROVAL = frozenset({S.PENDING_APPROVAL, S.REJECTED_BY_PROVIDER})
BY = {"ApproveBooking": TEACHER, "RejectBooking": TEACHER, "CompleteSession": TEACHER}


def command(name: str, booking: Booking) -> MessageBody:
    """A command of the table, from one who may send it, with nothing wrong in it."""
    kind, _, variant = name.partition(" ")
    variant = variant.split(" ")[-1]
    if kind == "PlaceBooking":
        return place(booking_id=booking.booking_id)
    if kind == "ResolveDispute":
        return split(booking, REFUNDS[variant])
    fields: dict[str, Any] = {
        "booking_id": booking.booking_id,
        "actor": BY.get(kind) or ACTORS.get(variant) or acting(booking.customer.id),
    }
    extra: dict[str, dict[str, Any]] = {
        "PayBooking": {"payment": CARD},
        "RescheduleBooking": {"starts_at": MOVED_TO},
        "RaiseDispute": {"reason": "nobody came"},
    }
    found: MessageBody = getattr(messages, kind)(**fields, **extra.get(kind, {}))
    return found


def event(name: str, booking: Booking, attempt: int) -> MessageBody:
    """An event of payments about an attempt of the booking, with the amounts that booking expects."""
    amount, nothing = {"amount": booking.price}, euros(0)
    extra: dict[str, dict[str, Any]] = {
        "PaymentAuthorized": amount,
        "PaymentCaptured": amount,
        "PaymentActionRequired": {"kind": "authenticate"},
        "PaymentDeclined": {"code": "generic_decline", "retryable": True},
        "CaptureFailed": {"code": "authorization_gone"},
        "PaymentSettled": {
            "settlement_id": booking.settlement_id or uuid4(),
            "via": "refund",
            "refund": booking.price,
            **dict.fromkeys(("release", "commission", "provider_amount"), nothing),
        },
        "RefundSucceeded": {**amount, "refund_id": "re_1"},
        "RefundFailed": {**amount, "refund_id": "re_1", "code": "expired_card"},
        "PayoutFailed": {**amount, "code": "account_closed"},
        "PayoutPaid": {**amount, "transfer_id": "tr_1"},
        "ChargebackOpened": {**amount, "dispute_id": "dp_1"},
        "ChargebackClosed": {**amount, "dispute_id": "dp_1", "outcome": "won"},
    }
    found: MessageBody = answer(getattr(payments, name), booking, attempt=attempt, **extra.get(name, {}))
    return found
