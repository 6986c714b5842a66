"""Contacts are checked and normalised by libraries (requirement customer-contact); wrong ones name their field."""

from __future__ import annotations

import zoneinfo
from functools import cache

import phonenumbers
from babel.core import Locale, UnknownLocaleError
from booking_contracts.booking import JoinWaitlist, PlaceBooking, RegisterProvider
from email_validator import EmailNotValidError, validate_email

from services.chassis.handlers import FieldProblem


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
    try:
        validate_email(text, check_deliverability=False, allow_smtputf8=False, test_environment=True)
    except EmailNotValidError as error:
        raise FieldProblem(field, str(error)) from None


def _check_phone(field: str, text: str) -> None:
    try:
        number = phonenumbers.parse(text, None)
    except phonenumbers.NumberParseException:
        raise FieldProblem(field, "must be a phone number in E.164, e.g. +4930123456") from None
    if phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164) != text.replace(" ", ""):
        raise FieldProblem(field, "must be a phone number in E.164, e.g. +4930123456")
    if not phonenumbers.is_possible_number(number):
        raise FieldProblem(field, "is no possible phone number")


def _check_locale(field: str, text: str) -> None:
    try:
        Locale.parse(text.replace("-", "_"))
    except (UnknownLocaleError, ValueError):
        raise FieldProblem(field, "must be a language tag (BCP 47), e.g. de-DE") from None


@cache
def _zones() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())


def check_zone(field: str, text: str) -> None:
    """An IANA zone name."""
    if text not in _zones():
        raise FieldProblem(field, "must be an IANA time zone, e.g. Europe/Berlin")
