"""What a failed batch means."""

import asyncpg
import pytest
from asyncpg.exceptions._base import DataError as InvalidArgument

from services.chassis.failures import Broken, DeadLetterLimit, Failure, backoff_seconds, classify
from services.chassis.offsets import Fenced


@pytest.mark.parametrize(
    ("error", "failure"),
    [
        (asyncpg.ConnectionDoesNotExistError(), Failure.TRANSIENT),
        (asyncpg.TooManyConnectionsError(), Failure.TRANSIENT),
        (asyncpg.AdminShutdownError(), Failure.TRANSIENT),
        (asyncpg.SerializationError(), Failure.TRANSIENT),
        (asyncpg.DeadlockDetectedError(), Failure.TRANSIENT),
        (asyncpg.QueryCanceledError(), Failure.TRANSIENT),
        (ConnectionRefusedError(), Failure.TRANSIENT),
        (asyncpg.LockNotAvailableError(), Failure.LOCKED),
        (asyncpg.UniqueViolationError(), Failure.MESSAGE),
        (asyncpg.CheckViolationError(), Failure.MESSAGE),
        (asyncpg.ExclusionViolationError(), Failure.MESSAGE),
        (InvalidArgument("invalid input for query argument $1"), Failure.MESSAGE),
        (asyncpg.InterfaceError("connection is closed"), Failure.TRANSIENT),
        (KeyError("a fault of ours"), Failure.MESSAGE),
        (asyncpg.UndefinedColumnError(), Failure.BROKEN),
        (asyncpg.InsufficientPrivilegeError(), Failure.BROKEN),
        (asyncpg.InvalidPasswordError(), Failure.BROKEN),
        (asyncpg.InvalidCatalogNameError(), Failure.BROKEN),
        (Broken("limit"), Failure.BROKEN),
        (Fenced("gone"), Failure.FENCED),
    ],
)
def test_every_error_has_its_answer(error: Exception, failure: Failure) -> None:
    assert classify(error) is failure


@pytest.mark.requirement("poison")
def test_a_bad_release_does_not_empty_a_topic_into_dead_letters() -> None:
    now = 0.0
    limit = DeadLetterLimit(most=20, window_seconds=60, monotonic=lambda: now)
    limit.check(20)
    limit.check(20)  # a batch that rolled back is checked again and counts once
    limit.count(20)
    with pytest.raises(Broken):
        limit.check(1)
    now = 61.0
    limit.check(20)


def test_backoff_grows_and_has_a_ceiling() -> None:
    assert all(0.05 <= backoff_seconds(0) <= 0.1 for _ in range(50))
    assert all(2.5 <= backoff_seconds(99) <= 5.0 for _ in range(50))
