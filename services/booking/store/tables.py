"""Columns of booking's tables, from which what reads them and what writes them follows (chassis/tables.py)."""

from __future__ import annotations

from asyncpg import Range

from services.booking.model.booking import Booking
from services.booking.model.catalogue import Offering, Provider
from services.booking.model.closing import Closing
from services.booking.model.quotes import Quote
from services.booking.model.schedule import Schedule
from services.booking.model.slots import Slot
from services.booking.model.waitlist import Entry
from services.booking.saga import Saga, SagaLogLine
from services.booking.store import rows
from services.booking.work import HistoryItem
from services.chassis.tables import Table

PROVIDER = Table[Provider](
    "provider",
    "provider_id uuid, name text, email text, timezone text, payout_account text, policy text, tiers jsonb, "
    "policy_version int, sequence bigint",
    {"tiers": lambda provider: rows.tiers_json(provider.tiers)},
)
SAVE_PROVIDERS = PROVIDER.upsert(
    "name", "email", "timezone", "payout_account", "policy", "tiers", "policy_version", "sequence"
)

OFFERING = Table[Offering](
    "offering", "offering_id uuid, provider_id uuid, definition jsonb", {"definition": rows.definition_json}
)
INSERT_OFFERINGS = OFFERING.insert()
UPDATE_OFFERINGS = OFFERING.update("definition")
"""Never merged: an id that another provider has taken meanwhile violates the key, and the batch is loaded again."""

SCHEDULE = Table[Schedule](
    "schedule",
    "provider_id uuid, weekly jsonb, dated jsonb, closed jsonb",
    {"weekly": rows.weekly_json, "dated": rows.dated_json, "closed": rows.closed_json},
)
SAVE_SCHEDULES = SCHEDULE.upsert("weekly", "dated", "closed")

SLOT = Table[Slot](
    "slot",
    "slot_id uuid, offering_id uuid, provider_id uuid, starts_at timestamptz, ends_at timestamptz, busy tstzrange, "
    "capacity int, opened bool, closed bool, own_capacity bool, wanted_at timestamptz, "
    "wanted_by text",
    {"busy": lambda slot: Range(slot.busy_from, slot.busy_until)},
    filled="taken, active",
    shown={"busy": "lower(busy) AS busy_from, upper(busy) AS busy_until"},
)
SAVE_SLOTS = SLOT.upsert(
    "ends_at", "busy", "capacity", "opened", "closed", "own_capacity", "wanted_at", "wanted_by", ordered=True
)
"""The database's trigger keeps how many seats are taken."""

BOOKING = Table[Booking](
    "booking",
    "booking_id uuid, state text, offering_id uuid, provider_id uuid, slot_id uuid, starts_at timestamptz, "
    "ends_at timestamptz, seats int, customer_id text, attendee_id text, price_minor bigint, currency text, "
    "commission_bps int, approval bool, terms jsonb, payment_id uuid, created_at timestamptz, deadline timestamptz, "
    "payment jsonb, attempt int, payment_status text, settlement_id uuid, refund_cap_percent int, full_refund bool, "
    "sequence bigint, history_number int, captured_minor bigint, once_per_customer bool, held_seconds bigint, "
    "payer_reading uuid, comer_reading uuid",
    {
        "customer_id": "customer.id",
        "attendee_id": lambda booking: booking.attendee and booking.attendee.id,
        "price_minor": "price.amount",
        "currency": "price.currency",
        "terms": lambda booking: rows.terms_json(booking.terms),
        "payment": lambda booking: booking.payment and booking.payment.model_dump_json(),
        "payer_reading": "party.payer.email",
        "comer_reading": "party.comer.email",
    },
)
INSERT_BOOKINGS = BOOKING.insert()
UPDATE_BOOKINGS = BOOKING.update(
    *("state", "slot_id", "starts_at", "ends_at", "deadline", "payment", "attempt", "payment_status", "settlement_id"),
    *("refund_cap_percent", "full_refund", "sequence", "history_number", "captured_minor", "once_per_customer"),
    "held_seconds",
)
CONTACT = Table[Booking](
    "booking_contact",
    "booking_id uuid, customer jsonb, attendee jsonb",
    {
        "customer": lambda booking: booking.customer.model_dump_json(),
        "attendee": lambda booking: booking.attendee and booking.attendee.model_dump_json(),
    },
)
INSERT_CONTACTS = CONTACT.insert()

ENTRY = Table[Entry](
    "waitlist_entry",
    "entry_id uuid, state text, slot_id uuid, offering_id uuid, provider_id uuid, starts_at timestamptz, "
    "ends_at timestamptz, seats int, customer_id text, offering_title text, provider_name text, place int, "
    "closes_at timestamptz, offer_minutes int, deadline timestamptz, booking_id uuid, joined_at timestamptz, "
    "sequence bigint",
    {"customer_id": "customer.id"},
)
INSERT_ENTRIES = ENTRY.insert()
UPDATE_ENTRIES = ENTRY.update("state", "ends_at", "deadline", "booking_id", "sequence")
WAITING_CONTACT = Table[Entry](
    "waitlist_contact",
    "entry_id uuid, customer jsonb, attendee jsonb",
    {
        "customer": lambda entry: entry.customer.model_dump_json(),
        "attendee": lambda entry: entry.attendee and entry.attendee.model_dump_json(),
    },
)
INSERT_WAITING_CONTACTS = WAITING_CONTACT.insert()

QUOTE = Table[Quote](
    "cancellation_quote",
    "quote_id uuid, booking_id uuid, actor_kind text, actor_id text, refund_minor bigint, kept_minor bigint, "
    "currency text, policy_version text, valid_until timestamptz, dead bool",
    {
        "actor_kind": "actor.kind",
        "actor_id": "actor.id",
        "refund_minor": "refund.amount",
        "kept_minor": "kept.amount",
        "currency": "refund.currency",
    },
)
INSERT_QUOTES = QUOTE.insert()
"""A quote is never changed; a dead one is deleted (store/save.py)."""

SAVE_CLOSINGS = Table[Closing](
    "slot_closing",
    "slot_id uuid, closed_at timestamptz, actor_kind text, actor_id text, command_id uuid, correlation_id text",
    {"actor_kind": "actor.kind", "actor_id": "actor.id"},
).insert(unless_there=True)

HISTORY = Table[HistoryItem](
    "booking_history",
    "booking_id uuid, number int, at timestamptz, actor_kind text, actor_id text, type text, from_state text, "
    "to_state text, reason text, causation_id uuid",
    {"actor_kind": "actor.kind", "actor_id": "actor.id"},
)
APPEND_HISTORY = HISTORY.insert()

SAGA = Table[Saga](
    "saga",
    "booking_id uuid, step text, attempt int, status text, asked int, ask_again_at timestamptz, settlement_id uuid, "
    "refund_minor bigint, release_minor bigint, problem text, disputes int",
)
SAVE_SAGAS = SAGA.upsert(
    *("step", "attempt", "status", "asked", "ask_again_at", "settlement_id", "refund_minor", "release_minor"),
    *("problem", "disputes"),
)
SAGA_LOG = Table[SagaLogLine]("saga_log", "booking_id uuid, at timestamptz, step text, attempt int, what text")
APPEND_SAGA_LOG = SAGA_LOG.insert(ordered=True)
