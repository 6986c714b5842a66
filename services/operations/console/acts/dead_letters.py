"""What is done about dead letters: one, or as a job all that a filter finds (services/chassis/operator.py)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from booking_contracts.envelope import rfc3339
from pydantic import BeforeValidator, Field

from services.chassis import dead_letter_selection, operator
from services.chassis.operator import NotPossible
from services.operations.console import jobs
from services.operations.console.acts.framework import Act, Doing
from services.operations.console.asked import instant_or_empty
from services.operations.console.databases import Databases
from services.operations.console.roles import Role
from services.operations.handled import handled_by

ServiceName = Literal["booking", "payments", "notifications"]
Kind = Literal["failed", "unread", "unsendable", "refused"]
FOR_GOOD = "Drop timers and results of calls for good"
FOR_GOOD_HINT = "without this they come back in an hour; with it you see to what waits for them yourself"
REDRIVEN = {
    "failed": "It is handled again, then the {behind} messages that wait behind it, in their order.",
    "unread": "It is read again, by the build that runs now.",
    "unsendable": "It goes back into the outbox and is sent again.",
    "refused": "Nothing: its sender was told, and has to send it anew. Discard it.",
}
DISCARDED = {
    "failed": "It is given up; a command is answered DISCARDED, a timer comes back in an hour, a call is made again. "
    "The {behind} messages that wait behind it go on.",
    "unread": "It is given up: what it said is never handled.",
    "unsendable": "It is given up: its receivers miss it, and see a gap in its stream.",
    "refused": "It leaves the list; its sender knows already.",
}


class _One(Act):
    """One letter. `booking_id`: the booking it is about, where its key is one's id."""

    ROLE: ClassVar[Role] = Role.OPERATOR
    EFFECT: ClassVar[dict[str, str]]
    SUBJECT: ClassVar[str] = "letter_id"
    MOVES: ClassVar[re.Pattern[str] | None] = re.compile(r"\d+(?= messages that wait)")

    service: ServiceName
    letter_id: UUID
    booking_id: UUID | None = None

    def whose(self) -> str | None:
        """The service that has set it aside."""
        return self.service

    async def says(self, databases: Databases) -> str:
        """By what kind of letter it is."""
        async with databases.reading(self.service) as connection:
            row = await dead_letter_selection.shown(connection, self.letter_id)
        if row["status"] != "open":
            raise NotPossible(f"it was {row['status']} already")
        return self.EFFECT[row["kind"]].format(behind=row["behind"])


class Redrive(_One):
    """As `bookingctl dead-letters redrive`."""

    NAME: ClassVar[str] = "letter-redrive"
    TITLE: ClassVar[str] = "Redrive the letter"
    EFFECT: ClassVar[dict[str, str]] = REDRIVEN

    async def do(self, doing: Doing) -> str:
        """It, and what waits behind it."""
        async with doing.databases.acting(self.service) as connection:
            return str(await operator.redrive(connection, self.letter_id))


class Discard(_One):
    """As `bookingctl dead-letters discard`."""

    NAME: ClassVar[str] = "letter-discard"
    TITLE: ClassVar[str] = "Discard the letter"
    DANGEROUS: ClassVar[bool] = True
    EFFECT: ClassVar[dict[str, str]] = DISCARDED

    for_good: bool = Field(False, title=FOR_GOOD, description=FOR_GOOD_HINT)

    async def do(self, doing: Doing) -> str:
        """What waits for it is seen to, unless it is dropped for good."""
        service = handled_by(self.service)
        async with doing.databases.acting(self.service) as connection:
            done = await operator.discard(connection, service, doing.clock, self.letter_id, for_good=self.for_good)
        return str(done)


