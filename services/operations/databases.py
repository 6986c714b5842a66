"""The databases of one installation: each service's own, and that of what operators run."""

from booking_contracts.rights import SERVICES

OPERATIONS = "operations"
"""Auditor and console keep there what they have found and done. It has no topics, and none of the engine's tables."""
DATABASES = (*SERVICES, OPERATIONS)
"""What is migrated, backed up and given roles; each is named like its role."""
LIFE = """
SELECT concat_ws('/', (SELECT system_identifier FROM pg_control_system()),
                 left(pg_walfile_name(pg_current_wal_lsn()), 8), oid)
FROM pg_database WHERE datname = current_database()
"""
"""A text that changes where a database is restored, copied, or taken over by a standby: of which cluster it is, on
which timeline, which of its databases. What it remembers as under way may have ended in the life that it forgot."""
