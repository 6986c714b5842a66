"""Letters that no event of the booking asks for go to where its provider is reached today."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from booking_contracts.booking import BookingConfirmed, ProviderRegistered
from booking_contracts.payments import RefundFailed

from services.chassis.messages import Raw
from services.notifications.model.letters import Audience, Kind
from tests.chassis.harness import Engine
from tests.notifications.builders import CUSTOMER_EMAIL, PROVIDER_EMAIL, STARTS_AT, an
from tests.notifications.post import Post

pytestmark = pytest.mark.requirement("notify-people")
NEW = "new@example.org"
MOVED = an(ProviderRegistered, email=NEW, name="Paula Pianist", timezone="Asia/Kathmandu")


def moved(post: Post) -> Post:
    post.hear(an(BookingConfirmed))
    post.hear(MOVED)
    return post


def test_a_reminder_goes_to_the_provider_of_today() -> None:
    post = moved(Post())
    post.fire_timers(STARTS_AT - timedelta(hours=2))
    assert post.written(Kind.REMINDER) == [CUSTOMER_EMAIL, NEW]
    reminders = [mail for mail in post.mails if mail.kind is Kind.REMINDER]
    assert {mail.timezone for mail in reminders} == {"Asia/Kathmandu"}, "the customer names none"
    assert [mail.name for mail in reminders if mail.audience is Audience.PROVIDER] == ["Paula Pianist"]


def test_a_letter_about_money_goes_to_the_provider_of_today() -> None:
    post = moved(Post())
    post.hear(an(RefundFailed))
    assert post.written(Kind.REFUND_FAILED)[1:] == [CUSTOMER_EMAIL, NEW]


def test_an_older_word_that_comes_later_changes_nothing() -> None:
    post = moved(Post())
    post.hear(an(ProviderRegistered), sequence=1)
    post.fire_timers(STARTS_AT - timedelta(hours=2))
    assert post.written(Kind.REMINDER) == [CUSTOMER_EMAIL, NEW]


def test_another_provider_is_another_one() -> None:
    post = Post()
    post.hear(an(BookingConfirmed))
    post.hear(MOVED.model_copy(update={"provider_id": UUID(int=99)}))
    post.fire_timers(STARTS_AT - timedelta(hours=2))
    assert post.written(Kind.REMINDER) == [CUSTOMER_EMAIL, PROVIDER_EMAIL]


def heard(engine: Engine, event: BookingConfirmed | ProviderRegistered, sequence: int) -> Raw:
    record = engine.record(event)
    return replace(record, headers=[*record.headers, ("ce_sequence", f"{sequence:012d}")])


@pytest.mark.parametrize("together", [False, True])
async def test_the_database_keeps_the_latest_word(engine: Engine, together: bool) -> None:
    records = [
        heard(engine, MOVED, 7),
        heard(engine, an(BookingConfirmed), 3),
        heard(engine, an(ProviderRegistered), 6),
    ]
    await engine.run(*records, size=3 if together else 1)
    engine.clock.instant = STARTS_AT - timedelta(hours=24)
    await engine.run_local()
    query = "SELECT recipient FROM delivery WHERE kind = 'reminder' ORDER BY number"
    assert [row["recipient"] for row in await engine.fetch(query)] == [CUSTOMER_EMAIL, NEW]
    assert await engine.fetch("SELECT FROM delivery_stream") != []
    assert len(await engine.fetch("SELECT booking_id FROM delivery_stream")) == 1, "a provider has no letters' stream"
    assert await engine.fetch("SELECT * FROM dead_letter") == []
