"""Why an act of an operator was not done, as bookingctl and the console tell it."""

from __future__ import annotations

import asyncpg

from services.chassis.operator import NotPossible
from services.chassis.service import PlanChanged

REFUSED = (NotPossible, asyncpg.LockNotAvailableError, PlanChanged)
"""Nothing was done; doing it again, or something else, may well succeed."""


def sentence(refused: Exception) -> str:
    """For one of REFUSED: what the operator can do about it."""
    if isinstance(refused, NotPossible):
        return str(refused)
    if isinstance(refused, PlanChanged):
        return f"it has changed meanwhile, {refused}: nothing was done, try again"
    return "a batch holds these rows: nothing was done, try again"
