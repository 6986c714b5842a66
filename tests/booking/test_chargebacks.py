"""While a chargeback is open payments holds the escrow, for weeks: what would end it waits, and nobody is called."""

from datetime import timedelta
from typing import Any

import pytest
from booking_contracts import payments
from booking_contracts.booking import CancelBooking, SagaStuck
from booking_contracts.types import Money

from services.booking.local_messages import AskAgain
from services.booking.model.booking import Booking
from services.booking.saga import MOST_ASKS, Saga, Status, Step
from tests.booking.builders import TEACHER, World, answer
from tests.chassis.conftest import engine as engine
from tests.chassis.harness import Engine
from tests.chassis.scenes import Scene

AMOUNT = Money(amount=2000, currency="EUR")


def opened(world: World, booking: Booking, dispute_id: str = "du_1") -> None:
    world.tell(answer(payments.ChargebackOpened, booking, dispute_id=dispute_id, amount=AMOUNT))


def closed(world: World, booking: Booking, dispute_id: str = "du_1") -> None:
    world.tell(answer(payments.ChargebackClosed, booking, dispute_id=dispute_id, amount=AMOUNT, outcome="won"))


def cancel(world: World, booking: Booking) -> None:
    world.tell(CancelBooking(booking_id=booking.booking_id, actor=TEACHER))


def saga_of(world: World, booking: Booking) -> Saga:
    found = world.work.find(Saga, booking.booking_id)
    assert found is not None
    return found


def let_time_pass(world: World) -> None:
    """Every timer of the saga, until none is left: 95 minutes and more without an answer."""
    seen = 0
    while seen < len(timers := world.reminders(AskAgain)):
        for timer in timers[seen:]:
            world.at(max(world.work.now, timer.due_at)).tell(timer.body)
        seen = len(timers)
    world.at(world.work.now + timedelta(days=40))


def settled(booking: Booking, world: World) -> Any:
    command = world.sent(payments.SettlePayment)[-1]
    zero = Money(amount=0, currency="EUR")
    amounts = {"refund": command.refund, "release": zero, "commission": zero, "provider_amount": zero}
    return answer(payments.PaymentSettled, booking, settlement_id=command.settlement_id, via="refund", **amounts)


@pytest.mark.requirement("chargebacks", "saga")
@pytest.mark.parametrize("known_first", [True, False])
def test_a_settlement_waits_for_an_open_chargeback_without_being_stuck(known_first: bool) -> None:
    world = World()
    booking = world.confirmed()
    steps = [opened, cancel] if known_first else [cancel, opened]
    for step in steps:
        step(world, booking)
    let_time_pass(world)
    assert world.sent(SagaStuck) == []
    assert len(world.sent(payments.SettlePayment)) == 1
    assert saga_of(world, booking).status is Status.WAITING_FOR_CHARGEBACK
    closed(world, booking)
    assert saga_of(world, booking).status is Status.WAITING
    world.tell(settled(booking, world))
    assert saga_of(world, booking).status is Status.DONE


@pytest.mark.requirement("chargebacks", "saga")
def test_without_an_answer_after_the_chargeback_it_is_asked_again_then_stuck() -> None:
    world = World()
    booking = world.confirmed()
    opened(world, booking)
    cancel(world, booking)
    let_time_pass(world)
    closed(world, booking)
    let_time_pass(world)
    assert len(world.sent(payments.SettlePayment)) == MOST_ASKS
    assert len(world.sent(SagaStuck)) == 1


@pytest.mark.requirement("chargebacks")
def test_the_last_of_several_chargebacks_lets_it_go_on() -> None:
    world = World()
    booking = world.confirmed()
    opened(world, booking, "du_1")
    opened(world, booking, "du_2")
    cancel(world, booking)
    closed(world, booking, "du_1")
    assert saga_of(world, booking).status is Status.WAITING_FOR_CHARGEBACK
    closed(world, booking, "du_2")
    assert saga_of(world, booking).status is Status.WAITING


@pytest.mark.requirement("chargebacks")
def test_a_chargeback_that_is_over_holds_nothing() -> None:
    world = World()
    booking = world.confirmed()
    closed(world, booking)  # its opening came before this build counted
    opened(world, booking)
    closed(world, booking)
    assert saga_of(world, booking).disputes == 0
    cancel(world, booking)
    assert (saga_of(world, booking).step, saga_of(world, booking).status) == (Step.SETTLE, Status.WAITING)


@pytest.mark.requirement("chargebacks", "saga")
async def test_a_saga_that_waits_is_kept(engine: Engine) -> None:
    scene = await Scene(engine).open()
    booking_id = await scene.confirmed()
    (row,) = await engine.fetch("SELECT payment_id, attempt FROM booking")
    event = payments.ChargebackOpened(
        booking_id=booking_id, payment_id=row["payment_id"], attempt=row["attempt"], dispute_id="du_1", amount=AMOUNT
    )
    await engine.tell(event)
    await engine.tell(CancelBooking(booking_id=booking_id, actor=scene.teacher))
    (saga,) = await engine.fetch("SELECT step, status, disputes FROM saga")
    assert tuple(saga) == ("settle", "waiting_for_chargeback", 1)
