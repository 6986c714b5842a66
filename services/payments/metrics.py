"""Payments' own metrics; names are what alerts watch (README.md, Alerts)."""

from prometheus_client import Counter, Gauge

circuit_open = Gauge("booking_stripe_circuit_open", "1 while calls to Stripe wait because it does not answer")
events_received = Counter("booking_stripe_events_total", "Events of Stripe's by how they came", ["way"])
for _way in ("webhook", "sweep"):
    events_received.labels(_way)  # from 0 on: what begins at 1 has no rate
webhooks_refused = Counter("booking_stripe_webhooks_refused_total", "Webhooks with a bad signature or body")
events_set_aside = Counter("booking_stripe_events_set_aside_total", "Events of Stripe's that could not be kept")
events_aside = Gauge("booking_payments_events_aside", "Events of Stripe's that are set aside")
rounds_failed = Counter("booking_payments_rounds_failed_total", "Rounds beside the messages that failed", ["round"])
reconciled = Counter("booking_payments_reconciled_total", "Differences between Stripe and us by repair", ["repair"])
reports_open = Gauge(
    "booking_payments_reports_open", "Captured PaymentIntents with our metadata that no row of ours knows"
)
refunds_failed = Gauge("booking_payments_refunds_failed", "Refunds that have failed and are owed", ["parked"])
payouts_failed = Gauge("booking_payments_payouts_failed", "Transfers to providers that have failed", ["parked"])
payouts_without_account = Gauge(
    "booking_payments_payouts_without_account", "Earnings of providers without a payout account"
)
dashboard_refunds = Gauge(
    "booking_payments_dashboard_refunds", "Refunds made at Stripe, not by us, in the last 7 days", ["lost"]
)
chargebacks_open = Gauge("booking_payments_chargebacks_open", "Chargebacks that are open")
lingering = Gauge("booking_payments_lingering", "Payments that have waited long for Stripe, by status", ["status"])
calls_overdue = Gauge("booking_payments_calls_overdue", "Calls to Stripe that have been open for more than an hour")
differences = Gauge(
    "booking_payments_differences",
    "What is otherwise at Stripe than here and only a person can judge, 7 days",
    ["kind"],
)
not_agreeing = Gauge(
    "booking_payments_not_agreeing", "Where Stripe, payments' rows and the ledger do not agree now", ["kind"]
)
compared_seconds = Gauge("booking_payments_compared_seconds", "Seconds since all of it was last compared")
posted = Counter(
    "booking_ledger_minor_total",
    "Money posted, in minor units, by what happened (model/ledger.py, Cause)",
    ["account", "cause", "currency", "side"],
)
held = Gauge("booking_money_held_minor", "Money in escrow and in wallets, in minor units", ["account", "currency"])
owed = Gauge("booking_money_owed_minor", "Money not yet with whose it is, in minor units", ["to", "currency"])
