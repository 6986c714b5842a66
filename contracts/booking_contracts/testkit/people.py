"""Who and what sample commands are about: people, actors, money, a time."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from uuid import UUID, uuid4

from booking_contracts.envelope import uuid7
from booking_contracts.types import Actor, Attendee, Customer, Money, PaymentChoice

ADMIN = Actor(kind="admin", id="admin-1")
CARD = PaymentChoice(method="card", payment_method="pm_card_visa")
WALLET = PaymentChoice(method="wallet")


def customer(id: str = "customer-1", **changes: object) -> Customer:
    """A payer who can be reached by e-mail."""
    defaults: dict[str, object] = {
        "name": "Ada Moreno",
        "email": "ada@example.com",
        "phone": "+4930901820",
        "locale": "en",
        "timezone": "Europe/Berlin",
    }
    return Customer.model_validate({"id": id, **defaults, **changes})


def newcomer(name: str = "Ada Moreno", **changes: object) -> Customer:
    """A payer whom nobody has met, with an id and an address of their own."""
    id = f"{name.split()[0].lower()}-{uuid4().hex[:12]}"
    return customer(id, **{"name": name, "email": f"{id}@example.com", **changes})


def attendee(id: str = "attendee-1", **changes: object) -> Attendee:
    """Somebody who comes and does not pay."""
    return Attendee.model_validate({"id": id, "name": "Lin Moreno", "email": None, **changes})


def customer_actor(id: str = "customer-1") -> Actor:
    """The customer acts; `id` is the booking's customer.id."""
    return Actor(kind="customer", id=id)


def provider_actor(provider_id: UUID | None = None) -> Actor:
    """A provider acts; `provider_id` is the booking's."""
    return Actor(kind="provider", id=str(provider_id or uuid7()))


def euros(amount_minor: int) -> Money:
    """So many cents."""
    return Money(amount=amount_minor, currency="EUR")


def starts_at(days_ahead: int = 7, hour: int = 10, now: datetime | None = None) -> datetime:
    """A full hour in UTC, inside the hours of `set_schedule()`; `now` is real time unless given."""
    day = (now or datetime.now(UTC)).astimezone(UTC).date() + timedelta(days=days_ahead)
    return datetime.combine(day, time(hour), UTC)
