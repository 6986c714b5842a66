"""One for each service: what is its own, and what it has of the engine."""

from __future__ import annotations

from deploy.dashboards import engine, panels
from deploy.dashboards.grafana import Dashboard, Panel, Row

BOOKING = Dashboard(
    "booking-service",
    "Booking: the booking service",
    "Commands, sagas, timers.",
    "booking_sagas_stuck",
    (
        Row(
            "Booking",
            (
                panels.ANSWERED,
                panels.ANSWER_TIME,
                panels.STEPS,
                Panel(
                    "Sagas that are not done",
                    "By step and status. Alerts: BookingSagaStuck, BookingSagaUnanswered.",
                    "short",
                    [("max by (step, status) (booking_sagas{$})", "{{step}} {{status}}")],
                    stacked=True,
                ),
            ),
        ),
        engine.WAITING,
        engine.WORK,
    ),
)
PAYMENTS = Dashboard(
    "booking-payments",
    "Booking: payments",
    "Calls to Stripe, what it tells, and money that does not arrive.",
    "booking_stripe_circuit_open",
    (
        Row("Stripe", (engine.CALLS, engine.CALL_TIME, engine.OLDEST_CALL, panels.CIRCUIT, panels.STRIPES_EVENTS)),
        Row(
            "Money that waits for a person",
            (
                panels.PARKED,
                panels.DIFFERENCES,
                Panel(
                    "Since the last comparison",
                    "Of Stripe, rows and ledger. Alert: BookingComparisonOld, above an hour.",
                    "s",
                    [("max(booking_payments_compared_seconds{$})", "seconds")],
                ),
                Panel(
                    "Chargebacks that are open",
                    "Give evidence at Stripe before their due dates.",
                    "short",
                    [("max(booking_payments_chargebacks_open{$})", "open")],
                ),
                Panel(
                    "Payments that linger",
                    "Longer than 10 minutes in a state that should pass.",
                    "short",
                    [("max by (status) (booking_payments_lingering{$})", "{{status}}")],
                ),
            ),
        ),
        engine.WAITING,
        engine.WORK,
    ),
)
NOTIFICATIONS = Dashboard(
    "booking-notifications",
    "Booking: notifications",
    "Letters, the mail server, and webhooks.",
    "booking_letters_total",
    (
        Row("Letters", (panels.LETTERS_LATE, panels.MAILS)),
        Row("Webhooks", (panels.WEBHOOKS, panels.SUBSCRIBERS)),
        engine.OUTSIDE,
        engine.WAITING,
        engine.WORK,
    ),
)
