"""What is counted of bookings and of the steps of their sagas (requirements observability, saga)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from prometheus_client import REGISTRY

from services.booking import gauges, metrics
from services.booking.local_messages import AskAgain
from services.booking.model.states import State
from services.booking.saga import MOST_ASKS, Saga, Status, Step, ask_again, park
from services.chassis.database import open_pool
from tests.booking.builders import World
from tests.chassis.conftest import engine as engine
from tests.chassis.harness import Engine
from tests.chassis.scenes import Scene

pytestmark = pytest.mark.requirement("observability", "saga")


def steps(step: Step, end: str) -> float:
    return REGISTRY.get_sample_value("booking_saga_steps_total", {"step": step, "end": end}) or 0


def entered(state: State) -> float:
    return REGISTRY.get_sample_value("booking_bookings_entered_total", {"state": state}) or 0


def saga_of(world: World) -> Saga:
    (saga,) = world.work.all(Saga)
    return saga


def test_a_booking_that_goes_well_enters_two_states_and_ends_two_steps_in_time() -> None:
    before = [entered(State.PENDING_PAYMENT), entered(State.CONFIRMED)]
    ended = [steps(Step.AUTHORIZE, "in_time"), steps(Step.CAPTURE, "in_time")]
    world = World()
    world.confirmed()
    metrics.count(world.work)
    assert [entered(State.PENDING_PAYMENT), entered(State.CONFIRMED)] == [count + 1 for count in before]
    assert [steps(Step.AUTHORIZE, "in_time"), steps(Step.CAPTURE, "in_time")] == [count + 1 for count in ended]


def test_a_step_that_was_asked_again_is_late_and_one_that_is_parked_is_stuck() -> None:
    late, stuck, in_time = steps(Step.CAPTURE, "late"), steps(Step.CAPTURE, "stuck"), steps(Step.CAPTURE, "in_time")
    world = World()
    booking = world.confirmed(captured=False)
    ask_again(world.work, AskAgain(booking_id=booking.booking_id, step=Step.CAPTURE, attempt=1, asked=1))
    saga = saga_of(world)
    assert saga.asked == 2
    world.work.put(replace(saga, status=Status.DONE))
    world.work.put(replace(saga, status=Status.DONE, asked=MOST_ASKS))  # it had ended: no second end
    metrics.count(world.work)
    assert (steps(Step.CAPTURE, "late"), steps(Step.CAPTURE, "in_time")) == (late + 1, in_time)

    world = World()
    world.confirmed(captured=False)
    park(world.work, saga_of(world), "no answer")
    metrics.count(world.work)
    assert steps(Step.CAPTURE, "stuck") == stuck + 1


@pytest.mark.parametrize(("asked", "late"), [(1, 0), (3, 1)])
def test_a_step_that_was_never_answered_is_late_where_it_was_asked_again(asked: int, late: int) -> None:
    """Payments is away, and the deadline voids what it was asked for; or a customer has changed their mind."""
    before = steps(Step.AUTHORIZE, "late")
    world = World()
    world.place()
    saga = world.work.put(replace(saga_of(world), asked=asked))
    world.work.put(replace(saga, step=Step.VOID, asked=1))
    metrics.count(world.work)
    assert steps(Step.AUTHORIZE, "late") == before + late


async def test_sagas_that_wait_unanswered_and_bookings_by_state_are_gauges(engine: Engine) -> None:
    scene = await Scene(engine).open(slots=3)
    await engine.tell(*(scene.place(f"c{number}", slot=number) for number in range(3)))
    connection = await engine.session.connection()
    await connection.execute(
        "UPDATE saga SET asked = 4 WHERE booking_id = (SELECT min(booking_id::text)::uuid FROM saga)"
    )
    pool = await open_pool(engine.session.url, "gauges", size=1)
    await gauges.look(pool)
    await gauges.look_at_all(pool)
    pool.terminate()
    waiting: dict[str, str] = {"step": Step.AUTHORIZE, "status": Status.WAITING}
    assert REGISTRY.get_sample_value("booking_sagas", waiting) == 3
    assert REGISTRY.get_sample_value("booking_sagas_unanswered", {"step": Step.AUTHORIZE}) == 1
    assert REGISTRY.get_sample_value("booking_bookings", {"state": State.PENDING_PAYMENT}) == 3
    assert REGISTRY.get_sample_value("booking_bookings", {"state": State.CONFIRMED}) == 0
