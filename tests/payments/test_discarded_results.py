"""A payment whose result was discarded is not frozen (requirements poison, retry-mechanism)."""

from __future__ import annotations

from typing import Any

import pytest
from booking_contracts.types import PaymentChoice

from services.chassis import operator
from services.payments.app import SERVICE
from services.payments.local_messages import IntentSeen
from tests.chassis.harness import Engine, with_handler
from tests.payments.builders import BOOKING, authorize, capture
from tests.payments.till import Till, soon


def fails(*_: Any) -> None:
    raise AssertionError("planted")


@pytest.mark.requirement("poison", "retry-mechanism")
async def test_the_payment_goes_on_with_the_call_made_again_and_charges_once(till: Till) -> None:
    pay = PaymentChoice(method="card", payment_method="pm_card_visa")
    await till.tell(authorize(payment=pay, expires_at=soon(till.bench)), settle=False)
    results = await till.answers()
    failing = Engine(till.engine.session.url, till.engine.clock, with_handler(SERVICE, IntentSeen.ce_type, fails))
    failing.adopt(till.engine)
    await failing.run(*results)
    await failing.run(failing.record(capture()))  # waits behind it
    await failing.close()
    (payment,) = await till.engine.fetch("SELECT calling FROM payment WHERE booking_id = $1", BOOKING)
    assert payment["calling"] == "authorize"
    (letter,) = await till.engine.fetch("SELECT id FROM dead_letter WHERE status = 'open'")
    connection = await till.engine.session.connection()
    done = await operator.discard(connection, SERVICE, till.engine.clock, letter["id"])
    assert done.behind == 1
    till.bench.later(minutes=1)
    await till.settle()
    told = [sent.type for sent in await till.engine.sent() if sent.topic == "payments.events"]
    assert told == ["payments.PaymentAuthorized.v1", "payments.PaymentCaptured.v1"]
    assert len(await till.bench.state("payment_intents")) == 1
    assert await till.engine.fetch("SELECT key FROM blocked_key") == []
