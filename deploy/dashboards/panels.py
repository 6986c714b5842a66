"""Panels that stand on more than one dashboard."""

from __future__ import annotations

from deploy.dashboards.grafana import Panel

ANSWERED = Panel(
    "Commands answered within a second",
    "The share. Objective: 99.5 % over 30 days. Alert: BookingAnswersLate.",
    "percentunit",
    [
        (
            'sum by (job) (rate(booking_command_answer_seconds_bucket{$, le=~"1|1.0"}[$__rate_interval]))'
            " / sum by (job) (rate(booking_command_answer_seconds_count{$}[$__rate_interval]))",
            "{{job}}",
        )
    ],
)
ANSWER_TIME = Panel(
    "Time to answer a command",
    "From when it was published to when Kafka has the reply.",
    "s",
    [
        (
            f"histogram_quantile({share}, sum by (le) "
            "(rate(booking_command_answer_seconds_bucket{$}[$__rate_interval])))",
            name,
        )
        for share, name in ((0.5, "p50"), (0.99, "p99"))
    ],
)
STEPS = Panel(
    "Steps of sagas that ended",
    "In time, late, stuck. Objective: 99 % in time over 30 days. Alert: BookingSagaStepsLate.",
    "ops",
    [("sum by (step, end) (rate(booking_saga_steps_total{$}[$__rate_interval]))", "{{step}} {{end}}")],
)
LETTERS_LATE = Panel(
    "Letters, and those sent within five minutes",
    "Objective: 99 % over 30 days. Alert: BookingLettersLate.",
    "ops",
    [
        ('sum(rate(booking_letters_total{$, state="pending"}[$__rate_interval]))', "written"),
        ('sum(rate(booking_letter_seconds_bucket{$, le=~"300|300.0"}[$__rate_interval]))', "sent within 5 minutes"),
        ('sum(rate(booking_letters_total{$, state="failed"}[$__rate_interval]))', "no such address"),
    ],
)
CIRCUIT = Panel(
    "Stripe's circuit",
    "1 while calls wait because Stripe does not answer. Alert: BookingStripeCircuitOpen.",
    "short",
    [("max by (job) (booking_stripe_circuit_open{$})", "{{job}}")],
)
STRIPES_EVENTS = Panel(
    "Stripe's events",
    "By webhook, or found by asking. Alert: BookingWebhooksSilent.",
    "ops",
    [("sum by (way) (rate(booking_stripe_events_total{$}[$__rate_interval]))", "{{way}}")],
)
PARKED = Panel(
    "Refunds and payouts that failed",
    "Parked ones need a person. Alerts: BookingRefundsParked, BookingPayoutsParked.",
    "short",
    [
        ("max by (parked) (booking_payments_refunds_failed{$})", "refunds, parked: {{parked}}"),
        ("max by (parked) (booking_payments_payouts_failed{$})", "payouts, parked: {{parked}}"),
        ("max(booking_payments_payouts_without_account{$})", "payouts without account"),
    ],
)
DIFFERENCES = Panel(
    "Stripe and the ledger do not agree",
    "Differences that count, by kind. Alert: BookingMoneyDiffers.",
    "short",
    [("max by (kind) (booking_payments_not_agreeing{$})", "{{kind}}")],
)
WEBHOOKS = Panel(
    "Webhooks",
    "Tries to post an event to a subscriber, by outcome, and what was given up.",
    "ops",
    [
        ("sum by (outcome) (rate(booking_webhook_tries_total{$}[$__rate_interval]))", "{{outcome}}"),
        ('sum(rate(booking_webhook_deliveries_total{$, state="failed"}[$__rate_interval]))', "given up"),
    ],
)
SUBSCRIBERS = Panel(
    "Subscribers",
    "Those that are dead, and events that wait for who is active. Alert: BookingSubscriberDead.",
    "short",
    [
        ("max(booking_webhook_subscribers_dead{$})", "dead"),
        ("max(booking_webhook_pending{$})", "events that wait"),
    ],
)
MAILS = Panel(
    "Mails",
    "Tries to hand one to the server, by outcome.",
    "ops",
    [("sum by (outcome) (rate(booking_mail_outcomes_total{$}[$__rate_interval]))", "{{outcome}}")],
)
