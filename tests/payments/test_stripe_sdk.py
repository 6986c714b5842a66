"""What stripe_calls/api.py expects of Stripe's SDK beyond its promises: look there when an upgrade makes this red."""

from __future__ import annotations

import pytest

from services.payments.local_messages import IntentSeen
from tests.payments.test_gateway import KEY, asked
from tests.payments.till import StripeBench


@pytest.mark.requirement("requires-action")
@pytest.mark.parametrize(
    ("card", "status"),
    [("pm_card_visa", "requires_capture"), ("pm_card_chargeDeclinedExpiredCard", "requires_payment_method")],
)
async def test_no_request_and_no_answer_is_worded_for_a_log(
    bench: StripeBench, monkeypatch: pytest.MonkeyPatch, card: str, status: str
) -> None:
    """It costs a tenth of a call, and an answer holds the client secret."""
    worded: list[dict[str, object]] = []
    monkeypatch.setattr("stripe._util.logfmt", worded.append)
    seen = await bench.outcome("authorize", asked(bench, card), KEY)
    assert isinstance(seen, IntentSeen)
    assert (seen.status, worded) == (status, [])
