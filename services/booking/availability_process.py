"""Availability is computed in a process of its own: an answer takes long, and the loop runs batches."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from uuid import UUID

from services.booking.availability_worker import FOUND
from services.chassis.encoding import encoded
from services.chassis.problems import Problem, bad_request, not_found, unavailable
from services.chassis.side_process import SideProcess


class CalendarProcess:
    """The service's side of availability_worker.py, which finds its database as the service does: in this process's
    environment, with `environment` added to it."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._process = SideProcess("services.booking.availability_worker", environment)

    def running(self) -> AbstractAsyncContextManager[None]:
        """The process, for as long as the service serves."""
        return self._process.running()

    async def slots(
        self, offering_id: UUID | None, provider_id: UUID | None, start: datetime, end: datetime, now: datetime
    ) -> bytes:
        """The JSON of `{"slots": […]}`. Raises Problem."""
        try:
            found = await self._process.ask(encoded([offering_id, provider_id, start, end, now]))
        except (OSError, TimeoutError):
            raise unavailable("Too many ask for availability, or for too much; try again shortly.") from None
        if found[:1] == FOUND:
            return found[1:]
        status, detail = json.loads(found[1:])
        raise {400: bad_request, 404: not_found, 503: unavailable}.get(status, _failed)(detail)


def _failed(detail: str) -> Problem:
    return Problem(500, "Internal Server Error", detail)
