"""`python -m services.operations.migrate`: bring each database named in the environment to this build's revision."""

from __future__ import annotations

import sys

from services.chassis.database import Address
from services.chassis.migration import migrate
from services.chassis.migration_locks import Blocked
from services.operations.databases import DATABASES


def main() -> int:
    """Migrates every one of DATABASES whose <NAME>_MIGRATION_URL, the owner's role, is set; its password may stand in
    <NAME>_MIGRATION_PASSWORD, and each of the two in the file that it names with _FILE.

    1 when one could not have its locks; whoever runs it may run it again.
    """
    named = {name: Address.named(f"{name.upper()}_MIGRATION") for name in DATABASES}
    if not any(named.values()):
        sys.stderr.write(f"Set one of {', '.join(f'{name.upper()}_MIGRATION_URL' for name in DATABASES)}.\n")
        return 2
    for name, database in named.items():
        if database is None:
            continue
        try:
            migrate(name, database)
        except Blocked as blocked:
            sys.stderr.write(f"{name}: {blocked}\n")
            return 1
        sys.stdout.write(f"{name}: migrated\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
