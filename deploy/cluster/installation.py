"""What runs in the cluster: what the services need, in the namespace `deps`, and the chart, in `bookings`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from deploy.cluster.cluster import Cluster

DEPS, NAMESPACE, RELEASE = "deps", "bookings", "bookings"
FULL_NAME = f"{RELEASE}-booking-system"
"""What the names of the chart's objects begin with: Deployment, Service and budget `<FULL_NAME>-booking`, …"""
SERVICES = ("booking", "payments", "notifications")
TOKEN = "local-token"
"""What the HTTP paths are asked with."""
ADDRESSES = {
    "kafka": "kafka.deps:9092",
    "postgres": "postgres.deps:5432",
    "stripe": "http://stripe-simulator.deps:12111",
    "stripe-control": "http://stripe-simulator.deps:12112",
    "mailbox": "http://mailbox.deps:8025",
    **{service: f"http://{FULL_NAME}-{service}.{NAMESPACE}:8080" for service in SERVICES},
}
"""As Cluster.run_inside and pods reach them."""


def database_url(role: str, database: str) -> str:
    """A PostgreSQL URL, as run_inside reaches it: `postgres`, `auditor`, a service's name, or that and `_owner`."""
    raise NotImplementedError


def load(cluster: Cluster, images: Mapping[str, str]) -> None:
    """Bring what `deploy.images.build` returned, and what sandboxes are made of, into the nodes."""
    raise NotImplementedError


def prepare(cluster: Cluster, images: Mapping[str, str]) -> None:
    """Namespaces, `bookings` with enforced restricted Pod Security; Secrets; PostgreSQL, Kafka, Stripe's simulator and
    the mailbox as Deployments in `deps`, available. Their data is in the cluster's folder: they may be restarted, or
    be scaled to 0 and back. Raises Failed.
    """
    raise NotImplementedError


def chart() -> Path:
    """The chart with alerts and dashboards in it, in the cluster's folder."""
    raise NotImplementedError


def install(cluster: Cluster, *more: str, values: Sequence[Path] = ()) -> str:
    """`helm upgrade --install --wait` of the chart with values.yaml, further value files over it, and more arguments
    (`--set`, `services.booking.replicas=3`); returns what Helm prints. Raises Failed.
    """
    raise NotImplementedError
