"""The process that computes availability (availability_process.py has the service's side of it)."""

from __future__ import annotations

import json
import sys
import traceback
from datetime import datetime
from uuid import UUID

from services.booking.model.availability import SlotView, TooManySlots
from services.booking.store import reads_availability
from services.booking.store.reads_availability import Unknown
from services.chassis.database import READS, UNAVAILABLE, Address, Session, Where
from services.chassis.encoding import encoded
from services.chassis.side_process import serve

DATABASE = "DATABASE"
"""What the environment's names of the database begin with: the service's own."""
FOUND, REFUSED = b"+", b"-"
"""How an answer begins: before the JSON of the slots, and before that of a problem's status and detail."""


class Answering:
    """The other side: one question at a time, on one connection."""

    def __init__(self, database: Where) -> None:
        self._session = Session(database, "calendar", READS)

    async def __call__(self, question: bytes) -> bytes:
        """An answer to every question; what fails is answered too."""
        try:
            return FOUND + encoded({"slots": await self._slots(question)})
        except TooManySlots as refused:
            return _refusal(400, str(refused))
        except Unknown as refused:
            return _refusal(404, str(refused))
        except UNAVAILABLE as error:
            return _refusal(503, f"The database is busy or does not answer ({type(error).__name__}); try again.")
        except Exception:
            traceback.print_exc(file=sys.stderr)
            return _refusal(500, "A fault of ours; the log has it under this path.")

    async def _slots(self, question: bytes) -> list[SlotView]:
        offering_id, provider_id, *instants = json.loads(question)
        start, end, now = map(datetime.fromisoformat, instants)
        asked = (offering_id and UUID(offering_id), provider_id and UUID(provider_id), start, end, now)
        try:
            return await reads_availability.availability(await self._session.connection(), *asked)
        except UNAVAILABLE:  # perhaps the connection ended while nobody asked
            await self._session.close()
            return await reads_availability.availability(await self._session.connection(), *asked)


def _refusal(status: int, detail: str) -> bytes:
    return REFUSED + encoded([status, detail])


if __name__ == "__main__":
    found = Address.named(DATABASE)
    assert found is not None, "the service that started this process has a database"
    serve(Answering(found))
