"""`python -m services.operations.migrate`: bring each database named in the environment to this build's revision."""

from __future__ import annotations

import sys

from services.chassis.database import Address
from services.chassis.migration import migrate
from services.chassis.migration_locks import Blocked

SERVICES = ("booking", "payments", "notifications")


def main() -> int:
    """Migrates every service whose <SERVICE>_MIGRATION_URL, the owner's role, is set; its password may stand in
    <SERVICE>_MIGRATION_PASSWORD, and each of the two in the file that it names with _FILE.

    1 when one could not have its locks; whoever runs it may run it again.
    """
    named = {service: Address.named(f"{service.upper()}_MIGRATION") for service in SERVICES}
    if not any(named.values()):
        sys.stderr.write("Set BOOKING_MIGRATION_URL, PAYMENTS_MIGRATION_URL or NOTIFICATIONS_MIGRATION_URL.\n")
        return 2
    for service, database in named.items():
        if database is None:
            continue
        try:
            migrate(service, database)
        except Blocked as blocked:
            sys.stderr.write(f"{service}: {blocked}\n")
            return 1
        sys.stdout.write(f"{service}: migrated\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
