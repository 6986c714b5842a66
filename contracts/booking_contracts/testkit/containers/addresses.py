"""Where a system in containers is reached from the host: what a stack.env says (contract.md, The local stack)."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from testcontainers.core.container import DockerContainer

from booking_contracts.testkit.containers.composition import Part
from booking_contracts.testkit.containers.kafka import ApacheKafkaContainer
from booking_contracts.testkit.containers.postgres import PostgreSQLContainer

HTTP: Mapping[str, tuple[str, int, str | None]] = {
    "BOOKING_URL": ("booking", 8080, "/health/ready"),
    "PAYMENTS_URL": ("payments", 8080, "/health/ready"),
    "NOTIFICATIONS_URL": ("notifications", 8080, "/health/ready"),
    "STRIPE_API_BASE": ("stripe-simulator", 12111, None),
    "STRIPE_CONTROL_URL": ("stripe-simulator", 12112, "/health"),
    "MAILBOX_URL": ("mailbox", 8025, "/messages"),
    "CLOCK_OFFSET_URL": ("clock", 8026, "/"),
}
"""By the name in stack.env: the part, its port, and the path that answers 200 once it is ready."""
DATABASES: Mapping[str, tuple[str, str]] = {
    "BOOKING_DATABASE_URL": ("booking", "DATABASE_URL"),
    "PAYMENTS_DATABASE_URL": ("payments", "DATABASE_URL"),
    "NOTIFICATIONS_DATABASE_URL": ("notifications", "DATABASE_URL"),
}
"""Part, and the variable that it has the address in, with its own role."""


def asked(part: str, container: DockerContainer) -> list[str]:
    """The URLs that answer once the part is ready; none of what speaks no HTTP. The container must run."""
    return [_url(container, port) + path for name, port, path in HTTP.values() if name == part and path]


def stack_env(parts: Mapping[str, Part], containers: Mapping[str, DockerContainer]) -> dict[str, str]:
    """All of them, of containers that run."""
    kafka, postgres = containers["kafka"], containers["postgres"]
    assert isinstance(kafka, ApacheKafkaContainer), "it tells its clients the address that it has on the host"
    assert isinstance(postgres, PostgreSQLContainer), "it knows its address on the host"
    found = {name: _url(containers[part], port) for name, (part, port, _) in HTTP.items()}
    for name, (part, variable) in DATABASES.items():
        inside = urlsplit(parts[part].environment[variable])
        found[name] = postgres.url(inside.username or "", inside.password, inside.path.removeprefix("/"))
    return found | {"KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap_servers, "POSTGRES_ADMIN_URL": postgres.url()}


def _url(container: DockerContainer, port: int) -> str:
    return f"http://{container.get_container_host_ip()}:{container.get_exposed_port(port)}"
