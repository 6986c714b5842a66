"""Databases that have been in use for years: every service's tables filled by SQL, `scale` bookings and what goes with
them. Unevenly: one provider has a tenth of all bookings, one slot a twentieth, all but a few of them expired."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from hashlib import md5
from uuid import UUID

import asyncpg

from services.booking.model.slots import slot_id

WHALE, HOT = "whale", "unlucky"
"""The customer with a hundredth of all bookings, and the one whose bookings on one slot expired again and again."""

SOON = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
BEGINNING = SOON - timedelta(days=30)
HOT_START = BEGINNING + timedelta(hours=800)


def named(what: str, number: int) -> UUID:
    """The id of a row, as the SQL below makes it."""
    return UUID(md5(f"{what}{number}".encode(), usedforsecurity=False).hexdigest())


HOT_SLOT = slot_id(named("offering", 1), HOT_START)
DEFINITION = """{"title": "Piano lesson", "duration_minutes": 60, "capacity": 20, "approval": false,
    "price": {"amount": 4500, "currency": "EUR"}}"""
TERMS = """{"offering_title": "Piano lesson", "provider_name": "Ann", "provider_email": "ann@example.com",
    "provider_timezone": "Europe/Berlin", "payout_account": null, "policy_version": "flexible-1", "tiers": [],
    "hold_minutes": 15, "payment_hours": 24, "change_deadline_minutes": 60, "no_refund_minutes": 120,
    "dispute_window_hours": 48, "auto_complete_hours": 2}"""


ENGINE = """
INSERT INTO command_receipt (command_id, body_hash, reply_type, reply, received_at)
SELECT md5('command' || n)::uuid, '\\x00', 'booking.CommandAccepted.v1', '{"result": {}}',
       now() - interval '31 days' * (1 - n / $1::float8) FROM generate_series(1, $1) n;
INSERT INTO inbox (message_id, received_at)
SELECT md5('event' || n)::uuid, now() - interval '9 days' * (1 - n / $1::float8) FROM generate_series(1, $1) n;
INSERT INTO gateway_call (id, subject, key, operation, parameters, idempotency_key, headers, state, opened_at, try_at)
SELECT md5('call' || n)::uuid, 'call' || n, 'key' || n, 'authorize', repeat('x', 400), 'key', '[]',
       CASE WHEN n % 10 = 0 THEN 'open' ELSE 'done' END, now() - interval '31 days' * (1 - n / $1::float8),
       now() + interval '1 hour' * (n % 1000 / 10.0 - 0.01) FROM generate_series(1, $1) n;
INSERT INTO outbox (topic, key, headers, body)
SELECT 'booking.events', 'key', '[]', repeat('x', 500)::bytea FROM generate_series(1, $1 / 10) n;
INSERT INTO dead_letter (id, topic, partition, "offset", kind, key, error, headers, body, status, created_at)
SELECT md5('letter' || n)::uuid, 'booking.commands', 0, n, 'refused', 'key', 'INVALID_COMMAND', '[]',
       repeat('x', 1000)::bytea, CASE WHEN n % 3 = 0 THEN 'discarded' ELSE 'open' END,
       now() - interval '31 days' * (1 - n / $1::float8) FROM generate_series(1, $1 * 3 / 20) n;
INSERT INTO blocked_key (key) SELECT 'blocked' || n FROM generate_series(1, $1 / 500) n;
INSERT INTO local_message (id, kind, type, key, due_at, headers, body)
SELECT md5('timer' || n)::uuid, 'timer', 'local.booking.DeadlineReached.v1', 'key' || n,
       now() + interval '30 days' * (n / $1::float8 - 0.003), '[]', '{}' FROM generate_series(1, $1 / 2) n;
INSERT INTO local_message (id, kind, type, key, due_at, headers, body)
SELECT md5('held' || n)::uuid, 'record', 'booking.PayBooking.v1', 'blocked' || n % ($1 / 500), '9999-12-31', '[]', '{}'
FROM generate_series(1, $1 / 20) n
"""

BOOKING = f"""
CREATE TEMP TABLE sold AS
SELECT n, md5('booking' || n)::uuid AS booking_id, p, md5('provider' || p)::uuid AS provider_id,
       md5('offering' || p)::uuid AS offering_id, s,
       CASE WHEN p = 1 THEN '{HOT_SLOT}' ELSE md5('slot' || p || '/' || s) END::uuid AS slot_id,
       timestamptz '{BEGINNING}' + s * interval '1 hour' * CASE WHEN p < 2 THEN 1 ELSE 12 END
           AS starts_at,
       CASE WHEN p = 1 THEN CASE WHEN n % 20 = 1 AND n < 100 THEN 'CONFIRMED' ELSE 'EXPIRED' END
            WHEN n % 5000 = 7 THEN 'DISPUTED' WHEN n % 40 = 6 THEN 'PAYMENT_FAILED' WHEN n % 20 = 9 THEN 'EXPIRED'
            WHEN n % 10 = 8 THEN 'CANCELLED_BY_CUSTOMER' WHEN n % 50 = 3 THEN 'PENDING_PAYMENT'
            WHEN n % 4 = 0 THEN 'CONFIRMED' ELSE 'COMPLETED' END AS state,
       CASE WHEN p = 1 THEN '{HOT}' WHEN n % 100 = 2 THEN '{WHALE}' ELSE 'customer-' || n % ($1 / 5) END AS customer_id
