"""Contacts are checked and normalised by libraries (requirement customer-contact); wrong ones name their field."""

from __future__ import annotations

import re
import zoneinfo
from functools import cache, lru_cache
from typing import TypeVar

import phonenumbers
from babel.core import Locale, UnknownLocaleError
from booking_contracts.booking import AcceptOffer, JoinWaitlist, PlaceBooking, RegisterProvider
from booking_contracts.types import Attendee
from email_validator import EmailNotValidError, validate_email

from services.chassis.handlers import FieldProblem

PlacingT = TypeVar("PlacingT", PlaceBooking, JoinWaitlist)
PLAIN_LOCAL_PART = re.compile(r"[A-Za-z0-9_+-]+(?:\.[A-Za-z0-9_+-]+)*", re.ASCII)


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
    return command.model_copy(update=found | _attendee(command.attendee))


def normal_accept(command: AcceptOffer) -> AcceptOffer:
    """The command with its attendee as they are stored."""
    return command.model_copy(update=_attendee(command.attendee))


def _attendee(attendee: Attendee | None) -> dict[str, object]:
    if attendee is None or attendee.email is None:
        return {}
    return {"attendee": attendee.model_copy(update={"email": normal_email("attendee.email", attendee.email)})}


def normal_provider(command: RegisterProvider) -> RegisterProvider:
    """The command with the provider's address as it is stored; its zone exists."""
    check_zone("timezone", command.timezone)
    return command.model_copy(update={"email": normal_email("email", command.email)})


def normal_email(field: str, text: str) -> str:
    """Syntax alone: whether a mailbox exists, only a mail tells. Local parts are ASCII, for mail servers' sake.

    The library sees a domain once, and every local part that is not plain (RFC 5322, dot-atom of letters, …).
    """
    local, _, domain = text.partition("@")
    if len(local) <= 64 and len(text) <= 254 and PLAIN_LOCAL_PART.fullmatch(local):
        normal, problem = _email(f"a@{domain}")
        if problem is None:
            return f"{local}{normal[1:]}"
    normal, problem = _email(text)
    if problem is not None:
        raise FieldProblem(field, problem)
    return normal


@lru_cache(10_000)
def _email(text: str) -> tuple[str, str | None]:
    """The address as it is stored, and what is wrong with it."""
    try:
        found = validate_email(text, check_deliverability=False, allow_smtputf8=False, test_environment=True)
    except EmailNotValidError as error:
        return text, str(error)
    return found.normalized, None


def _normal_phone(field: str, text: str) -> str:
    normal, problem = _phone(text)
    if problem is not None:
        raise FieldProblem(field, problem)
    return normal


@lru_cache(10_000)
def _phone(text: str) -> tuple[str, str | None]:
    """The number in E.164, and what is wrong with it."""
    try:
        number = phonenumbers.parse(text, None)
    except phonenumbers.NumberParseException:
        return text, "must be a phone number in E.164, e.g. +4930123456"
    normal = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    if normal != text.replace(" ", ""):
        return text, "must be a phone number in E.164, e.g. +4930123456"
    return normal, None if phonenumbers.is_possible_number(number) else "is no possible phone number"


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
