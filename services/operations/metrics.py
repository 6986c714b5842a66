"""The auditor's metrics, in a registry of their own: gauges of services would be there as 0, as if it had looked."""

from prometheus_client import CollectorRegistry, Gauge

REGISTRY = CollectorRegistry()
not_agreeing = Gauge(
    "booking_auditor_not_agreeing",
    "What Stripe, payments and bookings did not agree on when the auditor last looked",
    registry=REGISTRY,
)
looked = Gauge(
    "booking_auditor_looked_timestamp_seconds",
    "When the auditor was started, or last saw all; Unix time",
    registry=REGISTRY,
)
