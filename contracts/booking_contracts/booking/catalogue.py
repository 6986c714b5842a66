"""What can be booked: commands of providers and admins, and what is told of it (contract.md)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    Discriminator,
    Field,
    StringConstraints,
    Tag,
    ValidationInfo,
    field_validator,
    model_validator,
)

from booking_contracts import texts
from booking_contracts.booking.commands import BookingCommand
from booking_contracts.currencies import card_step_minor
from booking_contracts.envelope import Event
from booking_contracts.types import (
    MAX_AMOUNT_MINOR,
    REMINDER_MINUTES,
    Day,
    Email,
    EventInstant,
    Id,
    Instant,
    Minutes,
    Money,
    Name,
    Price,
    Seats,
    Tiers,
    Value,
    Zone,
    refusal,
)

Hours = Annotated[int, Field(ge=1, le=24 * 366)]


def _distinct(minutes: tuple[int, ...]) -> tuple[int, ...]:
    if len({*minutes}) != len(minutes):
        raise ValueError("must each be another number of minutes")
    return minutes


ReminderMinutes = Annotated[
    tuple[Annotated[int, Field(ge=1, le=30 * 24 * 60)], ...],
    Field(strict=False, max_length=5),
    AfterValidator(_distinct),
]


def _ascii(pattern: str) -> Callable[[str], str]:
    """A pattern's \\d as JSON Schema means it (ECMA-262): pydantic's takes the digits of every script."""

    def check(text: str) -> str:
        if not text.isascii():
            raise ValueError(texts.WORDS[pattern])
        return text

    return check


WallTime = Annotated[str, StringConstraints(pattern=texts.WALL_TIME), AfterValidator(_ascii(texts.WALL_TIME))]
WallTimeTo24 = Annotated[
    str, StringConstraints(pattern=texts.WALL_TIME_TO_24), AfterValidator(_ascii(texts.WALL_TIME_TO_24))
]
NamedPolicy = Literal["flexible", "moderate", "strict"]


def _policy_kind(value: Any) -> str | None:
    return "~named" if isinstance(value, str) else "~custom" if isinstance(value, (dict, Tiers)) else None


RefundPolicy = Annotated[
    Annotated[NamedPolicy, Tag("~named")] | Annotated[Tiers, Tag("~custom")],
    Discriminator(
        _policy_kind,
        custom_error_type="in_words",
        custom_error_message="must be flexible, moderate or strict, or an object with tiers",
    ),
]


class RegisterProvider(BookingCommand, key="provider_id"):
    """Registers a provider, or edits one, for later bookings."""

    provider_id: Id
    name: Name
    email: Email
    timezone: Zone
    payout_account: Annotated[str, StringConstraints(pattern=texts.PAYOUT_ACCOUNT)] | None = None
    refund_policy: RefundPolicy


class DefineOffering(BookingCommand, key="provider_id"):
    """Defines what is offered, or edits it for later bookings; price is per seat, price × capacity at most 10^12.

    A price in a currency with three decimals (BHD, JOD, KWD, OMR, TND) is a multiple of ten minor units.
    """

    offering_id: Id
    provider_id: Id
    title: Name
    duration_minutes: Annotated[int, Field(ge=1, le=7 * 24 * 60)]
    price: Price
    capacity: Seats
    approval: bool
    commission_bps: Annotated[int, Field(ge=0, le=10_000)] = 0
    buffer_before_minutes: Minutes = 0
    buffer_after_minutes: Minutes = 0
    minimum_notice_minutes: Minutes = 0
    horizon_days: Annotated[int, Field(ge=1, le=3650)] = 365
    change_deadline_minutes: Minutes = 60
    no_refund_minutes: Minutes = 120
    hold_minutes: Annotated[int, Field(ge=1, le=24 * 60)] = 15
    approval_hours: Hours = 24
    payment_hours: Hours = 24
    dispute_window_hours: Hours = 48
    auto_complete_hours: Hours = 2
    waitlist: bool = True
    offer_minutes: Annotated[int, Field(ge=1, le=7 * 24 * 60)] = 60
    slot_step_minutes: Annotated[int, Field(ge=1, le=24 * 60)] | None = None
    attendee_required: bool = False
    once_per_customer: bool = False
    """Refuses a second living booking of the same attendee (without one, of the customer) on a slot."""
    reminder_minutes: ReminderMinutes = REMINDER_MINUTES
    """How long before a session its people are reminded of it; none for never."""

    @model_validator(mode="after")
    def _seats_can_be_paid(self) -> Self:
        if self.price.amount * self.capacity > MAX_AMOUNT_MINOR:
            raise refusal(type(self), ("price",), f"times capacity is more than {MAX_AMOUNT_MINOR} minor units")
        if self.price.amount % (step := card_step_minor(self.price.currency)):
            problem = f"must be a multiple of {step} minor units: cards are charged {self.price.currency} in such steps"
            raise refusal(type(self), ("price", "amount"), problem)
        return self


class _Hours(Value):
    @field_validator("to", check_fields=False)
    @classmethod
    def _after_from(cls, to: str | None, info: ValidationInfo) -> str | None:
        start = info.data.get("from_")
        if to is not None and start is not None and to <= start:
            raise ValueError("must be later than from")
        return to


class WeeklyHours(_Hours):
    """Hours on one weekday (1 Monday … 7 Sunday), wall clock of the provider; `to` may be 24:00."""

    weekday: Annotated[int, Field(ge=1, le=7)]
    from_: WallTime = Field(alias="from")
    to: WallTimeTo24


class DatedException(_Hours):
    """One date: closed (its weekly hours do not count), or extra hours."""

    date: Day
    closed: bool | None = None
    from_: WallTime | None = Field(default=None, alias="from")
    to: WallTimeTo24 | None = None

    @field_validator("closed")
    @classmethod
    def _closed_is_true(cls, closed: bool | None) -> bool | None:
        if closed is False:
            raise ValueError("must be true or left out")
        return closed

    @model_validator(mode="after")
    def _closed_or_hours(self) -> Self:
        if self.closed and (self.from_ is not None or self.to is not None):
            raise refusal(type(self), ("closed",), "must be left out of a date with hours")
        if not self.closed and self.from_ is None and self.to is None:
            raise refusal(type(self), (), "must name a date and either closed or from and to")
        if not self.closed and (self.from_ is None or self.to is None):
            raise refusal(type(self), ("from" if self.from_ is None else "to",), "is missing")
        return self


class SetSchedule(BookingCommand, key="provider_id"):
    """Replaces a provider's whole schedule."""

    provider_id: Id
    weekly: Annotated[tuple[WeeklyHours, ...], Field(strict=False, max_length=200)] = ()
    exceptions: Annotated[tuple[DatedException, ...], Field(strict=False, max_length=2000)] = ()


