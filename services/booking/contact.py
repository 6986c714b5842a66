"""Contacts are checked and normalised by libraries (requirement customer-contact); wrong ones name their field."""

from __future__ import annotations

import zoneinfo
from functools import cache
from typing import TypeVar

import phonenumbers
from babel.core import Locale, UnknownLocaleError
from booking_contracts.booking import JoinWaitlist, PlaceBooking, RegisterProvider
from email_validator import EmailNotValidError, validate_email

from services.chassis.handlers import FieldProblem

PlacingT = TypeVar("PlacingT", PlaceBooking, JoinWaitlist)


def normal_place(command: PlacingT) -> PlacingT:
    """The command with customer and attendee as they are stored: domain in lower case, phone in E.164."""
    customer = command.customer
    changes = {"email": normal_email("customer.email", customer.email)}
    if customer.phone is not None:
        changes["phone"] = _normal_phone("customer.phone", customer.phone)
    if customer.locale is not None:
        _check_locale("customer.locale", customer.locale)
    if customer.timezone is not None:
        check_zone("customer.timezone", customer.timezone)
    found: dict[str, object] = {"customer": customer.model_copy(update=changes)}
    attendee = getattr(command, "attendee", None)
    if attendee is not None and attendee.email is not None:
        email = normal_email("attendee.email", attendee.email)
        found["attendee"] = attendee.model_copy(update={"email": email})
    return command.model_copy(update=found)


def normal_provider(command: RegisterProvider) -> RegisterProvider:
    """The command with the provider's address as it is stored; its zone exists."""
    check_zone("timezone", command.timezone)
    return command.model_copy(update={"email": normal_email("email", command.email)})


def normal_email(field: str, text: str) -> str:
    """Syntax alone: whether a mailbox exists, only a mail tells. Local parts are ASCII, for mail servers' sake."""
    try:
        found = validate_email(text, check_deliverability=False, allow_smtputf8=False, test_environment=True)
    except EmailNotValidError as error:
        raise FieldProblem(field, str(error)) from None
    return found.normalized


def _normal_phone(field: str, text: str) -> str:
    try:
        number = phonenumbers.parse(text, None)
    except phonenumbers.NumberParseException:
        raise FieldProblem(field, "must be a phone number in E.164, e.g. +4930123456") from None
    normal = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    if normal != text.replace(" ", ""):
        raise FieldProblem(field, "must be a phone number in E.164, e.g. +4930123456")
    if not phonenumbers.is_possible_number(number):
        raise FieldProblem(field, "is no possible phone number")
    return normal


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
