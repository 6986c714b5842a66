"""The states of a booking and the legal steps between them (ARCHITECTURE.md, The states of a booking).

The database repeats this table (legal_transition), and a test holds the two against each other.
"""

from enum import StrEnum


class State(StrEnum):
    """Where a booking stands."""

    PENDING_APPROVAL = "PENDING_APPROVAL"
    PENDING_PAYMENT = "PENDING_PAYMENT"
    CONFIRMED = "CONFIRMED"
    PENDING_CONFIRMATION = "PENDING_CONFIRMATION"
    COMPLETED = "COMPLETED"
    DISPUTED = "DISPUTED"
    RESOLVED_REFUNDED = "RESOLVED_REFUNDED"
    RESOLVED_RELEASED = "RESOLVED_RELEASED"
    RESOLVED_SPLIT = "RESOLVED_SPLIT"
    CANCELLED_BY_CUSTOMER = "CANCELLED_BY_CUSTOMER"
    CANCELLED_BY_PROVIDER = "CANCELLED_BY_PROVIDER"
    CANCELLED_BY_ADMIN = "CANCELLED_BY_ADMIN"
    REJECTED_BY_PROVIDER = "REJECTED_BY_PROVIDER"
    PAYMENT_FAILED = "PAYMENT_FAILED"
    EXPIRED = "EXPIRED"


S = State
INITIAL = frozenset({S.PENDING_APPROVAL, S.PENDING_PAYMENT})
PENDING = INITIAL
LIVING = PENDING | {S.CONFIRMED}
"""The session is still to come; a closed slot ends these."""
CANCELLED = frozenset({S.CANCELLED_BY_CUSTOMER, S.CANCELLED_BY_PROVIDER, S.CANCELLED_BY_ADMIN})
DEAD = CANCELLED | {S.REJECTED_BY_PROVIDER, S.PAYMENT_FAILED, S.EXPIRED}
"""Ended without a session: the seats are free, money that still arrives goes back."""
FUNDED = frozenset({S.CONFIRMED, S.PENDING_CONFIRMATION, S.DISPUTED})
"""Authorised or locked money plus escrow covers the price (requirement escrow)."""
OCCUPYING = frozenset(S) - DEAD
"""States whose seats count against the slot."""

TRANSITIONS: dict[State, frozenset[State]] = {
    S.PENDING_APPROVAL: frozenset({S.PENDING_PAYMENT, S.REJECTED_BY_PROVIDER, S.EXPIRED}) | CANCELLED,
    S.PENDING_PAYMENT: frozenset({S.CONFIRMED, S.PAYMENT_FAILED, S.EXPIRED}) | CANCELLED,
    S.CONFIRMED: frozenset({S.PENDING_CONFIRMATION, S.DISPUTED, S.PAYMENT_FAILED}) | CANCELLED,
    S.PENDING_CONFIRMATION: frozenset({S.COMPLETED, S.DISPUTED}),
    S.DISPUTED: frozenset({S.RESOLVED_REFUNDED, S.RESOLVED_RELEASED, S.RESOLVED_SPLIT}),
}
"""Nothing leaves a state that is not a key here, and no state is entered twice."""


def may_become(current: State, following: State) -> bool:
    """Whether the step is in the table."""
    return following in TRANSITIONS.get(current, frozenset())
