"""The database refuses on its own, when the code is wrong: each test bypasses the code."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID, uuid4

import asyncpg
import pytest

from services.booking.model.states import INITIAL, OCCUPYING, TRANSITIONS, State
from tests.booking.replicas import cancel, join
from tests.chassis.conftest import engine as engine
from tests.chassis.harness import Engine
from tests.chassis.scenes import Scene


@pytest.fixture
async def scene(engine: Engine) -> Scene:
    return await Scene(engine).open(slots=3)


async def refused(scene: Scene, query: str, *arguments: object) -> str:
    """The database's refusal of a statement by the service's own role."""
    connection = await scene.engine.session.connection()
    with pytest.raises(asyncpg.IntegrityConstraintViolationError) as caught:
        await connection.execute(query, *arguments)
    return str(caught.value)


async def copy_of(scene: Scene, booking_id: UUID, **changes: str) -> str:
    """An INSERT that copies a booking under a new id, with columns replaced by SQL."""
    columns = [
        row["column_name"]
        for row in await scene.engine.fetch(
            "SELECT column_name FROM information_schema.columns WHERE table_name = 'booking' ORDER BY ordinal_position"
        )
    ]
    values = [changes.get(name, "gen_random_uuid()" if name == "booking_id" else name) for name in columns]
    return (
        f"INSERT INTO booking ({', '.join(columns)}) SELECT {', '.join(values)} FROM booking "
        f"WHERE booking_id = '{booking_id}'"
    )


@pytest.mark.requirement("overbooking-prevention", "concurrent-request-handling")
async def test_a_direct_insert_cannot_oversell(scene: Scene) -> None:
    booking_id = await scene.confirmed()
    message = await refused(scene, await copy_of(scene, booking_id, state="'PENDING_PAYMENT'"))
    assert "slot_not_oversold" in message


@pytest.mark.requirement("overbooking-prevention")
async def test_a_direct_update_cannot_oversell(scene: Scene) -> None:
    await scene.confirmed("a", 0)
    other = await scene.confirmed("b", 1)
    full = "(SELECT slot_id FROM booking WHERE customer_id = 'a')"
    message = await refused(scene, f"UPDATE booking SET slot_id = {full} WHERE booking_id = $1", other)
    assert "slot_not_oversold" in message


@pytest.mark.requirement("initial-booking-state")
async def test_no_booking_is_born_confirmed(scene: Scene) -> None:
    booking_id = await scene.confirmed()
    await refused(scene, await copy_of(scene, booking_id))


@pytest.mark.requirement("provider-overlap")
async def test_a_provider_cannot_be_in_two_places(scene: Scene) -> None:
    booking_id = await scene.confirmed()
    connection = await scene.engine.session.connection()
    slot = uuid4()
    await connection.execute(
        """
        INSERT INTO slot (slot_id, offering_id, provider_id, starts_at, ends_at, busy, capacity, opened, closed)
        SELECT $1, offering_id, provider_id, starts_at + $2, ends_at + $2,
               tstzrange(lower(busy) + $2, upper(busy) + $2), 1, true, false
        FROM slot WHERE slot_id = (SELECT slot_id FROM booking WHERE booking_id = $3)
        """,
        slot,
        timedelta(minutes=30),
        booking_id,
    )
    message = await refused(
        scene, await copy_of(scene, booking_id, state="'PENDING_PAYMENT'", slot_id=f"'{slot}'::uuid")
    )
    assert "slot_provider_overlap" in message


@pytest.mark.requirement("concurrent-request-handling")
async def test_a_slot_exists_once(scene: Scene) -> None:
    await refused(
        scene,
        """
        INSERT INTO slot (slot_id, offering_id, provider_id, starts_at, ends_at, busy, capacity, opened, closed)
        SELECT gen_random_uuid(), offering_id, provider_id, starts_at, ends_at, busy, 5, true, false FROM slot LIMIT 1
        """,
    )


@pytest.mark.requirement("price-integrity")
@pytest.mark.parametrize(
    "change",
    [
        "price_minor = 1",
        "currency = 'USD'",
        "commission_bps = 5",
        "provider_id = gen_random_uuid()",
        "customer_id = 'eve'",
        "attendee_id = 'eve'",
        "seats = 2",
        "payment_id = gen_random_uuid()",
    ],
)
async def test_what_was_agreed_never_changes(scene: Scene, change: str) -> None:
    await scene.confirmed()
    await refused(scene, f"UPDATE booking SET {change}")


@pytest.mark.requirement("initial-booking-state")
async def test_a_step_outside_the_table_is_refused(scene: Scene) -> None:
    booking_id = await scene.confirmed()
    for state in (State.PENDING_PAYMENT, State.COMPLETED, State.EXPIRED, State.RESOLVED_SPLIT):
        await refused(scene, "UPDATE booking SET state = $1 WHERE booking_id = $2", state, booking_id)


@pytest.mark.requirement("history-tracking")
@pytest.mark.parametrize("statement", ["UPDATE {} SET reason = 'x'", "DELETE FROM {}"])
async def test_history_is_kept_as_it_was_written(scene: Scene, statement: str) -> None:
    await scene.confirmed()
    await refused(scene, statement.format("booking_history"))


@pytest.mark.requirement("waitlist-handling", "overbooking-prevention")
async def test_offered_seats_count_and_cannot_be_oversold(scene: Scene) -> None:
    booking_id = await scene.confirmed()
    waiting = join(scene, "eve")
    await scene.engine.tell(waiting)
    offer = "UPDATE waitlist_entry SET state = 'OFFERED', deadline = starts_at"
    assert "slot_not_oversold" in await refused(scene, offer)
    await scene.engine.tell(cancel(booking_id, "bob"))
    (row,) = await scene.engine.fetch("SELECT taken, active FROM slot WHERE starts_at = $1", scene.start(0))
    assert (row["taken"], row["active"]) == (1, True)
    message = await refused(scene, await copy_of(scene, booking_id, state="'PENDING_PAYMENT'"))
    assert "slot_not_oversold" in message


@pytest.mark.requirement("waitlist-handling")
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE waitlist_entry SET state = 'WAITING', deadline = NULL",
        "UPDATE waitlist_entry SET seats = 2",
        "UPDATE waitlist_entry SET customer_id = 'mallory'",
        "UPDATE waitlist_entry SET deadline = NULL",
        "DELETE FROM waitlist_entry",
    ],
)
async def test_an_entry_does_not_go_back_or_change_hands(scene: Scene, statement: str) -> None:
    booking_id = await scene.confirmed()
    await scene.engine.tell(join(scene, "eve"))
    await scene.engine.tell(cancel(booking_id, "bob"))
    await refused(scene, statement)


@pytest.mark.requirement("waitlist-handling")
async def test_a_customer_waits_once_for_a_slot(scene: Scene) -> None:
    await scene.confirmed()
    await scene.engine.tell(join(scene, "eve"))
    names = [
        row["column_name"]
        for row in await scene.engine.fetch(
            "SELECT column_name FROM information_schema.columns WHERE table_name = 'waitlist_entry'"
        )
    ]
    values = ["gen_random_uuid()" if name == "entry_id" else name for name in names]
    message = await refused(
        scene, f"INSERT INTO waitlist_entry ({', '.join(names)}) SELECT {', '.join(values)} FROM waitlist_entry"
    )
    assert "waitlist_entry_once" in message


async def test_the_databases_state_table_is_the_models(scene: Scene) -> None:
    steps = await scene.engine.fetch("SELECT * FROM legal_transition WHERE from_state <> to_state")
    assert {(row["from_state"], row["to_state"]) for row in steps} == {
        (str(before), str(after)) for before, following in TRANSITIONS.items() for after in following
    }
    states = await scene.engine.fetch("SELECT * FROM booking_state")
    assert {row["state"]: (row["initial"], row["occupies"]) for row in states} == {
        str(state): (state in INITIAL, state in OCCUPYING) for state in State
    }