FROM (SELECT n, p, CASE WHEN p = 1 THEN 800 WHEN p = 0 THEN n / 40 ELSE n / ($1 / 500) / 4 END AS s
      FROM (SELECT n, CASE WHEN n % 10 = 0 THEN 0 WHEN n % 20 = 1 THEN 1 ELSE 2 + n % ($1 / 500) END AS p
            FROM generate_series(1, $1) n) numbered) placed;
INSERT INTO provider (provider_id, name, email, timezone, policy, tiers, policy_version, sequence)
SELECT DISTINCT provider_id, 'Ann', 'ann@example.com', 'Europe/Berlin', 'flexible', '[]'::jsonb, 1, 1 FROM sold;
INSERT INTO offering (offering_id, provider_id, definition)
SELECT DISTINCT offering_id, provider_id, '{DEFINITION}'::jsonb FROM sold;
INSERT INTO offering (offering_id, provider_id, definition)
SELECT md5('more' || n)::uuid, md5('provider0')::uuid, '{DEFINITION}'::jsonb FROM generate_series(1, 5) n;
INSERT INTO schedule (provider_id, weekly, dated, closed)
SELECT DISTINCT provider_id, '[[1, 480, 1080], [2, 480, 1080], [3, 480, 1080], [4, 480, 1080], [5, 480, 720]]'::jsonb,
       '[]'::jsonb, '[]'::jsonb FROM sold;
INSERT INTO slot (slot_id, offering_id, provider_id, starts_at, ends_at, busy, capacity, taken, active, opened, closed)
SELECT DISTINCT ON (slot_id) slot_id, offering_id, provider_id, starts_at, starts_at + interval '1 hour',
       tstzrange(starts_at, starts_at + interval '1 hour'), 20, 4, true, p % 2 = 0, false FROM sold;
INSERT INTO booking (booking_id, state, offering_id, provider_id, slot_id, starts_at, ends_at, seats, customer_id,
                     attendee_id, price_minor, currency, commission_bps, approval, terms, payment_id, created_at,
                     deadline, attempt, payment_status, refund_cap_percent, full_refund, sequence, history_number)
SELECT booking_id, state, offering_id, provider_id, slot_id, starts_at, starts_at + interval '1 hour', 1, customer_id,
       CASE WHEN n % 4 = 1 THEN 'child-' || n % ($1 / 5) END, 4500, 'EUR', 0, false, '{TERMS}'::jsonb,
       md5('payment' || n)::uuid, now(),
       CASE WHEN state = 'PENDING_PAYMENT' THEN now() + interval '1 minute' * (n % 30 - 15) END, 1, 'captured', 100,
       false, 2, 2 FROM sold;
INSERT INTO booking_contact (booking_id, customer, attendee)
SELECT booking_id, jsonb_build_object('id', customer_id, 'name', 'Bob', 'email', 'bob@example.com'),
       CASE WHEN n % 4 = 1 THEN jsonb_build_object('id', 'child-' || n % ($1 / 5), 'name', 'Kim') END FROM sold;
INSERT INTO booking_history (booking_id, number, at, actor_kind, actor_id, type, to_state)
SELECT booking_id, number, now(), 'customer', 'bob', 'booking.PlaceBooking.v1', state
FROM sold, generate_series(1, 2) number;
INSERT INTO saga (booking_id, step, attempt, status, asked, ask_again_at)
SELECT booking_id, 'capture', 1, CASE WHEN n % 100 = 5 THEN 'waiting' WHEN n % 5000 = 1 THEN 'stuck' ELSE 'done' END, 1,
       now() FROM sold;
INSERT INTO waitlist_entry (entry_id, state, slot_id, offering_id, provider_id, starts_at, ends_at, seats, customer_id,
                            offering_title, provider_name, place, closes_at, offer_minutes, deadline, joined_at,
                            sequence)
