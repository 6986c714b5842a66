"""Every metric of the engine, declared once. Names and labels are part of the alerts in deploy/alerts."""

from prometheus_client import Counter, Gauge, Histogram

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)

batch_messages = Histogram("batch_messages", "Messages in a batch", buckets=(1, 2, 5, 10, 25, 50, 100, 250, 500))
batch_seconds = Histogram("batch_seconds", "Time of a batch's transaction", buckets=SECONDS)
batch_failures = Counter("batch_failures_total", "Attempts that were rolled back", ["reason"])
messages_handled = Counter("messages_handled_total", "Messages decided", ["type", "outcome"])
messages_repeated = Counter("messages_repeated_total", "Messages seen before", ["kind"])
messages_unknown = Counter("messages_unknown_total", "Events of a type this build does not know")
command_id_reused = Counter("command_id_reused_total", "Command ids that came again with another body")
dead_letters = Counter("dead_letters_total", "Messages set aside", ["kind"])
dead_letters_open = Gauge("dead_letters_open", "Messages set aside and waiting for an operator; refused input is none")
refused_input_open = Gauge("refused_input_open", "Refused records of clients that are kept for a look; they end by age")
refused_not_kept = Counter("refused_input_not_kept_total", "Refused records beyond what is kept in an hour")
blocked_keys = Gauge("blocked_keys", "Keys whose messages wait behind a failed one")
consumer_lag = Gauge("consumer_lag_records", "Records not consumed yet", ["topic"])
local_messages_overdue = Gauge("local_messages_overdue", "Timers and other local messages that are due")
timer_lateness_seconds = Gauge("timer_lateness_seconds", "How late the oldest due local message is")
outbox_rows = Gauge("outbox_rows", "Messages that wait for the relay")
outbox_oldest_seconds = Gauge("outbox_oldest_seconds", "Age of the oldest message that waits for the relay")
relay_leader = Gauge("relay_leader", "1 where this process is the relay of its database")
relay_published = Counter("relay_published_total", "Messages acknowledged by Kafka")
relay_restarts = Counter("relay_restarts_total", "Times the relay began again from the oldest row")
gateway_seconds = Histogram("gateway_call_seconds", "Time of a call to the outside", ["operation"], buckets=SECONDS)
gateway_outcomes = Counter("gateway_calls_total", "Calls to the outside by outcome", ["operation", "outcome"])
gateway_open = Gauge("gateway_calls_open", "Calls intended and not answered")
