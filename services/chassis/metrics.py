"""Every metric of the engine, declared once. Names and labels are what alerts watch (docs/operating.md).

Names are written out in full, with the system's prefix, so that a search for one finds it (docs/decisions/0035).
"""

from importlib.metadata import version

from prometheus_client import (
    GC_COLLECTOR,
    PLATFORM_COLLECTOR,
    PROCESS_COLLECTOR,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
)

disable_created_metrics()  # type: ignore[no-untyped-call]
"""A second series for each counter, which no query of ours asks for."""

ANSWER_SECONDS = (0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
"""1: what is promised (docs/runbooks/BookingAnswersLate.md)."""
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)

batch_messages = Histogram(
    "booking_batch_messages", "Messages in a batch", buckets=(1, 2, 5, 10, 25, 50, 100, 250, 500)
)
batch_seconds = Histogram("booking_batch_seconds", "Time of a batch's transaction", buckets=SECONDS)
batch_failures = Counter("booking_batch_failures_total", "Attempts that were rolled back", ["reason"])
messages_handled = Counter("booking_messages_handled_total", "Messages decided", ["type", "outcome"])
messages_repeated = Counter("booking_messages_repeated_total", "Messages seen before", ["kind"])
messages_unknown = Counter("booking_messages_unknown_total", "Events of a type this build does not know")
command_id_reused = Counter("booking_command_id_reused_total", "Command ids that came again with another body")
dead_letters = Counter("booking_dead_letters_total", "Messages set aside", ["kind"])
dead_letters_open = Gauge(
    "booking_dead_letters_open", "Messages set aside and waiting for an operator; refused input is none", ["type"]
)
refused_input_open = Gauge(
    "booking_refused_input_open", "Refused records of clients that are kept for a look; they end by age"
)
refused_not_kept = Counter("booking_refused_input_not_kept_total", "Refused records beyond what is kept in an hour")
blocked_keys = Gauge("booking_blocked_keys", "Keys whose messages wait, by the type of the first one", ["type"])
consumer_lag = Gauge("booking_consumer_lag_records", "Records not consumed yet", ["topic"])
consumer_behind = Gauge(
    "booking_consumer_behind_seconds", "How long the oldest record that is not consumed yet has been there", ["topic"]
)
set_back = Gauge(
    "booking_database_set_back_timestamp_seconds", "When the database was last seen to be set back; Unix time, 0: never"
)
records_missed = Counter(
    "booking_records_missed_total", "Records that the log dropped before they were read", ["topic"]
)
local_messages_overdue = Gauge("booking_local_messages_overdue", "Timers and other local messages that are due")
timer_lateness_seconds = Gauge("booking_timer_lateness_seconds", "How late the oldest due local message is")
outbox_rows = Gauge("booking_outbox_rows", "Messages that wait for the relay")
outbox_oldest_seconds = Gauge("booking_outbox_oldest_seconds", "Age of the oldest message that waits for the relay")
command_answer_seconds = Histogram(
    "booking_command_answer_seconds",
    "From when a command was published to when Kafka has its reply",
    buckets=ANSWER_SECONDS,
)
relay_leader = Gauge("booking_relay_leader", "1 where this process is the relay of its database")
relay_published = Counter("booking_relay_published_total", "Messages acknowledged by Kafka")
relay_restarts = Counter("booking_relay_restarts_total", "Times the relay began again from the oldest row")
gateway_seconds = Histogram(
    "booking_gateway_call_seconds", "Time of a call to the outside", ["operation"], buckets=SECONDS
)
gateway_outcomes = Counter("booking_gateway_calls_total", "Calls to the outside by outcome", ["operation", "outcome"])
gateway_open = Gauge("booking_gateway_calls_open", "Calls intended and not answered")
gateway_oldest_seconds = Gauge("booking_gateway_call_oldest_seconds", "Age of the oldest call that is not answered")
sampled = Gauge(
    "booking_sampled_timestamp_seconds", "When this process last read the gauges of one source; Unix time", ["sample"]
)
certificate_expiry = Gauge(
    "booking_certificate_expiry_timestamp_seconds", "When the first certificate of a file ends; 0: unreadable", ["file"]
)
token_expiry = Gauge(
    "booking_token_expiry_timestamp_seconds", "When a token of API_TOKENS or CONSOLE_TOKENS ends; Unix time", ["name"]
)
build = Gauge("booking_build_info", "1 in every process of ours, for as long as it runs", ["version"])
build.labels(version("booking-services")).set(1)


def of_any_process() -> CollectorRegistry:
    """A registry for a process that is no service: what all of ours export, and none of the engine's gauges. They would
    be there as 0, as if somebody had looked."""
    registry = CollectorRegistry()
    for one in (PROCESS_COLLECTOR, PLATFORM_COLLECTOR, GC_COLLECTOR, build, certificate_expiry, token_expiry):
        registry.register(one)
    return registry
