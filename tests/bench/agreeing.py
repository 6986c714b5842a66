"""Databases in which everything agrees: `scale` bookings by SQL, with slots, histories, sagas, money and what
notifications knows. Half of them have ended, every tenth died unpaid; slots have eight seats."""

from __future__ import annotations

import asyncpg

from tests.bench.years import DEFINITION, TERMS, database_of

BEGINNING = "timestamptz '2026-01-01'"
OF_BOOKING = f"""
(lpad(to_hex((extract(epoch FROM {BEGINNING}) * 1000)::bigint + {{n}}::bigint * 20000), 12, '0') || '70008'
 || substr(md5('booking' || {{n}}), 1, 15))::uuid
"""
"""The n-th booking's id in SQL: of version 7, as clients make them, 20 seconds after the one before."""
SOLD = f"""
SELECT n, {OF_BOOKING.format(n="n").strip()} AS booking_id, md5('payment' || n)::uuid AS payment_id,
       md5('provider' || n / 2000)::uuid AS provider_id, md5('offering' || n / 2000)::uuid AS offering_id,
       md5('slot' || n / 8)::uuid AS slot_id,
       CASE WHEN n % 10 = 3 THEN 'EXPIRED' WHEN n % 2 = 0 THEN 'COMPLETED' ELSE 'CONFIRMED' END AS state,
       now() - interval '200 days' * (1 - n / $1::float8) AS made_at
FROM generate_series(1, $1) n
"""
BOOKING = f"""
CREATE TEMP TABLE sold AS {SOLD.strip()};
INSERT INTO provider (provider_id, name, email, timezone, policy, tiers, policy_version, sequence)
SELECT DISTINCT provider_id, 'Ann', 'ann@example.com', 'Europe/Berlin', 'flexible', '[]'::jsonb, 1, 1 FROM sold;
INSERT INTO offering (offering_id, provider_id, definition)
SELECT DISTINCT offering_id, provider_id, '{DEFINITION}'::jsonb FROM sold;
INSERT INTO slot (slot_id, offering_id, provider_id, starts_at, ends_at, busy, capacity, taken, active, opened, closed)
SELECT slot_id, offering_id, provider_id, now() + interval '1 hour' * (n / 8), now() + interval '1 hour' * (n / 8 + 1),
       tstzrange(now() + interval '1 hour' * (n / 8), now() + interval '1 hour' * (n / 8 + 1)), 20, taken, taken > 0,
       true, false
FROM (SELECT slot_id, offering_id, provider_id, min(n) AS n, count(*) FILTER (WHERE state <> 'EXPIRED') AS taken
      FROM sold GROUP BY slot_id, offering_id, provider_id) s;
INSERT INTO booking (booking_id, state, offering_id, provider_id, slot_id, starts_at, ends_at, seats, customer_id,
                     price_minor, currency, commission_bps, approval, terms, payment_id, created_at, attempt,
                     payment_status, refund_cap_percent, full_refund, sequence, history_number)
SELECT booking_id, state, offering_id, provider_id, slot_id, now(), now() + interval '1 hour', 1,
       'customer-' || n % 50000, 4500, 'EUR', 0, false, '{TERMS}'::jsonb, payment_id, made_at, 1, 'captured', 100,
       false, CASE state WHEN 'COMPLETED' THEN 4 ELSE 2 END, CASE state WHEN 'COMPLETED' THEN 4 ELSE 2 END FROM sold;
INSERT INTO booking_history (booking_id, number, at, actor_kind, actor_id, type, from_state, to_state)
SELECT booking_id, number, made_at, 'system', 'booking', 'booking.PlaceBooking.v1', way[number - 1], way[number]
FROM sold, LATERAL (SELECT CASE state WHEN 'EXPIRED' THEN ARRAY['PENDING_PAYMENT', 'EXPIRED']
        WHEN 'CONFIRMED' THEN ARRAY['PENDING_PAYMENT', 'CONFIRMED']
        ELSE ARRAY['PENDING_PAYMENT', 'CONFIRMED', 'PENDING_CONFIRMATION', 'COMPLETED'] END AS way) w,
     LATERAL generate_subscripts(way, 1) number;
INSERT INTO saga (booking_id, step, attempt, status, asked, ask_again_at)
SELECT booking_id, 'settle', 1, 'done', 1, made_at FROM sold
"""
PAYMENTS = f"""
CREATE TEMP TABLE sold AS {SOLD.strip()};
INSERT INTO payment (booking_id, payment_id, correlation_id, sequence, attempt, status, method, amount_minor, currency,
                     customer_id, provider_id, commission_bps, payment_intent, voided_through, owes_void, capture_asked,
                     authorized_minor, captured_minor, refunded_minor, released_minor, commission_minor, refunds,
                     changed_at)
SELECT booking_id, payment_id, 'c', 2, 1,
       CASE state WHEN 'EXPIRED' THEN 'voided' WHEN 'CONFIRMED' THEN 'captured' ELSE 'settled' END, 'card', 4500, 'EUR',
       'customer-' || n % 50000, provider_id, 0, 'pi_' || n, 0, false, true, 4500,
       CASE state WHEN 'EXPIRED' THEN 0 ELSE 4500 END, 0, CASE state WHEN 'COMPLETED' THEN 4500 ELSE 0 END, 0, 0,
       made_at FROM sold;
CREATE TEMP TABLE posted AS
SELECT uuidv7(made_at - now()) AS transaction_id, booking_id, provider_id, made_at, step
FROM sold, LATERAL generate_series(1, CASE state WHEN 'EXPIRED' THEN 0 WHEN 'CONFIRMED' THEN 1 ELSE 2 END) step;
INSERT INTO ledger_transaction (transaction_id, cause, at)
SELECT transaction_id, CASE step WHEN 1 THEN 'capture' ELSE 'settle' END, made_at FROM posted;
INSERT INTO ledger_entry (transaction_id, account, amount_minor, currency)
SELECT transaction_id, unnest(CASE step WHEN 1 THEN ARRAY['stripe:clearing', 'escrow:' || booking_id]
                              ELSE ARRAY['escrow:' || booking_id, 'provider:' || provider_id || ':payable'] END),
       unnest(ARRAY[-4500, 4500]), 'EUR' FROM posted ORDER BY transaction_id;
INSERT INTO ledger_balance (account, currency, balance_minor)
SELECT 'escrow:' || booking_id, 'EUR', CASE state WHEN 'CONFIRMED' THEN 4500 ELSE 0 END FROM sold
WHERE state <> 'EXPIRED';
INSERT INTO wallet (customer_id, sequence) SELECT 'customer-' || n, 1 FROM generate_series(0, $1 / 50) n;
INSERT INTO ledger_transaction (transaction_id, cause, at) VALUES (md5('wallets')::uuid, 'top up', now());
INSERT INTO ledger_entry (transaction_id, account, amount_minor, currency)
SELECT md5('wallets')::uuid, account, amount, 'EUR'
FROM generate_series(0, $1 / 50) n,
     LATERAL (VALUES ('stripe:clearing', -900), ('wallet:customer-' || n || ':available', 900)) e (account, amount);
INSERT INTO ledger_balance (account, currency, balance_minor)
SELECT 'wallet:customer-' || n || ':available', 'EUR', 900 FROM generate_series(0, $1 / 50) n
"""
NOTIFICATIONS = f"""
INSERT INTO known_booking (booking_id, sequence, state, event_type, body)
SELECT booking_id, CASE state WHEN 'COMPLETED' THEN 4 ELSE 2 END, state, 'booking.BookingConfirmed.v1', '{{}}'
FROM ({SOLD.strip()}) sold;
INSERT INTO inbox (message_id) VALUES (uuidv7())
"""
TABLES = {"booking": BOOKING, "payments": PAYMENTS, "notifications": NOTIFICATIONS}


async def agree(admin_url: str, service: str, scale: int) -> None:
    """Fill one service's database, whose tables are empty. Triggers and foreign keys rest meanwhile."""
    connection = await asyncpg.connect(database_of(admin_url, service), command_timeout=3600)
    try:
        await connection.execute("SET session_replication_role = replica; SET synchronous_commit = off")
        for statement in TABLES[service].split(";\n"):
            await connection.execute(statement.replace("$1", str(scale)))
        await connection.execute("VACUUM ANALYZE")
    finally:
        await connection.close()