SELECT md5('entry' || n)::uuid, CASE WHEN n % 10 = 0 THEN 'WAITING' WHEN n % 10 = 1 THEN 'OFFERED' ELSE 'LEFT' END,
       slot_id, offering_id, provider_id, starts_at, starts_at + interval '1 hour', 1, 'waiting-' || n, 'Piano lesson',
       'Ann', 1, starts_at, 60, CASE WHEN n % 10 = 1 THEN now() + interval '1 hour' END, now(), 1
FROM sold WHERE n <= $1 / 10;
INSERT INTO waitlist_contact (entry_id, customer, attendee)
SELECT md5('entry' || n)::uuid, jsonb_build_object('id', 'waiting-' || n, 'name', 'Bob', 'email', 'bob@example.com'),
       CASE WHEN n % 4 = 1 THEN jsonb_build_object('id', 'child-' || n, 'name', 'Kim') END
FROM generate_series(1, $1 / 10) n
"""

PAYMENTS = """
INSERT INTO payment (booking_id, payment_id, correlation_id, sequence, attempt, status, action, method, amount_minor,
                     currency, customer_id, provider_id, commission_bps, payment_intent, voided_through, owes_void,
                     capture_asked, authorized_minor, captured_minor, refunded_minor, released_minor,
                     commission_minor, refunds, changed_at)
SELECT md5('booking' || n)::uuid, md5('payment' || n)::uuid, 'c', 2, 1, status,
       CASE WHEN status = 'requires_action' THEN 'authenticate' END, 'card', 4500, 'EUR', 'customer-' || n % ($1 / 5),
       md5('provider' || n % 100)::uuid, 0, 'pi_' || n, 0, false, true, 4500,
       CASE WHEN status IN ('captured', 'settled') THEN 4500 ELSE 0 END, 0, 0, 0, 0,
       now() - interval '400 days' * (1 - n / $1::float8)
FROM (SELECT n, CASE WHEN n % 200 = 1 THEN 'authorized' WHEN n % 400 = 2 THEN 'requires_action'
                     WHEN n % 800 = 3 THEN 'pending' WHEN n % 3 = 0 THEN 'captured' ELSE 'settled' END AS status
      FROM generate_series(1, $1) n) p;
INSERT INTO ledger_transaction (transaction_id, cause, at)
SELECT md5('transaction' || n)::uuid, 'captured', now() - interval '400 days' * (1 - n / $1::float8)
FROM generate_series(1, $1) n;
INSERT INTO ledger_entry (transaction_id, account, amount_minor, currency)
SELECT md5('transaction' || n)::uuid,
       CASE WHEN side = -1 THEN 'stripe:clearing'
            WHEN n % 10 = 0 THEN 'wallet:customer-' || n % ($1 / 5) || ':available'
            ELSE 'escrow:' || md5('booking' || n)::uuid END, 4500 * side, 'EUR'
FROM generate_series(1, $1) n, (VALUES (-1), (1)) sides (side);
INSERT INTO ledger_balance (account, currency, balance_minor)
SELECT account, currency, 4500 FROM ledger_entry WHERE account <> 'stripe:clearing' GROUP BY 1, 2;
INSERT INTO refund (refund_id, booking_id, number, attempt, payment_intent, amount_minor, status, stripe_refund,
                    failure, calling, tries, parked)
SELECT md5('refund' || n)::uuid, md5('booking' || n)::uuid, 1, 1, 'pi_' || n, 100,
       CASE WHEN n % 5000 = 0 THEN 'failed' ELSE 'succeeded' END, 're_' || n, NULL, false, 1, n % 10000 = 0
FROM generate_series(1, $1, 10) n;
INSERT INTO payout (payout_id, booking_id, number, attempt, provider_id, account, amount_minor, currency, status,
                    transfer_id, tries)
SELECT md5('payout' || n)::uuid, md5('booking' || n)::uuid, 1, 1, md5('provider' || n % 100)::uuid, 'acct', 100, 'EUR',
       CASE WHEN n % 5000 = 0 THEN 'failed' ELSE 'paid' END, CASE WHEN n % 5000 <> 0 THEN 'tr_' || n END, 1
FROM generate_series(1, $1, 2) n;
INSERT INTO stripe_event (event_id, type, body, received_at)
SELECT 'evt_' || n, 'payment_intent.succeeded', '{"id": "x", "data": {"object": {"id": "pi"}}}',
       now() - interval '41 days' * (1 - n / $1::float8) FROM generate_series(1, $1) n;
INSERT INTO wallet (customer_id, sequence) SELECT 'customer-' || n, 1 FROM generate_series(0, $1 / 5) n;
INSERT INTO top_up (command_id, customer_id, amount_minor, currency, made_at, status, payment_intent, refunded_minor,
                    closed)
