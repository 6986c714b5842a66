"""Value types that messages share: money, instants, actors, people."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from booking_contracts import texts
from booking_contracts.currencies import ISO_4217
from booking_contracts.texts import DATE, INSTANT

MAX_AMOUNT_MINOR = 10**12
"""Largest amount a message may carry, in minor units; far below what a bigint holds."""
FIRST_YEAR, LAST_YEAR = 2000, 2199
"""The years that a command may name. Durations, buffers, notice and horizon are bounded too, so that no sum of them
with such an instant leaves what datetime and timestamptz hold; a float keeps every microsecond of it."""
_DERIVED_YEARS = 10
_MOST_STORED = 2**31 - 1


class Value(BaseModel):
    """An immutable value in a message: no unknown field, no coercion between JSON types."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, populate_by_name=True)


class Fact(BaseModel):
    """A value in an event: consumers ignore fields they do not know (contract.md, A message)."""

    model_config = ConfigDict(extra="ignore", frozen=True, populate_by_name=True)


def refusal(model: type[BaseModel], path: tuple[int | str, ...], problem: str) -> ValidationError:
    """What pydantic raises for a field, for a rule that looks at more than this field."""
    fault = InitErrorDetails(type=PydanticCustomError("value_error", problem), loc=path, input=None)
    return ValidationError.from_exception_data(model.__name__, [fault])


def problem_of(error: ValueError) -> str:
    """What is wrong, for a log: without the values of the body, which may be somebody's name."""
    if not isinstance(error, ValidationError):
        return str(error)
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    return f"{'.'.join(map(str, first['loc'])) or 'body'}: {first['msg']}"


_RFC_3339_UTC = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)", re.ASCII)
_RFC_3339_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


def _rfc_3339(value: object) -> object:
    """Refuses what pydantic would also read as an instant: numbers, numbers in strings, other spellings of a date."""
    if isinstance(value, datetime) or (isinstance(value, str) and _RFC_3339_UTC.fullmatch(value)):
        return value
    raise ValueError(INSTANT)


def _utc(value: datetime) -> datetime:
    if value.utcoffset() != timedelta(0):
        raise ValueError(INSTANT)
    return value.astimezone(UTC)


def _of_years(first: int, last: int) -> Callable[[datetime], datetime]:
    def check(value: datetime) -> datetime:
        if not first <= value.year <= last:
            raise ValueError(f"must lie in the years {first} to {last}")
        return value

    return check


def _full_date(value: object) -> object:
    """Refuses what pydantic would also read as a date: numbers, seconds since 1970 in a string."""
    if isinstance(value, date) or (isinstance(value, str) and _RFC_3339_DATE.fullmatch(value)):
        return value
    raise ValueError(DATE)


def _date_of_years(value: date) -> date:
    if not FIRST_YEAR <= value.year <= LAST_YEAR:
        raise ValueError(f"must lie in the years {FIRST_YEAR} to {LAST_YEAR}")
    return value


def _storable(value: int) -> int:
    if abs(value) > _MOST_STORED:
        raise ValueError(f"must lie between -{_MOST_STORED} and {_MOST_STORED}")
    return value


def _iso_4217(value: str) -> str:
    if value not in ISO_4217:
        raise ValueError("must be an ISO 4217 currency code, e.g. EUR")
    return value


