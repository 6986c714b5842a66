"""How many statements booking's batches of a card saga are: what is added to one is seen (docs/performance.md)."""

from __future__ import annotations

from booking_contracts.payments import PaymentCaptured

from tests.chassis.conftest import engine as engine
from tests.chassis.harness import Engine
from tests.chassis.scenes import Scene

BATCH = 7
"""BEGIN; positions, inbox, plan; slots; what stands still under them; blocked keys; writing; COMMIT."""


async def test_each_step_of_a_card_saga_is_so_many_statements(engine: Engine) -> None:
    scene = await Scene(engine).open(capacity=2)
    await scene.confirmed("first")  # of an empty slot the provider is locked, too
    command = scene.place("second")
    placed = await engine.statements(engine.record(command))
    authorized = await scene.authorized(command.booking_id)
    confirmed = await engine.statements(engine.record(authorized))
    captured = PaymentCaptured.model_validate(authorized.model_dump())
    asked = [placed, confirmed, await engine.statements(engine.record(captured))]
    assert [len(batch) for batch in asked] == [BATCH] * 3, "\n\n".join(map("\n".join, asked))
