"""One thing wrong of each kind, as SQL by hand, and how it is mended; about the bookings of tests/bench/agreeing.py."""

from __future__ import annotations

from typing import NamedTuple

from services.operations.auditor.findings import Kind
from tests.bench.agreeing import OF_BOOKING


class Plant(NamedTuple):
    """`subject`, where it is known, is that of the violation."""

    kind: Kind
    service: str
    plant: str
    mend: str
    subject: str = ""


def booking(n: int) -> str:
    """The n-th booking's id, in SQL: 1 is confirmed, 2 completed, 3 expired."""
    return OF_BOOKING.format(n=n).replace("\n", " ")


UNKNOWN = "00000000-0000-7000-8000-000000000001"
OUTBOX = """
INSERT INTO outbox (topic, key, headers, body, created_at)
SELECT '{topic}', 'k', '[["ce_sequence", "' || n || '"]]', '', now() - interval '{age}' FROM unnest(ARRAY{numbers}) n
"""
OFFERED = f"""
INSERT INTO waitlist_entry (entry_id, state, slot_id, offering_id, provider_id, starts_at, ends_at, seats, customer_id,
                            offering_title, provider_name, place, closes_at, offer_minutes, deadline, joined_at,
                            sequence)
SELECT '{UNKNOWN}', 'OFFERED', slot_id, offering_id, provider_id, starts_at, ends_at, 1, 'bob', 't', 'n', 1, now(), 5,
       now() - interval '1 minute', now(), 1 FROM slot LIMIT 1
"""
TIMER = """
INSERT INTO local_message (id, kind, type, key, due_at, headers, body)
VALUES ('{id}', 'timer', 'local.{type}', {key}, now() + interval '{due}', '[]', '{{}}')
"""
CALL = f"""
INSERT INTO gateway_call (id, subject, key, operation, parameters, idempotency_key, headers, try_at)
VALUES ('{UNKNOWN}', '{UNKNOWN}', 'k', 'send_mail', '', '', '[]', now())
"""
DELIVERY = f"""
INSERT INTO delivery (delivery_id, booking_id, event_id, recipient, channel, kind, audience, created_at)
VALUES ('{UNKNOWN}', {booking(1)}, '{UNKNOWN}', 'bob@example.com', 'email', 'confirmed', 'customer', now())
"""
SUBSCRIPTION = f"""
INSERT INTO webhook_subscription (subscription_id, url, event_types, owner_email, created_at)
VALUES ('{UNKNOWN}', 'https://example.org', '{{}}', 'o@example.org', now())
"""
EVENT = (
    f"INSERT INTO webhook_event (event_id, type, key, content, created_at) VALUES ('{UNKNOWN}', 't', 'k', '', now())"
)
WEBHOOK = f"""
INSERT INTO webhook_delivery (delivery_id, subscription_id, event_id, key, created_at, opened_at, try_at)
VALUES ('{UNKNOWN}', '{UNKNOWN}', '{UNKNOWN}', 'k', now(), now(), now() - interval '11 minutes')
"""
NO_WEBHOOKS = "DELETE FROM webhook_delivery; DELETE FROM webhook_event; DELETE FROM webhook_subscription"
DIFFERENCE = """
INSERT INTO stripe_difference (kind, subject, currency, ours_minor, theirs_minor, first_seen, since, last_seen,
                               counted_at)
VALUES ('charge', 'pi_1', 'EUR', 4500, 4400, now(), now(), now(), now())
"""
REPORT = f"""
INSERT INTO reconciliation (at, booking_id, payment_intent, finding, repair)
VALUES (now(), {booking(1)}, 'pi_lost', 'succeeded', 'report')
"""
ASIDE = "INSERT INTO stripe_event (event_id, type, body, set_aside) VALUES ('evt_1', 't', '{}', 'too new')"


def live(n: int, status: str) -> str:
    """A payment that has been reserved for long; and how it was."""
    return f"""
    UPDATE payment SET status = '{status}', captured_minor = {4500 if status == "captured" else 0},
                       changed_at = now() - interval '11 minutes' WHERE booking_id = {booking(n)}
    """


def one(kind: Kind, service: str, table: str, change: str, back: str, where: str, subject: str = "") -> Plant:
    """A row changed, and changed back."""
    plant, mend = (f"UPDATE {table} SET {to} WHERE {where}" for to in (change, back))
    return Plant(kind, service, plant, mend, subject)


def cent(booking_id: str) -> Plant:
    """One more in a posting to a booking's escrow; the id in SQL."""
    more, less = "amount_minor = amount_minor + 1", "amount_minor = amount_minor - 1"
    return one(Kind.POSTING, "payments", "ledger_entry", more, less, f"account = 'escrow:' || {booking_id}")


