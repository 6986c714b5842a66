"""What events of the waitlist carry for those who write letters: the place's zone, and why a line has ended."""

from __future__ import annotations

from datetime import timedelta

import pytest
from booking_contracts.booking import CloseSlot, WaitlistClosed

from tests.booking.builders import OFFERING, START, TEACHER
from tests.booking.line import Line, cancel, join
from tests.booking.replicas import cancel as cancelling
from tests.booking.replicas import join as joining
from tests.chassis.conftest import engine as engine
from tests.chassis.harness import Engine
from tests.chassis.scenes import Scene


@pytest.mark.requirement("status-updates", "waitlist-handling")
async def test_every_event_of_an_entry_names_the_zone_of_its_provider_today(engine: Engine) -> None:
    scene = await Scene(engine).open()
    ann = await scene.confirmed("ann")
    await engine.tell(*(joining(scene, name) for name in ("eve", "dan", "fay")))
    await engine.fetch("UPDATE provider SET timezone = 'Asia/Kathmandu'")
    await engine.tell(cancelling(ann, "ann"))
    engine.clock.advance(minutes=60)
    await engine.run_local()
    engine.clock.advance(days=6)
    await engine.run_local()

    events = [sent for sent in await engine.sent() if sent.type.startswith("booking.Waitlist")]
    told = [(sent.type.split(".")[1], sent.body["provider_timezone"]) for sent in events]
    assert {kind for kind, _ in told} == {"WaitlistJoined", "WaitlistOffered", "WaitlistOfferExpired", "WaitlistClosed"}
    assert {zone for kind, zone in told if kind != "WaitlistJoined"} == {"Asia/Kathmandu"}
    assert None not in {zone for _, zone in told}


@pytest.mark.requirement("status-updates", "waitlist-handling")
@pytest.mark.parametrize("offered", [True, False])
def test_a_line_ends_because_its_slot_is_closed(offered: bool) -> None:
    world = Line()
    entry = world.joined()
    if offered:
        world.tell(cancel(world.sitting))
    world.tell(CloseSlot(offering_id=OFFERING, starts_at=START, actor=TEACHER))

    assert [(event.entry_id, event.reason) for event in world.sent(WaitlistClosed)] == [(entry, "not_offered")]


@pytest.mark.requirement("status-updates", "waitlist-handling")
def test_a_line_ends_because_nothing_became_free_in_time() -> None:
    world = Line(minimum_notice_minutes=60)
    entry = world.joined()
    world.at(START - timedelta(minutes=60)).refused(join("dan"))

    assert [(event.entry_id, event.reason) for event in world.sent(WaitlistClosed)] == [(entry, "line_over")]