_Utc = Annotated[datetime, Field(strict=False), BeforeValidator(_rfc_3339), AfterValidator(_utc)]
Instant = Annotated[_Utc, AfterValidator(_of_years(FIRST_YEAR, LAST_YEAR))]
"""What a command may name: the years 2000 to 2199."""
EventInstant = Annotated[_Utc, AfterValidator(_of_years(FIRST_YEAR - _DERIVED_YEARS, LAST_YEAR + _DERIVED_YEARS))]
"""What an event tells: computed from a command's instants (ends, deadlines), so that its years go further."""
Day = Annotated[date, Field(strict=False), BeforeValidator(_full_date), AfterValidator(_date_of_years)]
"""A date on the wall calendar, in the years of an Instant."""
ToldAttempt = Annotated[int, AfterValidator(_storable)]
Attempt = Annotated[int, Field(ge=1), AfterValidator(_storable)]
"""The number of a try to pay. Its upper bound is not in the JSON Schema: it refuses nothing that was ever stored."""
Id = UUID
OpaqueId = Annotated[str, StringConstraints(pattern=texts.OPAQUE_ID)]
Name = Annotated[
    str, StringConstraints(min_length=1, max_length=200, pattern=texts.ONE_LINE), AfterValidator(texts.read_as("text"))
]
Email = Annotated[
    str, StringConstraints(min_length=3, max_length=254, pattern=texts.ONE_LINE), AfterValidator(texts.read_as("email"))
]
Token = Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=texts.ONE_LINE)]
Phone = Annotated[Token, AfterValidator(texts.read_as("phone"))]
LanguageTag = Annotated[Token, AfterValidator(texts.read_as("locale"))]
Zone = Annotated[Token, AfterValidator(texts.read_as("timezone"))]
Prose = Annotated[
    str, StringConstraints(min_length=1, max_length=2000, pattern=texts.LINES), AfterValidator(texts.read_as("text"))
]
PaymentMethod = Annotated[str, StringConstraints(pattern=texts.PAYMENT_METHOD)]
Currency = Annotated[str, AfterValidator(_iso_4217)]
Minutes = Annotated[int, Field(ge=0, le=366 * 24 * 60)]
REMINDER_MINUTES = (24 * 60, 60)
"""How long before a session its people are reminded, where an offering does not say it otherwise."""
Seats = Annotated[int, Field(ge=1, le=100_000)]


class Money(Value):
    """An amount in minor units (cents) of an ISO 4217 currency; never negative."""

    amount: Annotated[int, Field(ge=0, le=MAX_AMOUNT_MINOR)]
    currency: Currency


class Price(Money):
    """Money of at least one minor unit: nothing is free."""

    amount: Annotated[int, Field(ge=1, le=MAX_AMOUNT_MINOR)]


class Actor(Value):
    """Who caused something. The publishing service vouches for customers and providers."""

    kind: Literal["customer", "provider", "admin", "system"]
    id: OpaqueId


SYSTEM = Actor(kind="system", id="system")


class Customer(Value):
    """The payer, and how to reach them: phone in E.164, locale as BCP 47, timezone as IANA name."""

    id: OpaqueId
    name: Name
    email: Email
    phone: Phone | None = None
    locale: LanguageTag | None = None
    timezone: Zone | None = None


class Attendee(Value):
    """Who comes, when it is not the payer (a parent's child)."""

    id: OpaqueId
    name: Name
    email: Email | None = None


class PaymentChoice(Value):
    """How a booking is paid: by card (with a Stripe payment method, or one to be named later) or wallet."""

    method: Literal["card", "wallet"]
    payment_method: PaymentMethod | None = None

    @model_validator(mode="after")
    def _wallet_has_no_card(self) -> Self:
        if self.method == "wallet" and self.payment_method is not None:
            raise ValueError("must not name a payment_method where the method is wallet")
        return self


class Period(Fact):
    """When something takes place, ends excluded."""

    starts_at: EventInstant
    ends_at: EventInstant


class Tier(Value):
    """A step of a refund policy: `percent` of the price from `hours_before` the start on (at exactly too)."""

    hours_before: Annotated[int, Field(ge=1, le=8760)]
    percent: Annotated[int, Field(ge=0, le=100)]


def _distinct_hours(tiers: tuple[Tier, ...]) -> tuple[Tier, ...]:
    if len({tier.hours_before for tier in tiers}) != len(tiers):
        raise ValueError("must each name other hours_before")
    return tiers


class Tiers(Value):
    """A custom refund policy: its steps in any order, each with other hours."""

    tiers: Annotated[
        tuple[Tier, ...], Field(strict=False, min_length=1, max_length=50), AfterValidator(_distinct_hours)
    ]
