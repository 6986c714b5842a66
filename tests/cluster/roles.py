"""Roles of the databases: who connects as each, and where its password lies in the cluster."""

from __future__ import annotations

from booking_contracts.rights import SERVICES

from deploy.cluster.installation import database_url
from services.chassis.settings import LONGEST_INSTANCE
from services.operations.databases import DATABASES, OPERATIONS
from tests.cluster.pods import Pod

SESSIONS = """
SELECT DISTINCT application_name FROM pg_stat_activity WHERE usename = $1 AND backend_start > $2::text::timestamptz
"""
"""Of a role, from a moment on."""
AUDITOR, CONSOLE = "auditor", "console"
ROLES: dict[str, tuple[str, ...]] = {
    **{service: (service, CONSOLE) for service in SERVICES},
    OPERATIONS: (AUDITOR, CONSOLE),
    AUDITOR: (AUDITOR,),
}
"""Roles of the databases, each with the components that connect as it; the first of them names its file."""
FILES = {
    **dict.fromkeys(SERVICES, "database-password"),
    OPERATIONS: f"{OPERATIONS}-database-password",
    AUDITOR: f"{SERVICES[0]}-database-password",
}
"""By role: its password's, in the pods of its first component; all files of one role are of one Secret."""


def auditors(password: str) -> dict[str, str]:
    """How a look into the services' databases reaches them, by the names of a stack.env."""
    return {f"AUDITOR_{name.upper()}_DATABASE_URL": database_url(AUDITOR, name, password) for name in DATABASES}


def session_of(pod: Pod) -> str:
    """A part of the names that the pod's sessions have in PostgreSQL; the auditor's are called after itself."""
    return AUDITOR if pod.component == AUDITOR else pod.name[-LONGEST_INSTANCE:]
