"""Where a text that somebody looks for may stand: statements that find it by an index, a few for each service."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, StrEnum

MOST = 20
"""Rows of one kind that a search tells."""
LAST = 1_000
"""Rows without an index that are looked at, the last ones of each table."""


class Kind(StrEnum):
    """What has a page, or a list, to look at."""

    BOOKING = "booking"
    CUSTOMER = "customer"
    PROVIDER = "provider"
    OFFERING = "offering"
    SLOT = "slot"
    LETTER = "dead letter"
    SUBSCRIPTION = "webhook subscription"
    FINDING = "finding"
    JOB = "job"
    MESSAGE = "message"
    """Has none: it was handled, or waits, and no row says for which booking."""


class Form(Enum):
    """What a text looks like."""

    ID = "an id"
    STRIPE = "an id of Stripe's"
    CUSTOMER = "an id of a customer"
    EMAIL = "an e-mail address"


@dataclass(frozen=True, slots=True)
class Hit:
    """What the text names: `by` as what (its payment id, …), `said` a few words about it, `service` whose row it is."""

    kind: Kind
    id: str
    by: str
    said: str
    service: str


@dataclass(frozen=True, slots=True)
class Query:
    """A statement whose one parameter is the text; `looked` says for what and where it looks."""

    service: str
    form: Form
    looked: str
    sql: str


def select(service: str, kind: Kind, key: str, by: str, said: str, source: str) -> str:
    """Rows of one table as hits, MOST of them: key and said are columns, source is what follows SELECT."""
    quoted = by.replace("'", "''")
    return (
        f"(SELECT '{kind}' AS kind, ({key})::text AS id, '{quoted}' AS by, coalesce(({said})::text, '') AS said,"
        f" '{service}' AS service {source} LIMIT {MOST})"
    )


def united(service: str, form: Form, looked: str, *rows: tuple[Kind, str, str, str, str]) -> Query:
    """One statement for all of them."""
    return Query(service, form, looked, "\nUNION ALL\n".join(select(service, *row) for row in rows))


BOOKING = united(
    "booking",
    Form.ID,
    "booking, slot, offering, provider, waitlist entry, cancellation quote, message in a history (booking)",
    (Kind.BOOKING, "booking_id", "booking id", "state", "FROM booking WHERE booking_id = $1"),
    (Kind.SLOT, "slot_id", "slot id", "starts_at", "FROM slot WHERE slot_id = $1"),
    (
        *(Kind.OFFERING, "offering_id", "offering id", "definition ->> 'title'"),
        "FROM offering WHERE offering_id = $1",
    ),
    (Kind.PROVIDER, "provider_id", "provider id", "timezone", "FROM provider WHERE provider_id = $1"),
    (Kind.SLOT, "slot_id", "waitlist entry id", "state", "FROM waitlist_entry WHERE entry_id = $1"),
    (
        *(Kind.BOOKING, "booking_id", "booking of a waitlist entry", "state"),
        "FROM waitlist_entry WHERE entry_id = $1 AND booking_id IS NOT NULL",
    ),
    (Kind.BOOKING, "booking_id", "quote id", "valid_until", "FROM cancellation_quote WHERE quote_id = $1"),
    (Kind.BOOKING, "booking_id", "message id", "type", "FROM booking_history WHERE causation_id = $1"),
)
CUSTOMERS = united(
    "booking",
    Form.CUSTOMER,
    "customer with bookings or in a line, attendee (booking)",
    (
        *(Kind.CUSTOMER, "customer_id", "customer id", "'has bookings'"),
        "FROM (SELECT customer_id FROM booking WHERE customer_id = $1 LIMIT 1) one",
    ),
    (
        *(Kind.CUSTOMER, "customer_id", "customer id", "'waits or has waited'"),
        "FROM (SELECT customer_id FROM waitlist_entry WHERE customer_id = $1 LIMIT 1) one",
    ),
    (
        *(Kind.BOOKING, "booking_id", "attendee id", "state"),
        "FROM booking WHERE attendee_id = $1 ORDER BY booking_id DESC",
    ),
)
PEOPLE = united(
    "booking",
    Form.EMAIL,
    "e-mail address of customers, attendees, of who waits, of providers (booking)",
    (
        *(Kind.CUSTOMER, "person", "e-mail address", "'has bookings'"),
        "FROM (SELECT customer ->> 'id' AS person FROM booking_contact"
        f" WHERE lower(customer ->> 'email') = lower($1) LIMIT {LAST}) few GROUP BY person",
    ),
    (
        *(Kind.CUSTOMER, "person", "e-mail address", "'waits or has waited'"),
        "FROM (SELECT customer ->> 'id' AS person FROM waitlist_contact"
        f" WHERE lower(customer ->> 'email') = lower($1) LIMIT {LAST}) few GROUP BY person",
    ),
    (
        *(Kind.BOOKING, "booking_id", "e-mail address of who comes", "''"),
        "FROM booking_contact WHERE lower(attendee ->> 'email') = lower($1)",
    ),
    (
        *(Kind.PROVIDER, "provider_id", "e-mail address", "timezone"),
        "FROM provider WHERE lower(email) = lower($1)",
    ),
)
PAYMENTS = united(
    "payments",
    Form.ID,
    "payment, settlement, refund, payout, top-up, withdrawal, posting (payments)",
    (Kind.BOOKING, "booking_id", "payment id", "status", "FROM payment WHERE payment_id = $1"),
    (Kind.BOOKING, "booking_id", "booking id", "status", "FROM payment WHERE booking_id = $1"),
    (Kind.BOOKING, "booking_id", "settlement id", "via", "FROM settlement WHERE settlement_id = $1"),
    (Kind.BOOKING, "booking_id", "refund id", "status", "FROM refund WHERE refund_id = $1"),
    (Kind.BOOKING, "booking_id", "payout id", "status", "FROM payout WHERE payout_id = $1"),
    (Kind.CUSTOMER, "customer_id", "command about a wallet", "''", "FROM wallet_command WHERE command_id = $1"),
    (Kind.CUSTOMER, "customer_id", "part of a withdrawal", "status", "FROM withdrawal_part WHERE part_id = $1"),
    (
        *(Kind.BOOKING, "split_part(account, ':', 2)", "posting in the ledger", "account"),
        "FROM ledger_entry WHERE transaction_id = $1 AND account LIKE 'escrow:%'",
    ),
)
STRIPE = united(
    "payments",
    Form.STRIPE,
    "PaymentIntent, refund, transfer, dispute, charge, event of Stripe's (payments)",
    (Kind.BOOKING, "booking_id", "PaymentIntent", "status", "FROM payment WHERE payment_intent = $1"),
    (Kind.CUSTOMER, "customer_id", "PaymentIntent of a top-up", "status", "FROM top_up WHERE payment_intent = $1"),
    (Kind.BOOKING, "booking_id", "refund", "status", "FROM refund WHERE stripe_refund = $1"),
    (Kind.CUSTOMER, "customer_id", "refund of a top-up", "status", "FROM withdrawal_part WHERE stripe_refund = $1"),
    (
        *(Kind.BOOKING, "booking_id", "refund made at Stripe", "seen_at"),
        "FROM dashboard_refund WHERE stripe_refund = $1 AND booking_id IS NOT NULL",
    ),
    (
        *(Kind.CUSTOMER, "customer_id", "refund of a top-up made at Stripe", "seen_at"),
        "FROM dashboard_refund WHERE stripe_refund = $1 AND customer_id IS NOT NULL",
    ),
    (Kind.BOOKING, "booking_id", "transfer", "status", "FROM payout WHERE transfer_id = $1"),
    (
        *(Kind.BOOKING, "booking_id", "dispute", "outcome"),
        "FROM chargeback WHERE dispute_id = $1 AND booking_id IS NOT NULL",
    ),
    (
        *(Kind.CUSTOMER, "customer_id", "dispute of a top-up", "outcome"),
        "FROM chargeback WHERE dispute_id = $1 AND customer_id IS NOT NULL",
    ),
    (
        *(Kind.BOOKING, "p.booking_id", "charge or what moved money", "m.kind"),
        "FROM stripe_movement m JOIN payment p USING (payment_intent) WHERE m.subject = $1",
    ),
    (
        *(Kind.CUSTOMER, "t.customer_id", "charge of a top-up", "m.kind"),
        "FROM stripe_movement m JOIN top_up t USING (payment_intent) WHERE m.subject = $1",
    ),
    (
        *(Kind.BOOKING, "p.booking_id", "event of Stripe's", "e.type"),
        "FROM stripe_event e JOIN payment p ON p.payment_intent ="
        " coalesce(e.body #>> '{data,object,payment_intent}', e.body #>> '{data,object,id}') WHERE e.event_id = $1",
    ),
)
WALLETS = united(
    *("payments", Form.CUSTOMER, "customer with a wallet (payments)"),
    (Kind.CUSTOMER, "customer_id", "customer id", "'has a wallet'", "FROM wallet WHERE customer_id = $1"),
)
NOTIFICATIONS = united(
    "notifications",
    Form.ID,
    "letter, event that was told, webhook subscription and delivery (notifications)",
    (
        *(Kind.BOOKING, "booking_id", "letter", "d.kind || ', ' || d.state"),
        "FROM delivery d JOIN known_booking USING (booking_id) WHERE d.delivery_id = $1",
    ),
    (
        *(Kind.BOOKING, "booking_id", "event that letters are about", "kind"),
        "FROM delivery d JOIN known_booking USING (booking_id) WHERE d.event_id = $1",
    ),
    (
        *(Kind.BOOKING, "b.booking_id", "event", "e.type"),
        "FROM webhook_event e JOIN known_booking b ON b.booking_id ="
        " CASE WHEN pg_input_is_valid(e.key, 'uuid') THEN e.key::uuid END WHERE e.event_id = $1",
    ),
    (Kind.MESSAGE, "booking_id", "letter", "kind", "FROM delivery WHERE delivery_id = $1 OR event_id = $1"),
    (
        *(Kind.SUBSCRIPTION, "subscription_id", "subscription", "url"),
        "FROM webhook_subscription WHERE subscription_id = $1",
    ),
    (Kind.SUBSCRIPTION, "subscription_id", "delivery", "state", "FROM webhook_delivery WHERE delivery_id = $1"),
)
OPERATIONS = united(
    "operations",
    Form.ID,
    "finding, job (operations)",
    (Kind.FINDING, "violation_id", "finding", "kind", "FROM violation WHERE violation_id = $1"),
    (Kind.JOB, "job_id", "job", "act", "FROM job WHERE job_id = $1"),
)
