"""For a person on call: is it us, Kafka, PostgreSQL, Stripe or the mail server?"""

from __future__ import annotations

from deploy.dashboards import engine, panels
from deploy.dashboards.grafana import Dashboard, Panel, Row


def _blind(sample: str, title: str) -> Panel:
    return Panel(
        title,
        f"Replicas that have not read {title} for 30 s.",
        "short",
        [(f'sum(time() - booking_sampled_timestamp_seconds{{$, sample="{sample}"}} > bool 30)', "replicas blind")],
        stat=True,
        columns=4,
    )


US = Panel(
    "Us",
    "Dead letters, stuck sagas, blocked keys: what waits for a person because of a fault of ours.",
    "short",
    [
        ("sum(max by (job, type) (booking_dead_letters_open{$})) or vector(0)", "dead letters"),
        ("sum(max by (job) (booking_sagas_stuck{$})) or vector(0)", "stuck sagas"),
        ("sum(max by (job, type) (booking_blocked_keys{$})) or vector(0)", "blocked keys"),
    ],
    stat=True,
    columns=8,
)
STRIPE = Panel(
    "Stripe", panels.CIRCUIT.description, "short", [("max(booking_stripe_circuit_open{$})", "open")], True, columns=4
)
MAIL = Panel(
    "Mail server",
    "The age of the oldest call that notifications has open.",
    "s",
    [
        (
            "max(booking_gateway_call_oldest_seconds{$} and on (job) booking_letters_total{$})",
            "oldest letter under way",
        )
    ],
    stat=True,
    red=300,
    columns=4,
)
ON_CALL = Dashboard(
    "booking-on-call",
    "Booking: on call",
    "Is it us, Kafka, PostgreSQL, Stripe or the mail server? Panels name their alerts; docs/runbooks has a page each.",
    "booking_sampled_timestamp_seconds",
    (
        Row("Who is it?", (US, _blind("postgresql", "PostgreSQL"), _blind("kafka", "Kafka"), STRIPE, MAIL)),
        Row("What is promised", (panels.ANSWERED, panels.STEPS, panels.LETTERS_LATE)),
        engine.WAITING,
        Row(
            "Outside",
            (engine.CALLS, engine.CALL_TIME, panels.CIRCUIT, panels.STRIPES_EVENTS, panels.MAILS, panels.DIFFERENCES),
        ),
    ),
)