SELECT md5('topup' || n)::uuid, 'customer-' || n % ($1 / 5), 900, 'EUR', now(), 'done', 'pi_top_' || n, 0, false
FROM generate_series(1, $1 / 5) n;
INSERT INTO reconciliation (at, booking_id, payment_intent, finding, repair, ended_at, ended)
SELECT now(), md5('booking' || n)::uuid, 'pi_lost_' || n, 'succeeded', 'report',
       CASE WHEN n % 1000 <> 0 THEN now() END, CASE WHEN n % 1000 <> 0 THEN 'given back at Stripe' END
FROM generate_series(1, $1 / 10) n;
INSERT INTO chargeback (dispute_id, booking_id, payment_intent, amount_minor, currency, outcome, calling)
SELECT 'dp_' || n, md5('booking' || n)::uuid, 'pi_' || n, 4500, 'EUR', CASE WHEN n % 100 = 0 THEN 'open' ELSE 'won' END,
       false FROM generate_series(1, $1 / 20) n;
INSERT INTO dashboard_refund (stripe_refund, booking_id, refund_id, payment_intent, amount_minor, currency, lost_minor,
                              failed, seen_at)
SELECT 'red_' || n, md5('booking' || n)::uuid, md5('refund' || n)::uuid, 'pi_' || n, 10, 'EUR', 0, false,
       now() - interval '400 days' * (1 - n / ($1 / 20.0)::float8) FROM generate_series(1, $1 / 20) n
"""

NOTIFICATIONS = """
INSERT INTO known_booking (booking_id, sequence, state, event_type, body)
SELECT md5('booking' || n)::uuid, 2, 'CONFIRMED', 'booking.BookingConfirmed.v1', '{}' FROM generate_series(1, $1) n;
INSERT INTO delivery (delivery_id, booking_id, event_id, recipient, channel, kind, audience, state, created_at,
                      settled_at)
SELECT md5('delivery' || n || who)::uuid, md5('booking' || n)::uuid, md5('event' || n)::uuid, who || '@example.com',
       'email', 'confirmed', 'customer', 'succeeded', now(), now()
FROM generate_series(1, $1) n, (VALUES ('bob'), ('ann')) w (who);
INSERT INTO webhook_subscription (subscription_id, url, event_types, provider_id, owner_email, state, disabled_for,
                                  created_at, failures, failing_since)
SELECT md5('subscription' || n)::uuid, 'https://example.org/' || n, '{}', md5('provider' || n)::uuid, 'o@example.org',
       CASE WHEN n % 10 = 0 THEN 'disabled' ELSE 'active' END, CASE WHEN n % 10 = 0 THEN 'failing' END, now(),
       n % 2, CASE WHEN n % 2 = 1 THEN now() END
FROM generate_series(1, 800) n;
INSERT INTO webhook_event (event_id, type, key, content, created_at)
SELECT md5('event' || n)::uuid, 'booking.BookingConfirmed.v1', md5('booking' || n)::uuid::text, '{}', now()
FROM generate_series(1, $1) n;
INSERT INTO webhook_delivery (delivery_id, subscription_id, event_id, key, state, created_at, opened_at, try_at,
                              settled_at)
SELECT md5('webhook' || n)::uuid, md5('subscription' || 1 + n % 800)::uuid, md5('event' || n)::uuid,
       md5('booking' || n)::uuid::text, CASE WHEN n % 50 = 0 THEN 'pending' ELSE 'succeeded' END, now(), now(),
       now() + interval '1 hour' * (n % 3), CASE WHEN n % 50 <> 0 THEN now() END
FROM generate_series(1, $1) n
"""

TABLES = {"booking": BOOKING, "payments": PAYMENTS, "notifications": NOTIFICATIONS}


async def fill(admin_url: str, service: str, scale: int) -> None:
    """Fill one service's database, whose tables are empty. Triggers and foreign keys rest meanwhile."""
    connection = await asyncpg.connect(database_of(admin_url, service), command_timeout=1800)
    try:
        await connection.execute("SET session_replication_role = replica; SET synchronous_commit = off")
        for statement in f"{ENGINE};{TABLES[service]}".split(";\n"):
            await connection.execute(statement.replace("$1", str(scale)))
        tables = await connection.fetch("SELECT relname FROM pg_stat_user_tables WHERE n_tup_ins > 0")
        await connection.execute(f"ANALYZE {', '.join(row['relname'] for row in tables)}")
    finally:
        await connection.close()


def database_of(admin_url: str, service: str) -> str:
    """The superuser's address of a service's database."""
    return f"{admin_url.rsplit('/', 1)[0]}/{service}"
