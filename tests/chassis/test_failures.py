"""What an error means."""

import asyncpg
import pytest
from asyncpg.exceptions._base import DataError as InvalidArgument
from asyncpg.exceptions._base import ProtocolError

from services.chassis.failures import BadRelease, Broken, Failure, NewerBuild, backoff_seconds, classify
from services.chassis.offsets import Fenced
from services.chassis.service import PlanChanged


@pytest.mark.parametrize(
    ("error", "failure"),
    [
        (asyncpg.ConnectionDoesNotExistError(), Failure.AWAY),
        (asyncpg.TooManyConnectionsError(), Failure.AWAY),
        (asyncpg.DiskFullError(), Failure.AWAY),
        (asyncpg.PostgresIOError(), Failure.AWAY),
        (asyncpg.AdminShutdownError(), Failure.AWAY),
        (asyncpg.CannotConnectNowError(), Failure.AWAY),
        (asyncpg.ReadOnlySQLTransactionError(), Failure.AWAY),
        (ConnectionRefusedError(), Failure.AWAY),
        (TimeoutError(), Failure.AWAY),
        (
            RuntimeError("unable to perform operation on <TCPTransport closed=True>; the handler is closed"),
            Failure.AWAY,
        ),
        (asyncpg.InterfaceError("connection is closed"), Failure.AWAY),
        (asyncpg.InternalClientError("cannot switch to state 15; another operation (2) is in progress"), Failure.AWAY),
        (ProtocolError("unexpected message"), Failure.AWAY),
        (asyncpg.SerializationError(), Failure.CONFLICT),
        (asyncpg.DeadlockDetectedError(), Failure.CONFLICT),
        (asyncpg.InvalidCachedStatementError(), Failure.CONFLICT),
        (PlanChanged("moved"), Failure.CONFLICT),
        (asyncpg.QueryCanceledError(), Failure.OVERTIME),
        (asyncpg.IdleInTransactionSessionTimeoutError(), Failure.OVERTIME),
        (asyncpg.LockNotAvailableError(), Failure.LOCKED),
        (NewerBuild("state"), Failure.NEWER),
        (asyncpg.UniqueViolationError(), Failure.MESSAGE),
        (asyncpg.CheckViolationError(), Failure.MESSAGE),
        (asyncpg.ExclusionViolationError(), Failure.MESSAGE),
        (asyncpg.NumericValueOutOfRangeError(), Failure.MESSAGE),
        (asyncpg.ProgramLimitExceededError(), Failure.MESSAGE),
        (InvalidArgument("invalid input for query argument $1"), Failure.MESSAGE),
        (KeyError("a fault of ours"), Failure.MESSAGE),
        (OverflowError("date value out of range"), Failure.MESSAGE),
        (asyncpg.UndefinedColumnError(), Failure.BROKEN),
        (asyncpg.InsufficientPrivilegeError(), Failure.BROKEN),
        (asyncpg.InvalidPasswordError(), Failure.AWAY),
        (asyncpg.InvalidAuthorizationSpecificationError(), Failure.BROKEN),
        (asyncpg.InvalidCatalogNameError(), Failure.BROKEN),
        (Broken("stop"), Failure.BROKEN),
        (Fenced("gone"), Failure.FENCED),
    ],
)
def test_every_error_has_its_answer(error: Exception, failure: Failure) -> None:
    assert classify(error) is failure


class Release:
    """A BadRelease of three failures in a minute, on a clock that the test sets."""

    def __init__(self) -> None:
        self.now = 100.0
        self.tells = BadRelease(most=3, window_seconds=60, monotonic=lambda: self.now)


@pytest.mark.requirement("poison")
def test_a_type_that_only_fails_is_the_releases_fault() -> None:
    release = Release()
    release.tells.count(failed=["a", "a"], succeeded=["b"])
    assert release.tells.suspects() == []
    release.tells.count(failed=["a", "b", "b", "b"], succeeded=[])
    assert release.tells.suspects() == ["a"]


@pytest.mark.requirement("poison")
def test_a_type_that_also_succeeds_is_bad_input_however_much_of_it_there_is() -> None:
    release = Release()
    release.tells.count(failed=["a"] * 1000, succeeded=["a"])
    assert release.tells.suspects() == []


@pytest.mark.requirement("poison")
def test_a_suspicion_ends_with_a_success_or_with_time() -> None:
    release = Release()
    release.tells.count(failed=["a", "b"] * 3, succeeded=[])
    release.tells.count(failed=[], succeeded=["a"])
    assert release.tells.suspects() == ["b"]
    release.now += 61
    assert release.tells.suspects() == []


def test_backoff_grows_and_has_a_ceiling() -> None:
    assert all(0.05 <= backoff_seconds(0) <= 0.1 for _ in range(50))
    assert all(2.5 <= backoff_seconds(99) <= 5.0 for _ in range(50))
