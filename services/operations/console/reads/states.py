"""The states of a booking as a picture has them: where each stands, and the way that one booking took."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from services.booking.model.states import CANCELLED, TRANSITIONS, State
from services.operations.console.reads.few import Few

S = State
PLACES: Mapping[State, tuple[int, int]] = {
    S.PENDING_APPROVAL: (0, 0),
    S.PENDING_PAYMENT: (1, 0),
    S.CONFIRMED: (2, 0),
    S.PENDING_CONFIRMATION: (3, 0),
    S.COMPLETED: (4, 0),
    S.DISPUTED: (3, 1),
    S.RESOLVED_REFUNDED: (4, 1),
    S.RESOLVED_RELEASED: (4, 2),
    S.RESOLVED_SPLIT: (4, 3),
    S.REJECTED_BY_PROVIDER: (0, 2),
    S.EXPIRED: (1, 2),
    S.PAYMENT_FAILED: (2, 2),
    S.CANCELLED_BY_CUSTOMER: (0, 3),
    S.CANCELLED_BY_PROVIDER: (1, 3),
    S.CANCELLED_BY_ADMIN: (2, 3),
}
"""Column and row: what goes well runs along the top."""


@dataclass(frozen=True, slots=True)
class Stay:
    """A state that a booking was in, from when until when; None: it still is."""

    state: State
    since: datetime
    until: datetime | None

    @property
    def seconds(self) -> float | None:
        """How long; None while it lasts."""
        return None if self.until is None else (self.until - self.since).total_seconds()


def stays(history: Few) -> Sequence[Stay]:
    """The states of a booking in the order in which it was in them."""
    entered = [(row["to_state"], row["at"]) for row in history.rows if row["from_state"] != row["to_state"]]
    left: list[datetime | None] = [at for _, at in entered[1:]]
    return [Stay(State(state), since, until) for (state, since), until in zip(entered, [*left, None], strict=False)]


def way(found: Sequence[Stay]) -> frozenset[tuple[State, State]]:
    """The steps taken."""
    return frozenset((before.state, after.state) for before, after in pairwise(found))


def steps() -> Sequence[tuple[State, State]]:
    """All that there are, but for the cancellations: nine lines more, that say that anybody may cancel."""
    return [(before, after) for before, following in TRANSITIONS.items() for after in sorted(following - CANCELLED)]
