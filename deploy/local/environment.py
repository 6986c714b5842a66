"""What the stack tells its users (`stack.env`) and what it gives its services."""

import hashlib
import json
import os
import sys
from collections.abc import Mapping

from booking_contracts.rights import CONSOLE, SERVICES, TOPICS_JOB

from deploy.local.layout import REPOSITORY, Layout
from deploy.local.secured import kafka_env, secured
from services.operations.databases import DATABASES, OPERATIONS

SCOPES = ("read:bookings", "read:money", "read:pii", "client-secret", "webhooks:write")
CONSOLE_ROLES = ("money", "pii")
"""The highest of the console's roles, and the right to see who somebody is."""
STRIPE_API_KEY = "sk_test_local_simulator"
MAIL_FROM = "no-reply@booking.test"
ADMIN_EMAIL = "admin@booking.test"
INHERITED = ("HOME", "PATH", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH")
INHERITED_PREFIXES = ("PYTHON", "OTEL_", "COVERAGE_")


def stack_env(layout: Layout) -> dict[str, str]:
    """The names of the contract's section "The local stack", and some more for tests and tools."""
    values = {
        "KAFKA_BOOTSTRAP_SERVERS": f"127.0.0.1:{layout.ports['kafka']}",
        "STRIPE_API_BASE": layout.url("stripe-simulator"),
        "STRIPE_CONTROL_URL": layout.url("stripe-control"),
        "STRIPE_WEBHOOK_SECRET": layout.secrets["stripe-webhook"],
        "MAILBOX_URL": layout.url("mailbox"),
        "SMTP_HOST": "127.0.0.1",
        "SMTP_PORT": str(layout.ports["mailbox-smtp"]),
        "CLOCK_OFFSET_URL": layout.url("clock-offset"),
        "UNSUBSCRIBE_SECRET": layout.secrets["unsubscribe"],
        "SERVICE_TOKEN": layout.secrets["service-token"],
        "CONSOLE_URL": layout.url("console"),
        "CONSOLE_TOKEN": layout.secrets["console-token"],
        "POSTGRES_ADMIN_URL": layout.database_url("postgres", "postgres"),
    }
    for database in DATABASES:
        prefix = database.upper()
        values[f"{prefix}_DATABASE_URL"] = layout.database_url(database, database)
        values[f"{prefix}_MIGRATION_URL"] = layout.database_url(f"{database}_owner", database)
        values[f"AUDITOR_{prefix}_DATABASE_URL"] = layout.database_url("auditor", database)
    for replica in layout.replicas:
        service, number = replica.upper().rsplit("-", 1)
        name = f"{service}_URL" if number == "1" else f"{service}_URL_{number}"
        values[name] = layout.url(replica)
    return values


def service_env(layout: Layout, service: str, number: int) -> dict[str, str]:
    """The environment of one replica of a service."""
    name = f"{service}-{number}"
    values = python_env() | {
        "KAFKA_BOOTSTRAP_SERVERS": f"127.0.0.1:{layout.ports['kafka']}",
        "DATABASE_URL": layout.database_url(service, service),
        "HTTP_HOST": "127.0.0.1",
        "HTTP_PORT": str(layout.ports[name]),
        "INSTANCE": name,
        "API_TOKENS": json.dumps([_local_token(layout.secrets["service-token"])]),
        "CLOCK_OFFSET_FILE": str(layout.clock_offset_file),
    }
    values |= _outside_world(layout, service)
    return secured(layout, service, values) if layout.secure else values


def auditor_env(layout: Layout) -> dict[str, str]:
    """The auditor reads every service as the role that can write nothing, and keeps what it finds."""
    values = (
        _operators_env(layout, "auditor")
        | {f"{service.upper()}_DATABASE_URL": layout.database_url("auditor", service) for service in SERVICES}
        | {"OPERATIONS_DATABASE_URL": layout.database_url(OPERATIONS, OPERATIONS)}
    )
    return secured(layout, "auditor", values) if layout.secure else values


def console_env(layout: Layout) -> dict[str, str]:
    """The console acts as each service; whoever has the stack's token may do everything there."""
    digest = hashlib.sha256(layout.secrets["console-token"].encode()).hexdigest()
    replicas = {
        service: [layout.url(name) for name in layout.replicas if name.rpartition("-")[0] == service]
        for service in SERVICES
    }
    values = _operators_env(layout, "console") | {
        "KAFKA_BOOTSTRAP_SERVERS": f"127.0.0.1:{layout.ports['kafka']}",
        **{f"{name.upper()}_DATABASE_URL": layout.database_url(name, name) for name in DATABASES},
        "CONSOLE_TOKENS": json.dumps([{"name": "local", "token_sha256": digest, "roles": CONSOLE_ROLES}]),
        "CONSOLE_SESSION_SECRETS": json.dumps([layout.secrets["console-session"]]),
        "CONSOLE_HTTPS": "false",
        "CONSOLE_SERVICES": json.dumps(replicas),
    }
    return secured(layout, CONSOLE, values) if layout.secure else values


def migration_env(layout: Layout) -> dict[str, str]:
    """The environment of migrations and topic creation: the only users of the owner roles."""
    names = ("KAFKA_BOOTSTRAP_SERVERS", *(f"{database.upper()}_MIGRATION_URL" for database in DATABASES))
    known = stack_env(layout)
    wanted = python_env() | {name: known[name] for name in names}
    return wanted | kafka_env(layout, TOPICS_JOB) if layout.secure else wanted


def python_env(inherited: Mapping[str, str] = os.environ) -> dict[str, str]:
    """A small environment for our own Python processes: a caller's settings do not leak into them."""
    kept = {
        name: value for name, value in inherited.items() if name in INHERITED or name.startswith(INHERITED_PREFIXES)
    }
    sources = f"{REPOSITORY}{os.pathsep}{REPOSITORY / 'contracts'}"
    return kept | {"PYTHONPATH": sources, "PYTHONUNBUFFERED": "1"}


def python_module(module: str, *arguments: str) -> tuple[str, ...]:
    """The command that runs a module of this repository."""
    return (sys.executable, "-m", module, *arguments)


def _operators_env(layout: Layout, name: str) -> dict[str, str]:
    at = {"HTTP_HOST": "127.0.0.1", "HTTP_PORT": str(layout.ports[name]), "INSTANCE": name}
    return python_env() | at | {"CLOCK_OFFSET_FILE": str(layout.clock_offset_file)}


def _outside_world(layout: Layout, service: str) -> dict[str, str]:
    if service == "payments":
        return {
            "STRIPE_API_KEY": STRIPE_API_KEY,
            "STRIPE_API_BASE": layout.url("stripe-simulator"),
            "STRIPE_WEBHOOK_SECRETS": json.dumps([layout.secrets["stripe-webhook"]]),
        }
    if service == "notifications":
        return {
            "SMTP_HOST": "127.0.0.1",
            "SMTP_PORT": str(layout.ports["mailbox-smtp"]),
            "MAIL_FROM": MAIL_FROM,
            "ADMIN_EMAIL": ADMIN_EMAIL,
            "WEBHOOK_NETWORKS": '["127.0.0.0/8"]',
            "WEBHOOK_PORTS": "[]",
            "WEBHOOK_PLAIN_HTTP": "true",
            "PUBLIC_URL": layout.url("notifications-1"),
            "UNSUBSCRIBE_SECRETS": json.dumps([layout.secrets["unsubscribe"]]),
        }
    return {}


def _local_token(token: str) -> dict[str, object]:
    digest = hashlib.sha256(token.encode()).hexdigest()
    return {"name": "local", "token_sha256": digest, "scopes": list(SCOPES)}
