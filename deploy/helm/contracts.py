"""What the chart takes from elsewhere: topics and who may use them, and what a database's roles may do."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from booking_contracts.rights import (
    SERVICES,
    Right,
    rights_of_admin_tools,
    rights_of_console,
    rights_of_operators,
    rights_of_service,
    rights_of_team,
)
from booking_contracts.topics import TOPICS

SCRIPTS = Path(__file__).parents[1] / "postgres"
CLIENT = "{{client}}"
"""Stands for the name of a client, with which its consumer groups begin."""
ROLES = {
    "internal": rights_of_team(CLIENT),
    "admin": rights_of_admin_tools(CLIENT),
    "operators": rights_of_operators(),
}
"""Of kafka.strimzi.clients."""
GRANT = re.compile(r"^(?:ALTER DEFAULT PRIVILEGES|GRANT|REVOKE)\b[^;]*;", re.MULTILINE)
EXTENSION = re.compile(r"^CREATE EXTENSION IF NOT EXISTS (\w+);", re.MULTILINE)
MADE_BY_NAME = re.compile(r':"?(service|owner)\b"?')


def facts() -> dict[str, Any]:
    """files/contracts.json: topics, the rights of services, of roles and of the console, statements for a database."""
    return {
        "topics": [{"name": one.name, "partitions": one.partitions, "config": one.config} for one in TOPICS],
        "services": {
            service: {
                "reads": [one.name for one in TOPICS if service in one.readers],
                "acls": acls(rights_of_service(service)),
            }
            for service in SERVICES
        },
        "roles": {role: acls(rights) for role, rights in ROLES.items()},
        "console": acls(rights_of_console()),
        "databases": {
            "statements": statements((SCRIPTS / "service.psql").read_text(encoding="utf-8")),
            "extensions": extensions((SCRIPTS / "databases.sql").read_text(encoding="utf-8")),
        },
    }


def acls(rights: Iterable[Right]) -> list[dict[str, Any]]:
    """Rights as Strimzi's KafkaUser has them."""
    return [
        {
            "operations": list(one.operations),
            "resource": {
                "type": one.resource,
                "name": one.name,
                "patternType": "prefix" if one.prefixed else "literal",
            },
        }
        for one in rights
    ]


def statements(script: str) -> list[str]:
    """What a service's script for psql grants and revokes; roles and database are made elsewhere.

    `{{service}}` is for the service's role and database, `{{owner}}` for the owner's role.
    """
    return [MADE_BY_NAME.sub(r'"{{\1}}"', one.removesuffix(";")) for one in GRANT.findall(script)]


def extensions(script: str) -> dict[str, list[str]]:
    """By service, what its database is given besides: a script for psql says it after the service's name."""
    parts = re.split(r"^\\set service (\w+)$", script, flags=re.MULTILINE)
    return {name: EXTENSION.findall(part) for name, part in zip(parts[1::2], parts[2::2], strict=True)}
