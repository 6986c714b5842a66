"""What the chart takes from elsewhere: topics and who may use them, and what a database's roles may do."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from booking_contracts.topics import ANY, TOPICS, Topic

from services.operations.migrate import SERVICES

SCRIPTS = Path(__file__).parents[1] / "postgres"
ROLES = {"internal": ANY, "admin": "admin tools", "operators": "operators"}
"""Roles of kafka.strimzi.clients, by the name that contracts' table has for them."""
GRANT = re.compile(r"^(?:ALTER DEFAULT PRIVILEGES|GRANT|REVOKE)\b[^;]*;", re.MULTILINE)
EXTENSION = re.compile(r"^CREATE EXTENSION (\w+);", re.MULTILINE)
MADE_BY_NAME = re.compile(r':"?(service|owner)\b"?')


def facts() -> dict[str, Any]:
    """files/contracts.json: topics with their settings, rights of services and of roles, statements for a database."""
    return {
        "topics": [{"name": one.name, "partitions": one.partitions, "config": one.config} for one in TOPICS],
        "services": {service: rights(service) for service in SERVICES},
        "roles": {role: rights(name) for role, name in ROLES.items()},
        "databases": {
            "statements": statements((SCRIPTS / "service.psql").read_text(encoding="utf-8")),
            "extensions": extensions((SCRIPTS / "databases.sql").read_text(encoding="utf-8")),
        },
    }


def rights(name: str) -> dict[str, list[str]]:
    """The topics that contracts have somebody read and write."""
    return {
        "reads": _names(one for one in TOPICS if name in one.readers),
        "writes": _names(one for one in TOPICS if name in one.writers),
    }


def statements(script: str) -> list[str]:
    """What a service's script for psql grants and revokes; roles and database are made elsewhere.

    `{{service}}` is for the service's role and database, `{{owner}}` for the owner's role.
    """
    return [MADE_BY_NAME.sub(r'"{{\1}}"', one.removesuffix(";")) for one in GRANT.findall(script)]


def extensions(script: str) -> dict[str, list[str]]:
    """By service, what its database is given besides: a script for psql says it after the service's name."""
    parts = re.split(r"^\\set service (\w+)$", script, flags=re.MULTILINE)
    return {name: EXTENSION.findall(part) for name, part in zip(parts[1::2], parts[2::2], strict=True)}


def _names(topics: Iterable[Topic]) -> list[str]:
    return [one.name for one in topics]