OF_1, OF_2 = f"booking_id = {booking(1)}", f"booking_id = {booking(2)}"
PLANTS = (
    one(Kind.SEATS, "booking", "slot", "taken = taken + 1", "taken = taken - 1", "slot_id = md5('slot0')::uuid"),
    one(
        *(
            Kind.BOOKING_PAYMENT,
            "booking",
            "booking",
            f"payment_id = '{UNKNOWN}'",
            "payment_id = md5('payment1')::uuid",
        ),
        OF_1,
    ),
    one(Kind.HISTORY_GAP, "booking", "booking", "history_number = 3", "history_number = 2", OF_1),
    one(
        *(Kind.HISTORY_STEP, "booking", "booking_history", "from_state = 'EXPIRED'", "from_state = 'CONFIRMED'"),
        f"{OF_2} AND number = 3",
    ),
    one(Kind.HISTORY_END, "booking", "booking", "state = 'DISPUTED'", "state = 'COMPLETED'", OF_2),
    one(Kind.STREAM_AHEAD, "notifications", "known_booking", "sequence = 9", "sequence = 2", OF_1),
    one(Kind.STREAM_BEHIND, "notifications", "known_booking", "sequence = 1", "sequence = 2", OF_1),
    Plant(
        *(Kind.STREAM_GAP, "payments", OUTBOX.format(topic="payments.events", age="0", numbers=[4, 6])),
        "DELETE FROM outbox",
        "payments.events k",
    ),
    cent(booking(1)),
    one(
        *(Kind.ESCROW, "payments", "ledger_balance", "balance_minor = 4499", "balance_minor = 4500"),
        f"account = 'escrow:' || {booking(1)}",
    ),
    one(
        *(Kind.WALLET, "payments", "ledger_balance", "balance_minor = 901", "balance_minor = 900"),
        "account = 'wallet:customer-0:available'",
        "wallet:customer-0:available EUR",
    ),
    Plant(Kind.STRIPE_DIFFERENCE, "payments", DIFFERENCE, "UPDATE stripe_difference SET gone_at = now()"),
    Plant(Kind.STRIPE_REPORT, "payments", REPORT, "UPDATE reconciliation SET ended_at = now(), ended = 'x'", "pi_lost"),
    Plant(Kind.STRIPE_EVENT_ASIDE, "payments", ASIDE, "DELETE FROM stripe_event", "evt_1"),
    one(
        *(Kind.PENDING_OVERDUE, "booking", "booking"),
        "state = 'PENDING_PAYMENT', deadline = now() - interval '1 minute'",
        "state = 'CONFIRMED', deadline = NULL",
        OF_1,
    ),
    Plant(Kind.OFFER_OVERDUE, "booking", OFFERED, "DELETE FROM waitlist_entry", UNKNOWN),
    Plant(Kind.NOT_CAPTURED, "payments", live(1, "authorized"), live(1, "captured")),
    Plant(Kind.LIVE_AUTHORISATION, "payments", live(3, "authorized"), live(3, "voided")),
    one(Kind.SAGA_WITHOUT_TIMER, "booking", "saga", "status = 'waiting'", "status = 'done'", OF_1),
    Plant(
        *(Kind.TIMER_WITHOUT_ROW, "booking"),
        TIMER.format(id=UNKNOWN, type="AskAgain", key=f"'{UNKNOWN}'", due="1 minute"),
        "DELETE FROM local_message",
        UNKNOWN,
    ),
    Plant(
        *(Kind.OUTBOX_STANDS, "booking", OUTBOX.format(topic="booking.replies", age="11 minutes", numbers=[1])),
        "DELETE FROM outbox",
        "booking",
    ),
    Plant(
        *(Kind.MESSAGES_STAND, "booking"),
        TIMER.format(id=UNKNOWN, type="DeadlineReached", key=f"{booking(1)}::text", due="-11 minutes"),
        "DELETE FROM local_message",
        "booking",
    ),
    Plant(Kind.LETTER_WITHOUT_ROW, "notifications", CALL, "DELETE FROM gateway_call", UNKNOWN),
    Plant(Kind.ROW_WITHOUT_LETTER, "notifications", DELIVERY, "DELETE FROM delivery", UNKNOWN),
    Plant(Kind.WEBHOOK_WITHOUT_ROW, "notifications", f"{SUBSCRIPTION}; {WEBHOOK}", NO_WEBHOOKS, UNKNOWN),
    Plant(Kind.WEBHOOK_STANDS, "notifications", f"{SUBSCRIPTION}; {EVENT}; {WEBHOOK}", NO_WEBHOOKS, UNKNOWN),
)
