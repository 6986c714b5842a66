"""Rows of booking's tables to its model, and the JSON columns back."""

from __future__ import annotations

import dataclasses
import json
from datetime import date
from functools import lru_cache

import asyncpg
from booking_contracts.types import Actor, Attendee, Customer, Money, PaymentChoice, Tier

from services.booking.model.booking import Booking, PaymentStatus, Terms
from services.booking.model.catalogue import Offering, Provider
from services.booking.model.quotes import Quote
from services.booking.model.schedule import Hours, Schedule
from services.booking.model.slots import Slot
from services.booking.model.states import State
from services.booking.model.waitlist import Entry, EntryState
from services.booking.saga import Saga, Status, Step

Row = asyncpg.Record


def provider(row: Row) -> Provider:
    return Provider(**{**row, "tiers": _tiers(json.loads(row["tiers"]))})


def offering(row: Row) -> Offering:
    definition = json.loads(row["definition"])
    return Offering(
        offering_id=row["offering_id"],
        provider_id=row["provider_id"],
        **{**definition, "price": Money(**definition["price"])},
    )


def slot(row: Row) -> Slot:
    return Slot(
        slot_id=row["slot_id"],
        offering_id=row["offering_id"],
        provider_id=row["provider_id"],
        starts_at=row["starts_at"],
        ends_at=row["ends_at"],
        busy_from=row["busy"].lower,
        busy_until=row["busy"].upper,
        capacity=row["capacity"],
        taken=row["taken"],
        opened=row["opened"],
        closed=row["closed"],
    )


def booking(row: Row, contact: Row) -> Booking:
    attendee = contact["attendee"]
    return Booking(
        booking_id=row["booking_id"],
        state=State(row["state"]),
        offering_id=row["offering_id"],
        provider_id=row["provider_id"],
        slot_id=row["slot_id"],
        starts_at=row["starts_at"],
        ends_at=row["ends_at"],
        seats=row["seats"],
        customer=Customer.model_validate_json(contact["customer"]),
        attendee=Attendee.model_validate_json(attendee) if attendee else None,
        price=Money(amount=row["price_minor"], currency=row["currency"]),
        commission_bps=row["commission_bps"],
        approval=row["approval"],
        terms=_terms(row["terms"]),
        payment_id=row["payment_id"],
        created_at=row["created_at"],
        deadline=row["deadline"],
        payment=PaymentChoice.model_validate_json(row["payment"]) if row["payment"] else None,
        attempt=row["attempt"],
        payment_status=PaymentStatus(row["payment_status"]),
        settlement_id=row["settlement_id"],
        refund_cap_percent=row["refund_cap_percent"],
        full_refund=row["full_refund"],
        sequence=row["sequence"],
        history_number=row["history_number"],
    )


def saga(row: Row) -> Saga:
    return Saga(**{**row, "step": Step(row["step"]), "status": Status(row["status"])})


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
    return Quote(
        quote_id=row["quote_id"],
        booking_id=row["booking_id"],
        actor=Actor(kind=row["actor_kind"], id=row["actor_id"]),
        refund=Money(amount=row["refund_minor"], currency=row["currency"]),
        kept=Money(amount=row["kept_minor"], currency=row["currency"]),
        policy_version=row["policy_version"],
        valid_until=row["valid_until"],
        dead=row["dead"],
    )


def entry(row: Row, customer: str) -> Entry:
    fields = {name: value for name, value in row.items() if name != "customer_id"}
    known = Customer.model_validate_json(customer)
    return Entry(**{**fields, "state": EntryState(row["state"]), "customer": known})


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


def _tiers(found: list[dict[str, int]]) -> tuple[Tier, ...]:
    return tuple(Tier(**tier) for tier in found)


@lru_cache(1_000)
def _terms(text: str) -> Terms:
    """Bookings of one offering share their terms."""
    found = json.loads(text)
    return Terms(**{**found, "tiers": _tiers(found["tiers"])})
