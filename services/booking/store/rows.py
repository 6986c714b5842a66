"""Rows of booking's tables to its model, and the JSON columns back."""

from __future__ import annotations

import dataclasses
import json
from datetime import date
from functools import lru_cache

from booking_contracts.types import Attendee, Customer, PaymentChoice, Tier

from services.booking.model.booking import Booking
from services.booking.model.catalogue import Offering, Provider
from services.booking.model.people import Party
from services.booking.model.quotes import Quote
from services.booking.model.schedule import Hours, Schedule
from services.booking.model.slots import Slot
from services.booking.model.terms import Terms
from services.booking.model.waitlist import Entry
from services.booking.saga import Saga
from services.chassis.statements import Row
from services.chassis.stored import Stored

_PROVIDER = Stored(Provider, "provider")
_OFFERING = Stored(Offering, "offering.definition")
_SLOT = Stored(Slot, "slot")
_BOOKING = Stored(Booking, "booking")
_CUSTOMER = Stored(Customer, "booking_contact.customer")
_ATTENDEE = Stored(Attendee, "booking_contact.attendee")
_TERMS = Stored(Terms, "booking.terms")
_PAYMENT = Stored(PaymentChoice, "booking.payment")
_SAGA = Stored(Saga, "saga")
_QUOTE = Stored(Quote, "cancellation_quote")
_ENTRY = Stored(Entry, "waitlist_entry")
_WAITING = Stored(Customer, "waitlist_contact.customer")
_TO_COME = Stored(Attendee, "waitlist_contact.attendee")


def provider(row: Row) -> Provider:
    return _PROVIDER.row({**row, "tiers": json.loads(row["tiers"])})


def offering(row: Row) -> Offering:
    ids = {"offering_id": row["offering_id"], "provider_id": row["provider_id"]}
    return _OFFERING.value({**json.loads(row["definition"]), **ids})


def slot(row: Row) -> Slot:
    return _SLOT.row(row)


def booking(row: Row, contact: Row) -> Booking:
    attendee = contact["attendee"]
    parts = {
        "customer": _CUSTOMER.json(contact["customer"]),
        "attendee": _ATTENDEE.json(attendee) if attendee else None,
        "price": _money(row, "price_minor"),
        "terms": _terms(row["terms"]),
        "payment": _PAYMENT.json(row["payment"]) if row["payment"] else None,
    }
    return _BOOKING.row({**row, **parts})


def saga(row: Row) -> Saga:
    return _SAGA.row(row)


def schedule(row: Row) -> Schedule:
    return Schedule(
        provider_id=row["provider_id"],
        weekly=tuple((weekday, Hours(since, until)) for weekday, since, until in json.loads(row["weekly"])),
        dated=tuple((date.fromisoformat(day), Hours(since, until)) for day, since, until in json.loads(row["dated"])),
        closed=frozenset(date.fromisoformat(day) for day in json.loads(row["closed"])),
    )


def weekly_json(schedule: Schedule) -> str:
    return json.dumps([(weekday, hours.since, hours.until) for weekday, hours in schedule.weekly])


def dated_json(schedule: Schedule) -> str:
    return json.dumps([(day.isoformat(), hours.since, hours.until) for day, hours in schedule.dated])


def closed_json(schedule: Schedule) -> str:
    return json.dumps(sorted(day.isoformat() for day in schedule.closed))


def quote(row: Row) -> Quote:
    parts = {
        "actor": {"kind": row["actor_kind"], "id": row["actor_id"]},
        "refund": _money(row, "refund_minor"),
        "kept": _money(row, "kept_minor"),
    }
    return _QUOTE.row({**row, **parts})


def entry(row: Row, contact: Row) -> Entry:
    waiting = party(contact)
    return _ENTRY.row({**row, "customer": waiting.customer, "attendee": waiting.attendee})


def party(contact: Row) -> Party:
    """Who waits, from a row of waitlist_contact."""
    attendee = contact["attendee"]
    return Party(_WAITING.json(contact["customer"]), _TO_COME.json(attendee) if attendee else None)


def definition_json(offering: Offering) -> str:
    fields = {
        field.name: getattr(offering, field.name)
        for field in dataclasses.fields(offering)
        if field.name not in {"offering_id", "provider_id", "price"}
    }
    return json.dumps({**fields, "price": offering.price.model_dump()})


@lru_cache(1_000)
def terms_json(terms: Terms) -> str:
    fields = {field.name: getattr(terms, field.name) for field in dataclasses.fields(terms)}
    return json.dumps({**fields, "tiers": json.loads(tiers_json(terms.tiers))})


def tiers_json(tiers: tuple[Tier, ...]) -> str:
    return json.dumps([tier.model_dump() for tier in tiers])


def _money(row: Row, column: str) -> dict[str, object]:
    return {"amount": row[column], "currency": row["currency"]}


@lru_cache(1_000)
def _terms(text: str) -> Terms:
    """Bookings of one offering share their terms."""
    return _TERMS.json(text)
