"""Messages of the booking service: commands, replies, events (contract.md)."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, JsonValue, StringConstraints, Tag, ValidationInfo, field_validator

from booking_contracts.codes import Code
from booking_contracts.envelope import Command, Event
from booking_contracts.types import (
    Actor,
    Attendee,
    Customer,
    Email,
    Id,
    Instant,
    Minutes,
    Money,
    Name,
    PaymentChoice,
    Period,
    Price,
    Prose,
    Seats,
    Tiers,
    Token,
    Value,
)

Hours = Annotated[int, Field(ge=1, le=24 * 366)]
WallTime = Annotated[str, StringConstraints(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
WallTimeTo24 = Annotated[str, StringConstraints(pattern=r"^(([01]\d|2[0-3]):[0-5]\d|24:00)$")]
NamedPolicy = Literal["flexible", "moderate", "strict"]


def _policy_kind(value: Any) -> str:
    return "~named" if isinstance(value, str) else "~custom"


RefundPolicy = Annotated[
    Annotated[NamedPolicy, Tag("~named")] | Annotated[Tiers, Tag("~custom")], Discriminator(_policy_kind)
]


class BookingCommand(Command, domain="booking", topic="booking.commands", key="booking_id"):
    """A command to booking; with an admin actor it belongs on `booking.admin-commands`."""

    actor: Actor


# ── Catalogue and slots ────────────────────────────────────────────────────────────────────────────


class RegisterProvider(BookingCommand, key="provider_id"):
    """Registers a provider, or edits one, for later bookings."""

    provider_id: Id
    name: Name
    email: Email
    timezone: Token
    payout_account: Annotated[str, StringConstraints(pattern=r"^acct_[A-Za-z0-9_]{1,100}$")] | None = None
    refund_policy: RefundPolicy


class DefineOffering(BookingCommand, key="provider_id"):
    """Defines what is offered, or edits it for later bookings; price is per seat."""

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


class _Hours(Value):
    @field_validator("to", check_fields=False)
    @classmethod
    def _after_from(cls, to: str | None, info: ValidationInfo) -> str | None:
        start = info.data.get("from_")
        if to is not None and start is not None and to <= start:
            raise ValueError("must be after from")
        return to


class WeeklyHours(_Hours):
    """Hours on one weekday (1 Monday … 7 Sunday), wall clock of the provider; `to` may be 24:00."""

    weekday: Annotated[int, Field(ge=1, le=7)]
    from_: WallTime = Field(alias="from")
    to: WallTimeTo24


class DatedException(_Hours):
    """One date: closed (its weekly hours do not count), or extra hours."""

    date: date
    closed: bool | None = None
    from_: WallTime | None = Field(default=None, alias="from")
    to: WallTimeTo24 | None = None

    @field_validator("closed")
    @classmethod
    def _closed_is_true(cls, closed: bool | None) -> bool | None:
        if closed is False:
            raise ValueError("is true or left out")
        return closed


class SetSchedule(BookingCommand, key="provider_id"):
    """Replaces a provider's whole schedule."""

    provider_id: Id
    weekly: Annotated[tuple[WeeklyHours, ...], Field(strict=False, max_length=200)] = ()
    exceptions: Annotated[tuple[DatedException, ...], Field(strict=False, max_length=2000)] = ()

    @field_validator("exceptions")
    @classmethod
    def _closed_or_hours(cls, found: tuple[DatedException, ...]) -> tuple[DatedException, ...]:
        for exception in found:
            hours = exception.from_ is not None and exception.to is not None
            half = (exception.from_ is None) != (exception.to is None)
            if half or hours == bool(exception.closed):
                raise ValueError("each is {date, closed} or {date, from, to}")
        return found


class OpenSlot(BookingCommand, key="provider_id"):
    """Opens a one-off slot, or reopens a closed one. The key is the id of the offering's provider."""

    offering_id: Id
    starts_at: Instant
    capacity: Seats | None = None


class CloseSlot(BookingCommand, key="provider_id"):
    """Closes a slot; its bookings are cancelled as by the provider. The key is the id of its provider."""

    offering_id: Id
    starts_at: Instant


# ── Bookings ───────────────────────────────────────────────────────────────────────────────────────