class _Many(Act):
    """All that a filter finds, as a job. A filter is needed: never everything there is. `until`: when the dialog was
    shown; of what it found then others may have treated some meanwhile, and nothing has come to it."""

    ROLE: ClassVar[Role] = Role.OPERATOR
    AFTER: ClassVar[tuple[str, str] | None] = ("/jobs", "See how far it is")
    DOES: ClassVar[jobs.Kind]
    EFFECT: ClassVar[str]
    MOVES: ClassVar[re.Pattern[str] | None] = re.compile(r"\d+(?: or more)?(?= letters of )")
    INSTANT: ClassVar[str | None] = "until"

    service: ServiceName
    kind: Kind | None = None
    type: str | None = None
    error: str | None = None
    key: str | None = None
    before: Annotated[datetime | None, BeforeValidator(instant_or_empty)] = None
    until: Annotated[datetime, BeforeValidator(instant_or_empty)]

    def whose(self) -> str | None:
        """The service whose letters they are."""
        return self.service

    @property
    def wanted(self) -> dead_letter_selection.Wanted:
        """The filter."""
        return dead_letter_selection.Wanted(self.kind, self.type, self.error, self.key, self.before)

    @property
    def subject(self) -> str:
        """The filter in words."""
        before = rfc3339(self.before) if self.before else None
        of = {"kind": self.kind, "type": self.type, "error": self.error, "key": self.key, "before": before}
        return f"letters of {self.service}: " + ", ".join(f"{name} {value}" for name, value in of.items() if value)

    async def says(self, databases: Databases) -> str:
        """How many there are, and that new ones are left."""
        count = await self._count(databases)
        many = f"{jobs.MOST} or more" if count >= jobs.MOST else str(count)
        return f"A job takes the {many} {self.subject}, the oldest first. {self.EFFECT} Those that come later stay."

    async def do(self, doing: Doing) -> str:
        """The job is begun; it goes on without whoever has asked."""
        count = await self._count(doing.databases)
        job = await jobs.begin(
            doing.databases, doing.operator.name, self.DOES, self.service, self._asked, doing.reason, count
        )
        return f"job {job} has begun"

    @property
    def _asked(self) -> jobs.Asked:
        return jobs.Asked.of(self.wanted, until=self.until, for_good=getattr(self, "for_good", False))

    async def _count(self, databases: Databases) -> int:
        if not self.wanted.narrow:
            raise NotPossible("narrow the list first, by kind, type, error, key or time: a job never takes everything")
        async with databases.reading(self.service) as connection:
            count = await dead_letter_selection.count(connection, self._asked.wanted, most=jobs.MOST)
        if not count:
            raise NotPossible("there are no such letters any more")
        return count


class RedriveMany(_Many):
    """As `bookingctl dead-letters redrive` with a filter."""

    NAME: ClassVar[str] = "letters-redrive"
    TITLE: ClassVar[str] = "Redrive all of this list"
    DOES: ClassVar[jobs.Kind] = "redrive"
    EFFECT: ClassVar[str] = "Each is handled again, with what waits behind it."


class DiscardMany(_Many):
    """As `bookingctl dead-letters discard` with a filter."""

    NAME: ClassVar[str] = "letters-discard"
    TITLE: ClassVar[str] = "Discard all of this list"
    DANGEROUS: ClassVar[bool] = True
    DOES: ClassVar[jobs.Kind] = "discard"
    EFFECT: ClassVar[str] = "Each is given up: commands are answered DISCARDED, timers come back in an hour."

    for_good: bool = Field(False, title=FOR_GOOD, description=FOR_GOOD_HINT)


class StopJob(Act):
    """What is done stays done."""

    NAME: ClassVar[str] = "job-stop"
    TITLE: ClassVar[str] = "Stop the job"
    ROLE: ClassVar[Role] = Role.OPERATOR
    SUBJECT: ClassVar[str] = "job_id"
    MOVES: ClassVar[re.Pattern[str] | None] = re.compile(r"\d+(?= of )")

    job_id: UUID

    async def says(self, databases: Databases) -> str:
        """How far it is."""
        job = await jobs.job(databases, self.job_id)
        if job["ended_at"] is not None:
            raise NotPossible("the job has ended")
        return f"The job stops after {job['done']} of {job['total']}; what it has done stays done."

    async def do(self, doing: Doing) -> str:
        """Between two portions."""
        return await jobs.stop(doing.databases, self.job_id)


ACTS: Sequence[type[Act]] = (Redrive, Discard, RedriveMany, DiscardMany, StopJob)
