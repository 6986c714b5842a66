"""The databases of one installation: each service's own, and that of what operators run."""

from booking_contracts.rights import SERVICES

OPERATIONS = "operations"
"""Auditor and console keep there what they have found and done. It has no topics, and none of the engine's tables."""
DATABASES = (*SERVICES, OPERATIONS)
"""What is migrated, backed up and given roles; each is named like its role."""
