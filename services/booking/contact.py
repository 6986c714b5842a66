"""Contacts are checked and normalised by libraries (requirement customer-contact); wrong ones name their field."""

from __future__ import annotations

import re
import zoneinfo
from functools import cache, lru_cache

import phonenumbers
from babel.core import Locale, UnknownLocaleError
from booking_contracts.booking import JoinWaitlist, PlaceBooking, RegisterProvider
from email_validator import EmailNotValidError, validate_email

from services.chassis.handlers import FieldProblem

PLAIN_LOCAL_PART = re.compile(r"[A-Za-z0-9_+-]+(?:\.[A-Za-z0-9_+-]+)*", re.ASCII)


def check_place(command: PlaceBooking | JoinWaitlist) -> None:
    """Customer and attendee of a booking."""
    customer = command.customer
    check_email("customer.email", customer.email)
    if customer.phone is not None:
        _check_phone("customer.phone", customer.phone)
    if customer.locale is not None:
        _check_locale("customer.locale", customer.locale)
    if customer.timezone is not None:
        check_zone("customer.timezone", customer.timezone)
    attendee = getattr(command, "attendee", None)
    if attendee is not None and attendee.email is not None:
        check_email("attendee.email", attendee.email)


def check_provider(command: RegisterProvider) -> None:
    """A provider's address and zone."""
    check_email("email", command.email)
    check_zone("timezone", command.timezone)


def check_email(field: str, text: str) -> None:
    """Syntax alone: whether a mailbox exists, only a mail tells. Local parts are ASCII, for mail servers' sake."""
    if (problem := _email_problem(text)) is not None:
        raise FieldProblem(field, problem)


def _email_problem(text: str) -> str | None:
    """The library sees a domain once, and every local part that is not plain (RFC 5322, dot-atom of letters, …)."""
    local, _, domain = text.partition("@")
    if len(local) <= 64 and len(text) <= 254 and PLAIN_LOCAL_PART.fullmatch(local) and _problem(f"a@{domain}") is None:
        return None
    return _problem(text)


@lru_cache(10_000)
def _problem(text: str) -> str | None:
    try:
        validate_email(text, check_deliverability=False, allow_smtputf8=False, test_environment=True)
    except EmailNotValidError as error:
        return str(error)
    return None


def _check_phone(field: str, text: str) -> None:
    if (problem := _phone_problem(text)) is not None:
        raise FieldProblem(field, problem)


@lru_cache(10_000)
def _phone_problem(text: str) -> str | None:
    try:
        number = phonenumbers.parse(text, None)
    except phonenumbers.NumberParseException:
        return "must be a phone number in E.164, e.g. +4930123456"
    if phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164) != text.replace(" ", ""):
        return "must be a phone number in E.164, e.g. +4930123456"
    return None if phonenumbers.is_possible_number(number) else "is no possible phone number"


def _check_locale(field: str, text: str) -> None:
    if not _is_locale(text):
        raise FieldProblem(field, "must be a language tag (BCP 47), e.g. de-DE")


@lru_cache(1_000)
def _is_locale(text: str) -> bool:
    try:
        Locale.parse(text.replace("-", "_"))
    except (UnknownLocaleError, ValueError):
        return False
    return True


@cache
def _zones() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())


def check_zone(field: str, text: str) -> None:
    """An IANA zone name."""
    if text not in _zones():
        raise FieldProblem(field, "must be an IANA time zone, e.g. Europe/Berlin")
