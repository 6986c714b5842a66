"""What is counted of letters (requirement observability)."""

from __future__ import annotations

import pytest
from booking_contracts.booking import BookingConfirmed
from prometheus_client import REGISTRY

from services.notifications import metrics
from services.notifications.model.deliveries import State
from tests.notifications.builders import CUSTOMER_EMAIL, PROVIDER_EMAIL, an
from tests.notifications.post import Post

pytestmark = pytest.mark.requirement("observability")


def counted() -> dict[str, float]:
    states = {str(state): REGISTRY.get_sample_value("booking_letters_total", {"state": state}) or 0 for state in State}
    return {**states, "in time": REGISTRY.get_sample_value("booking_letter_seconds_bucket", {"le": "300.0"}) or 0}


def test_a_letter_is_counted_when_it_is_written_and_when_it_has_ended() -> None:
    before = counted()
    post = Post()
    post.hear(an(BookingConfirmed))
    post.answered(CUSTOMER_EMAIL)
    post.answered(PROVIDER_EMAIL, "550 no such user")
    metrics.count(post.work)
    more = {name: count - before[name] for name, count in counted().items()}
    assert more == {"pending": 2, "succeeded": 1, "failed": 1, "in time": 1}
