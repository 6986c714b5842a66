"""Payments' own metrics; names are part of the alerts in deploy/alerts."""

from prometheus_client import Counter, Gauge

circuit_open = Gauge("stripe_circuit_open", "1 while calls to Stripe wait because it does not answer")
events_received = Counter("stripe_events_total", "Events of Stripe's by how they came", ["way"])
webhooks_refused = Counter("stripe_webhooks_refused_total", "Webhooks with a bad signature or body")
events_set_aside = Counter("stripe_events_set_aside_total", "Events of Stripe's that could not be kept")
events_aside = Gauge("payments_events_aside", "Events of Stripe's that are set aside")
rounds_failed = Counter("payments_rounds_failed_total", "Rounds beside the messages that failed", ["round"])
reconciled = Counter("payments_reconciled_total", "Differences between Stripe and us by repair", ["repair"])
reports_open = Gauge("payments_reports_open", "Captured PaymentIntents with our metadata that no row of ours knows")
refunds_failed = Gauge("payments_refunds_failed", "Refunds that have failed and are owed", ["parked"])
payouts_failed = Gauge("payments_payouts_failed", "Transfers to providers that have failed", ["parked"])
payouts_without_account = Gauge("payments_payouts_without_account", "Earnings of providers without a payout account")
dashboard_refunds = Gauge(
    "payments_dashboard_refunds", "Refunds made at Stripe, not by us, in the last 7 days", ["lost"]
)
chargebacks_open = Gauge("payments_chargebacks_open", "Chargebacks that are open")
lingering = Gauge("payments_lingering", "Payments that have waited long for Stripe, by status", ["status"])
calls_overdue = Gauge("payments_calls_overdue", "Calls to Stripe that have been open for more than an hour")
differences = Gauge(
    "payments_differences", "What is otherwise at Stripe than here and only a person can judge, 7 days", ["kind"]
)
not_agreeing = Gauge("payments_not_agreeing", "Where Stripe, payments' rows and the ledger do not agree now", ["kind"])
compared_seconds = Gauge("payments_compared_seconds", "Seconds since all of it was last compared")
