"""Who answers that it is gone is switched off, whatever came of the tries beside it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations
from uuid import uuid4

import pytest

from services.notifications.subscriptions.health import Round
from services.notifications.subscriptions.posting import Failed, Outcome, Taken

GONE, FAILED, TAKEN = Failed("it answered 410", 410), Failed("it answered 500", 500), Taken(200, "")


@pytest.mark.requirement("notify-systems")
@pytest.mark.parametrize(
    ("tried", "counts"),
    [
        *((tried, GONE) for tried in permutations((GONE, FAILED, TAKEN))),
        *((tried, TAKEN) for tried in permutations((FAILED, TAKEN))),
    ],
)
def test_of_tries_at_once_gone_counts_most_and_then_what_was_taken(tried: Sequence[Outcome], counts: Outcome) -> None:
    subscription = uuid4()
    assert Round().after((subscription, 0, one) for one in tried).outcomes == {subscription: counts}
