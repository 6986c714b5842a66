"""Metrics of webhooks; names are what alerts watch (README.md, Alerts)."""

from prometheus_client import Counter, Gauge, Histogram

from services.notifications.model.deliveries import State

tries = Counter("booking_webhook_tries_total", "Tries to post an event to a subscriber, by outcome", ["outcome"])
try_seconds = Histogram(
    "booking_webhook_try_seconds", "Time of one try", buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
)
tries_open = Gauge("booking_webhook_tries_open", "Tries that are being made")
deliveries = Counter("booking_webhook_deliveries_total", "Events that a subscriber took, or was given up on", ["state"])
seconds = Histogram(
    "booking_webhook_seconds",
    "From when an event was known here to when a subscriber had taken it",
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 5, 30, 300, 3600, 86400),
)
subscribers = Gauge("booking_webhook_subscribers", "Subscriptions, by state", ["state"])
subscribers_dead = Gauge(
    "booking_webhook_subscribers_dead", "Subscribers that nothing reached for a day, or that are switched off for it"
)
pending = Gauge("booking_webhook_pending", "Events that wait for a subscriber that is active; 10000: as many or more")
oldest_seconds = Gauge("booking_webhook_oldest_seconds", "How long the oldest of them has been tried")
for _outcome in ("taken", "failed"):
    tries.labels(_outcome)  # from 0 on: what begins at 1 has no rate
for _state in (State.SUCCEEDED, State.FAILED):
    deliveries.labels(_state)


def count(state: str, age_seconds: float = 0.0) -> None:
    """A delivery came to its end."""
    deliveries.labels(state).inc()
    if state == State.SUCCEEDED:
        seconds.observe(max(0.0, age_seconds))
