"""An act of an operator: asked for in a dialog with a reason, kept in the operators' log before and after it is done.

The same functions as bookingctl's do it; nothing here knows a rule of bookings or money.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Annotated, ClassVar
from uuid import UUID

import structlog
from aiohttp import web
from booking_contracts.envelope import uuid7
from pydantic import BaseModel, ConfigDict, StringConstraints

from services.chassis.clock import Clock
from services.chassis.service import PlanChanged
from services.operations.console import operator_log
from services.operations.console.databases import Away, Databases
from services.operations.console.formats import without_people
from services.operations.console.operator_log import Asked
from services.operations.console.roles import Operator, Role
from services.operations.refusals import REFUSED, sentence

log = structlog.get_logger()
Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=500)]


@dataclass(frozen=True, slots=True)
class Doing:
    """What an act has at hand. `operator` and `reason` belong into the history of what it changes; `said`: what the
    operator was told would happen, and has confirmed."""

    databases: Databases
    clock: Clock
    operator: Operator
    reason: str
    app: web.Application
    said: str

    @property
    def note(self) -> str:
        """Reason and name, for where one text is kept."""
        return f"{self.reason} (by {self.operator.name})"


class Act(BaseModel, ABC):
    """Its fields are what it asks: one with a `title` (pydantic's Field) is asked in the dialog, one without comes with
    the address of the dialog. A field `booking_id` is the booking that the log's row is about. No field
    is a person's name or address: the log keeps all fields, and masks those alone that look like one."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    NAME: ClassVar[str]
    """In addresses and in the log: `saga-retry`. It stays."""
    TITLE: ClassVar[str]
    """Of its button and dialog, imperative: `Ask again`."""
    ROLE: ClassVar[Role]
    SUBJECT: ClassVar[str]
    """Which field is the id of what it is about."""
    SERVICE: ClassVar[str | None] = None
    """Whose rows it changes, where it is always the same service."""
    AFTER: ClassVar[tuple[str, str] | None] = None
    """A page that shows what comes of it, and what the link to it says."""
    NEEDS_PII: ClassVar[bool] = False
    """Only for who has the right to see people's data, too."""
    DANGEROUS: ClassVar[bool] = False
    """It cannot be taken back: drawn so."""
    MOVES: ClassVar[re.Pattern[str] | None] = None
    """What in its sentence moves by itself and is no other plan: how many wait, how far a job is."""
    INSTANT: ClassVar[str | None] = None
    """The field with the instant of the dialog, where the act is about what was there when its sentence was said."""

    @property
    def subject(self) -> str:
        """What it is about, for the log: an id."""
        return str(getattr(self, self.SUBJECT))

    @abstractmethod
    async def says(self, databases: Databases) -> str:
        """A sentence: what will happen. Raises NotPossible where it can be seen that it will not be done, and Away."""

    async def sentence(self, databases: Databases) -> str:
        """`says` as it is shown and confirmed: without anybody whom a machine's words name."""
        return without_people(await self.says(databases))

    @abstractmethod
    async def do(self, doing: Doing) -> str:
        """Do it; a sentence: what was done. Raises one of REFUSED where nothing was done, and Away."""

    def agreed(self, said: str, now: str) -> None:
        """Raises PlanChanged where what was confirmed is not what it says now. Forms carry line ends as they like."""
        before, after = (self.MOVES.sub("", one) if self.MOVES else one for one in (said, now))
        if before.split() != after.split():
            raise PlanChanged("it would do something else than what was confirmed")

    def whose(self) -> str | None:
        """The service whose rows it changes, for the log."""
        return self.SERVICE

    def about(self) -> UUID | None:
        """The booking that the log's row belongs to."""
        found = getattr(self, "booking_id", None)
        return found if isinstance(found, UUID) else None


@dataclass(frozen=True, slots=True)
class Outcome:
    """`done`: whether it was; `said`: what, or why not."""

    done: bool
    said: str


async def run(act: Act, doing: Doing) -> Outcome:
    """Do it once, if it is still what was confirmed. The log has it before, without an outcome, and its outcome after.
    Raises Away where the log is not to be had: then nothing is done. What ends in an error of ours is in the log, too,
    and is raised."""
    entry = uuid7()
    fields = act.model_dump(mode="json")
    asked = Asked(doing.operator.name, act.NAME, act.whose(), act.subject, act.about(), doing.reason, fields)
    async with doing.databases.operations() as connection:
        await operator_log.begin(connection, entry, asked)
    doubt = "nothing was done"
    try:
        act.agreed(doing.said, await act.sentence(doing.databases))
        doubt = "it is not known whether this was done; look at it once more"
        outcome = Outcome(True, await act.do(doing))
    except REFUSED as refused:
        outcome = Outcome(False, sentence(refused))
    except Away as away:
        outcome = Outcome(False, f"{away}: {doubt}")
    except Exception as error:
        await _end(doing.databases, entry, f"failed: {error!r}")
        raise
    await _end(doing.databases, entry, outcome.said if outcome.done else f"not done: {outcome.said}")
    return outcome


async def _end(databases: Databases, entry: UUID, said: str) -> None:
    """What was done stays done where its outcome cannot be kept; the row without one tells to look."""
    try:
        async with databases.operations() as connection:
            await operator_log.end(connection, entry, said)
    except Away as away:
        log.error("the outcome of an act is not in the operators' log", entry=str(entry), said=said, error=repr(away))
