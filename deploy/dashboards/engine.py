"""Panels that every service has, because it stands on the same engine (services/chassis/metrics.py)."""

from __future__ import annotations

from deploy.dashboards.grafana import Panel, Row

BEHIND = Panel(
    "Behind in Kafka",
    "How long the oldest record that is not handled yet has waited. Alert: BookingTimeBehind, above 60 s.",
    "s",
    [("max by (job, topic) (booking_consumer_behind_seconds{$})", "{{job}} {{topic}}")],
)
OUTBOX = Panel(
    "Oldest message that is not published",
    "The age of the outbox's oldest row. Alert: BookingOutboxOld, above 60 s.",
    "s",
    [("max by (job) (booking_outbox_oldest_seconds{$})", "{{job}}")],
)
TIMERS = Panel(
    "Timers late",
    "How late the oldest due timer is. Alert: BookingTimersLate, above 10 s.",
    "s",
    [("max by (job) (booking_timer_lateness_seconds{$})", "{{job}}")],
)
SAMPLES = Panel(
    "Age of what is shown",
    "How long ago each replica has read its database and Kafka. What is old lies. Alert: BookingSamplesStale.",
    "s",
    [
        (
            'max by (job, sample) (time() - booking_sampled_timestamp_seconds{$, sample!="totals"})',
            "{{job}} {{sample}}",
        )
    ],
)
LETTERS = Panel(
    "Dead letters that wait",
    "Messages that were set aside, by type. Alert: BookingDeadLetters.",
    "short",
    [("max by (job, type) (booking_dead_letters_open{$})", "{{job}} {{type}}")],
    stacked=True,
)
BLOCKED = Panel(
    "Blocked keys",
    "Keys whose messages wait behind one of their own, by the type of the first. Alert: BookingKeysBlocked.",
    "short",
    [("max by (job, type) (booking_blocked_keys{$})", "{{job}} {{type}}")],
    stacked=True,
)
HANDLED = Panel(
    "Messages decided",
    "By type, all outcomes.",
    "ops",
    [("sum by (type) (rate(booking_messages_handled_total{$}[$__rate_interval]))", "{{type}}")],
    stacked=True,
)
OUTCOMES = Panel(
    "Outcomes",
    "Accepted, or the code of the refusal; failed and waits are ours.",
    "ops",
    [("sum by (outcome) (rate(booking_messages_handled_total{$}[$__rate_interval]))", "{{outcome}}")],
    stacked=True,
)
BATCHES = Panel(
    "Time of a batch",
    "Of its transaction, half and nearly all.",
    "s",
    [
        (
            f"histogram_quantile({share}, sum by (le) (rate(booking_batch_seconds_bucket{{$}}[$__rate_interval])))",
            name,
        )
        for share, name in ((0.5, "p50"), (0.99, "p99"))
    ],
)
TRIES = Panel(
    "Batches rolled back",
    "Attempts, by reason (docs/engine.md, The ladder).",
    "ops",
    [("sum by (reason) (rate(booking_batch_failures_total{$}[$__rate_interval]))", "{{reason}}")],
)
RELAY = Panel(
    "Published",
    "Messages that Kafka has acknowledged.",
    "ops",
    [("sum by (job) (rate(booking_relay_published_total{$}[$__rate_interval]))", "{{job}}")],
)
CALLS = Panel(
    "Calls to the outside",
    "By operation and outcome.",
    "ops",
    [
        (
            "sum by (operation, outcome) (rate(booking_gateway_calls_total{$}[$__rate_interval]))",
            "{{operation}} {{outcome}}",
        )
    ],
)
CALL_TIME = Panel(
    "Time of a call",
    "Nearly all, by operation.",
    "s",
    [
        (
            "histogram_quantile(0.99, sum by (operation, le) "
            "(rate(booking_gateway_call_seconds_bucket{$}[$__rate_interval])))",
            "{{operation}}",
        )
    ],
)
OLDEST_CALL = Panel(
    "Oldest call without an answer",
    "Alert: BookingCallsOld, above an hour.",
    "s",
    [("max by (job) (booking_gateway_call_oldest_seconds{$})", "{{job}}")],
)
MEMORY = Panel(
    "Memory",
    "Resident, of each replica.",
    "bytes",
    [("max by (instance) (process_resident_memory_bytes{$})", "{{instance}}")],
)
CPU = Panel(
    "CPU",
    "Cores, of each replica.",
    "short",
    [("sum by (instance) (rate(process_cpu_seconds_total{$}[$__rate_interval]))", "{{instance}}")],
)

WAITING = Row("What waits", (BEHIND, OUTBOX, TIMERS, LETTERS, BLOCKED, SAMPLES))
WORK = Row("Work", (HANDLED, OUTCOMES, RELAY, BATCHES, TRIES, CPU, MEMORY))
OUTSIDE = Row("Calls to the outside", (CALLS, CALL_TIME, OLDEST_CALL))
