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
    return "a batch holds these rows or has changed them meanwhile: nothing was done, try again"
