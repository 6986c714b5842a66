"""`python -m services.operations.migrate`: bring each database named in the environment to this build's revision."""

from __future__ import annotations

import os
import sys

from services.chassis.migration import migrate

SERVICES = ("booking", "payments", "notifications")


def main() -> int:
    """Migrates every service whose <SERVICE>_MIGRATION_URL, the owner's role, is set."""
    done = 0
    for service in SERVICES:
        url = os.environ.get(f"{service.upper()}_MIGRATION_URL")
        if url:
            migrate(service, url)
            done += 1
            sys.stdout.write(f"{service}: migrated\n")
    if not done:
        sys.stderr.write("Set BOOKING_MIGRATION_URL, PAYMENTS_MIGRATION_URL or NOTIFICATIONS_MIGRATION_URL.\n")
    return 0 if done else 2


if __name__ == "__main__":
    raise SystemExit(main())