class PlaceBooking(BookingCommand):
    """Holds seats; price and availability come from booking's own tables."""

    booking_id: Id
    offering_id: Id
    starts_at: Instant
    seats: Seats = 1
    customer: Customer
    attendee: Attendee | None = None
    payment: PaymentChoice | None = None
    expected_price: Money | None = None

    @field_validator("payment")
    @classmethod
    def _wallet_has_no_card(cls, payment: PaymentChoice | None) -> PaymentChoice | None:
        return _checked_choice(payment)


def _checked_choice(payment: PaymentChoice | None) -> PaymentChoice | None:
    if payment and payment.method == "wallet" and payment.payment_method is not None:
        raise ValueError("a wallet payment has no payment_method")
    return payment


class ApproveBooking(BookingCommand):
    booking_id: Id


class RejectBooking(BookingCommand):
    booking_id: Id
    reason: Prose | None = None


class PayBooking(BookingCommand):
    booking_id: Id
    payment: PaymentChoice

    @field_validator("payment")
    @classmethod
    def _wallet_has_no_card(cls, payment: PaymentChoice | None) -> PaymentChoice | None:
        return _checked_choice(payment)


class AbandonPayment(BookingCommand):
    booking_id: Id


class QuoteCancellation(BookingCommand):
    booking_id: Id


class CancelBooking(BookingCommand):
    booking_id: Id
    reason: Prose | None = None
    quote_id: Id | None = None


class RescheduleBooking(BookingCommand):
    booking_id: Id
    starts_at: Instant


class CompleteSession(BookingCommand):
    booking_id: Id


class ConfirmSession(BookingCommand):
    booking_id: Id


class RaiseDispute(BookingCommand):
    booking_id: Id
    reason: Prose


class ResolveDispute(BookingCommand):
    booking_id: Id
    refund: Money
    release: Money
    note: Prose


# ── Waitlist ───────────────────────────────────────────────────────────────────────────────────────


class JoinWaitlist(BookingCommand, key="entry_id"):
    entry_id: Id
    offering_id: Id
    starts_at: Instant
    seats: Seats = 1
    customer: Customer


class LeaveWaitlist(BookingCommand, key="entry_id"):
    entry_id: Id


class AcceptOffer(BookingCommand):
    entry_id: Id
    booking_id: Id
    payment: PaymentChoice | None = None

    @field_validator("payment")
    @classmethod
    def _wallet_has_no_card(cls, payment: PaymentChoice | None) -> PaymentChoice | None:
        return _checked_choice(payment)


# ── Replies ────────────────────────────────────────────────────────────────────────────────────────


class CommandAccepted(Event, domain="booking", topic="booking.replies", key="command_id"):
    """What an accepted command did; how the saga ends is told by events."""

    command_id: Id
    booking_id: Id | None = None
    state: str | None = None
    result: dict[str, JsonValue] = Field(default_factory=dict)


class CommandRejected(Event, domain="booking", topic="booking.replies", key="command_id"):
    """Why a command was refused, and what to do about it."""

    command_id: Id
    booking_id: Id | None = None
    code: Code
    message: str
    details: dict[str, JsonValue] = Field(default_factory=dict)


# ── Events ─────────────────────────────────────────────────────────────────────────────────────────


class BookingEvent(Event, domain="booking", topic="booking.events", key="booking_id"):
    """A fact about a booking, with what a consumer needs so that it never has to call back."""

    booking_id: Id
    state: str
    offering_id: Id
    offering_title: str
    provider_id: Id
    provider_name: str
    provider_email: str
    provider_timezone: str
    customer: Customer
    attendee: Attendee | None = None
    seats: int
    starts_at: Instant
    ends_at: Instant
    price: Money
    deadline: Instant | None = None


class BookingRequested(BookingEvent):
    """Approval is asked; the seats are held until `deadline`."""


class BookingPlaced(BookingEvent):
    """The seats are held until `deadline`; payment starts, or PayBooking is awaited."""


class BookingApproved(BookingEvent):
    """The provider approved; payment is due by `deadline`."""


class BookingRejected(BookingEvent):
    reason: str | None = None


class PaymentRequested(BookingEvent):
    """A try to pay failed and the booking can be paid again until `deadline`."""

    attempt: int
    last_error: str | None = None


