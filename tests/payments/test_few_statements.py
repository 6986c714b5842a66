"""How many statements payments' batches of a card saga are: what is added to one is seen (docs/performance.md)."""

from __future__ import annotations

from tests.payments.builders import authorize, capture
from tests.payments.till import Till, soon

BATCH = 5
"""BEGIN; positions and the payment's lock; blocked keys, and a call that is done; writing; COMMIT."""


async def test_each_step_of_a_card_saga_is_so_many_statements(till: Till) -> None:
    engine, asked = till.engine, []
    for command in (authorize(expires_at=soon(till.bench)), capture()):
        asked += [await engine.statements(engine.record(command)), await engine.statements(*await till.answers())]
    assert await till.events() == ["PaymentAuthorized", "PaymentCaptured"]
    assert [len(batch) for batch in asked] == [BATCH] * 4, "\n\n".join(map("\n".join, asked))