class OpenSlot(BookingCommand, key="provider_id"):
    """Opens a one-off slot, or reopens a closed one. The key is the id of the offering's provider."""

    offering_id: Id
    starts_at: Instant
    capacity: Seats | None = None


class CloseSlot(BookingCommand, key="provider_id"):
    """Closes a slot; its bookings are cancelled as by the provider. The key is the id of its provider."""

    offering_id: Id
    starts_at: Instant


# ── Events ─────────────────────────────────────────────────────────────────────────────────────────


class CatalogueEvent(Event, domain="catalogue", topic="catalogue.events", key="provider_id"):
    """A fact about what a provider offers."""

    provider_id: Id


class ProviderRegistered(CatalogueEvent):
    name: str
    email: str
    timezone: str
    payout_account: str | None = None
    refund_policy: NamedPolicy | Tiers


class OfferingDefined(CatalogueEvent):
    offering_id: Id
    title: str
    duration_minutes: int
    price: Money
    capacity: int
    approval: bool
    commission_bps: int
    waitlist: bool
    once_per_customer: bool = False


class ScheduleSet(CatalogueEvent):
    weekly: tuple[WeeklyHours, ...]
    exceptions: tuple[DatedException, ...]


class SlotOpened(CatalogueEvent):
    offering_id: Id
    starts_at: EventInstant
    ends_at: EventInstant
    capacity: int


class SlotClosed(CatalogueEvent):
    offering_id: Id
    starts_at: EventInstant
    ends_at: EventInstant
