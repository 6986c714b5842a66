"""A batch begins to load before it knows what was handled before: of that nothing is loaded in the end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from booking_contracts.envelope import uuid7

from services.booking.app import SERVICE
from services.booking.model.slots import Slot
from services.booking.store.load import BookingStore
from services.booking.work import BookingWork
from services.chassis.messages import Message
from services.chassis.service import Load
from services.chassis.statements import Statements
from tests.chassis.harness import Engine
from tests.chassis.scenes import Scene


class Watched(BookingStore):
    """Booking's store; `begun` has the messages of each beginning, `loaded` the slots that a batch had in the end."""

    def __init__(self) -> None:
        self.begun: list[set[UUID]] = []
        self.loaded: list[set[UUID]] = []

    def begin(self, reads: Statements, messages: Sequence[Message[Any]], work: BookingWork) -> Load:
        self.begun.append({message.id for message in messages})
        go_on = super().begin(reads, messages, work)

        async def load() -> None:
            await go_on()
            self.loaded.append({slot.slot_id for slot in work.all(Slot)})

        return load


@pytest.mark.requirement("inbox")
async def test_where_some_were_handled_before_it_begins_anew_with_the_others(engine: Engine) -> None:
    scene = await Scene(engine).open(2, capacity=3)
    await scene.confirmed("alone", slot=1)
    once, new, command = uuid7(), uuid7(), scene.place("once")
    await engine.run(engine.record(command, message_id=once))
    watched = Watched()
    engine.runner.service = replace(SERVICE, store=watched)
    both = [engine.record(command, message_id=once), engine.record(scene.place("new", slot=1), message_id=new)]
    await engine.run(*both)
    assert watched.begun == [{once, new}, {new}]
    (slot,) = await engine.fetch("SELECT slot_id FROM slot WHERE starts_at = $1", scene.start(1))
    assert watched.loaded == [{slot["slot_id"]}]
