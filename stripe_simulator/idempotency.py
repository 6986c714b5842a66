"""Stripe's v1 idempotency ("Idempotent requests"): the first answer under a key is the answer."""

from collections import deque
from dataclasses import dataclass

from stripe_simulator.clock import Clock
from stripe_simulator.errors import ApiError, invalid
from stripe_simulator.form import decode

KEPT_SECONDS = 24 * 3600
LONGEST_KEY = 255


@dataclass(slots=True)
class Record:
    """The first request under a key. `status` is None while it is still executing."""

    key: str
    path: str
    encoded: bytes
    created: float
    request_id: str
    status: int | None = None
    body: bytes = b""


class IdempotencyKeys:
    """Keys and their stored answers, forgotten 24 hours after their first use on the simulator's clock."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._records: dict[str, Record] = {}
        self._oldest_first: deque[Record] = deque()

    def find(self, key: str, path: str, encoded: bytes) -> Record | None:
        """The stored answer to replay; None when the key is new.

        Raises 400 idempotency_error for other parameters or another endpoint under the key, and 409
        idempotency_key_in_use while the first request is executing.
        """
        if len(key) > LONGEST_KEY:
            raise invalid(f"Idempotency keys can be up to {LONGEST_KEY} characters long.")
        self._forget_old()
        record = self._records.get(key)
        if record is None:
            return None
        hint = f"Try using a key other than '{key}' if you meant to execute a different request."
        if record.path != path:
            raise _mismatch(
                "Keys for idempotent requests can only be used for the same endpoint they were first used "
                "for "
                f"('{path}' vs '{record.path}'). {hint}"
            )
        if record.encoded != encoded and decode(record.encoded) != decode(encoded):
            raise _mismatch(
                "Keys for idempotent requests can only be used with the same parameters they were first "
                "used with. " + hint
            )
        if record.status is None:
            raise ApiError(
                409,
                "invalid_request_error",
                "There is currently another in-progress request using this Idempotent Key (that probably "
                "means you "
                f"submitted twice, and the other request is still going through): {key}. Please try again "
                "later.",
                code="idempotency_key_in_use",
                executed=False,
            )
        return record

    def begin(self, key: str, path: str, encoded: bytes, request_id: str) -> Record:
        """Mark a new key as executing. `finish` or `abandon` must follow."""
        record = Record(key, path, encoded, self._clock.now(), request_id)
        self._records[key] = record
        self._oldest_first.append(record)
        return record

    def finish(self, record: Record, status: int, body: bytes) -> None:
        """Keep the answer."""
        record.status = status
        record.body = body

    def abandon(self, record: Record) -> None:
        """Forget a key whose request failed before it was executed."""
        if self._records.get(record.key) is record:
            del self._records[record.key]

    def _forget_old(self) -> None:
        horizon = self._clock.now() - KEPT_SECONDS
        while self._oldest_first and self._oldest_first[0].created <= horizon:
            self.abandon(self._oldest_first.popleft())


def _mismatch(message: str) -> ApiError:
    return ApiError(400, "idempotency_error", message, executed=False)