class PaymentActionRequired(BookingEvent):
    """The customer has to act; the client secret is read over HTTP."""

    kind: Literal["authenticate", "payment_method"]
    payment_id: Id
    attempt: int


class BookingConfirmed(BookingEvent):
    payment_id: Id


class PaymentFailed(BookingEvent):
    """The booking ended unpaid and its seats are free again."""

    reason: Literal["declined", "INSUFFICIENT_FUNDS", "abandoned", "superseded", "action_failed", "capture_failed"]
    customer_message: str


class BookingExpired(BookingEvent):
    reason: Literal["approval", "payment"]


class BookingCancelled(BookingEvent):
    by: Actor
    reason: str | None = None
    refund: Money
    kept: Money


class BookingRescheduled(BookingEvent):
    by: Actor
    from_: Period = Field(alias="from")
    to: Period


class SessionCompleted(BookingEvent):
    """The session is over; the customer can confirm or dispute until `deadline`."""

    by: Actor


class BookingCompleted(BookingEvent):
    """The money is released to the provider."""

    release: Money


class DisputeRaised(BookingEvent):
    by: Actor
    reason: str


class DisputeResolved(BookingEvent):
    refund: Money
    release: Money
    note: str


class LatePaymentReturned(BookingEvent):
    """Money that arrived after the booking had ended goes back to the customer."""

    amount: Money


class SagaStuck(BookingEvent):
    """Nothing automatic helps any more: an operator has to look (`bookingctl saga show`)."""

    step: str
    problem: str


class WaitlistEvent(Event, domain="booking", topic="booking.events", key="entry_id"):
    """A fact about a waitlist entry."""

    entry_id: Id
    state: str
    offering_id: Id
    offering_title: str
    provider_id: Id
    provider_name: str
    customer: Customer
    seats: int
    starts_at: Instant
    ends_at: Instant


class WaitlistJoined(WaitlistEvent):
    position: int


class WaitlistOffered(WaitlistEvent):
    deadline: Instant


class WaitlistOfferExpired(WaitlistEvent):
    pass


class WaitlistAccepted(WaitlistEvent):
    booking_id: Id


class WaitlistLeft(WaitlistEvent):
    pass


class WaitlistClosed(WaitlistEvent):
    pass


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


class ScheduleSet(CatalogueEvent):
    weekly: tuple[WeeklyHours, ...]
    exceptions: tuple[DatedException, ...]


class SlotOpened(CatalogueEvent):
    offering_id: Id
    starts_at: Instant
    ends_at: Instant
    capacity: int


class SlotClosed(CatalogueEvent):
    offering_id: Id
    starts_at: Instant
    ends_at: Instant


COMMANDS: tuple[type[BookingCommand], ...] = (
    RegisterProvider,
    DefineOffering,
    SetSchedule,
    OpenSlot,
    CloseSlot,
    PlaceBooking,
    ApproveBooking,
    RejectBooking,
    PayBooking,
    AbandonPayment,
    QuoteCancellation,
    CancelBooking,
    RescheduleBooking,
    CompleteSession,
    ConfirmSession,
    RaiseDispute,
    ResolveDispute,
    JoinWaitlist,
    LeaveWaitlist,
    AcceptOffer,
)
REPLIES: tuple[type[Event], ...] = (CommandAccepted, CommandRejected)
EVENTS: tuple[type[Event], ...] = (
    BookingRequested,
    BookingPlaced,
    BookingApproved,
    BookingRejected,
    PaymentRequested,
    PaymentActionRequired,
    BookingConfirmed,
    PaymentFailed,
    BookingExpired,
    BookingCancelled,
    BookingRescheduled,
    SessionCompleted,
    BookingCompleted,
    DisputeRaised,
    DisputeResolved,
    LatePaymentReturned,
    SagaStuck,
    WaitlistJoined,
    WaitlistOffered,
    WaitlistOfferExpired,
    WaitlistAccepted,
    WaitlistLeft,
    WaitlistClosed,
)
CATALOGUE_EVENTS: tuple[type[CatalogueEvent], ...] = (
    ProviderRegistered,
    OfferingDefined,
    ScheduleSet,
    SlotOpened,
    SlotClosed,
)
