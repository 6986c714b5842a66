"""What every message has to do in every state (rules.md, Which command in which state; Late events).

Nothing is decided here: handlers/ decides, the file of the command or event; this is what they are held to.
tests/booking/test_outcomes.py walks all pairs through the real handlers, services/operations/drawn_pages.py draws them.

Read a row as: the message, from one who may send it, with nothing wrong in it, on a booking in that state and before
its deadline. Past the deadline a command, or an event about money that the state waits for or rests on, first takes the
step that time alone takes (`BY_TIME`), in the same transaction, and then meets the state after it: the outcome is the
same whether or not the timer has run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from booking_contracts.codes import Code

from services.booking.model.states import CANCELLED, DEAD, FUNDED, PENDING, S, State


class Case(StrEnum):
    """What an outcome may depend on beside the state: how it is booked, and how late it is."""

    INSTANT = "booked at once"
    APPROVED = "approved"
    BEFORE_CUT_OFF = "before the change deadline"
    AFTER_CUT_OFF = "until the start"
    STARTED = "until its end"
    ENDED = "from its end on"


@dataclass(frozen=True, slots=True)
class Advance:
    """The state changes."""

    to: State


@dataclass(frozen=True, slots=True)
class Reject:
    """A command is refused; nothing changes."""

    code: Code


@dataclass(frozen=True, slots=True)
class Stay:
    """It does its work; the state stays."""

    what: str


@dataclass(frozen=True, slots=True)
class Ignore:
    """Late, repeated or irrelevant by now: nothing is published."""


@dataclass(frozen=True, slots=True)
class GiveBack:
    """What it reserved or took goes back to the customer; the state stays."""

    how: str


Outcome = Advance | Reject | Stay | Ignore | GiveBack
Cell = Outcome | Mapping[Case, Outcome]
Row = Mapping[State, Cell]

ILLEGAL, TOO_EARLY = Reject(Code.ILLEGAL_TRANSITION), Reject(Code.TOO_EARLY)
TOO_LATE, CLOSED = Reject(Code.DEADLINE_PASSED), Reject(Code.WINDOW_CLOSED)
CANCELLED_ALREADY, EXISTS = Reject(Code.ALREADY_CANCELLED), Reject(Code.BOOKING_EXISTS)
IGNORE, VOIDED, REFUNDED = Ignore(), GiveBack("voided"), GiveBack("refunded")
NOTED, FILLED, STUCK = (
    Stay("in the history"),
    Stay("the money is in escrow"),
    Stay("its saga is stuck: an operator decides"),
)

SETTLED = frozenset({S.COMPLETED, S.RESOLVED_REFUNDED, S.RESOLVED_RELEASED, S.RESOLVED_SPLIT})
BEFORE_START, FROM_START = (Case.BEFORE_CUT_OFF, Case.AFTER_CUT_OFF), (Case.STARTED, Case.ENDED)
BY_TIME: Mapping[State, State] = {
    S.PENDING_APPROVAL: S.EXPIRED,
    S.PENDING_PAYMENT: S.EXPIRED,
    S.CONFIRMED: S.PENDING_CONFIRMATION,
    S.PENDING_CONFIRMATION: S.COMPLETED,
}
"""The step that time alone takes, at the booking's deadline or auto-completion."""


def _row(default: Cell, *groups: tuple[frozenset[State], Cell], **states: Cell) -> Row:
    row: dict[State, Cell] = dict.fromkeys(State, default)
    for group, cell in groups:
        row.update(dict.fromkeys(group, cell))
    return {**row, **{State[name]: cell for name, cell in states.items()}}


def _by_case(*pairs: tuple[tuple[Case, ...], Outcome]) -> dict[Case, Outcome]:
    return {case: outcome for cases, outcome in pairs for case in cases}


def _cancel(to: State, confirmed: Cell) -> Row:
    return _row(ILLEGAL, (CANCELLED, CANCELLED_ALREADY), (PENDING, Advance(to)), CONFIRMED=confirmed)


INSTANT_ENDS: Cell = {Case.INSTANT: Advance(S.PAYMENT_FAILED), Case.APPROVED: Stay("payable again")}
LOST: Cell = _by_case((BEFORE_START, Advance(S.PAYMENT_FAILED)), (FROM_START, STUCK))
UNTIL_CUT_OFF = ((Case.BEFORE_CUT_OFF,), (Case.AFTER_CUT_OFF, *FROM_START))

COMMANDS: Mapping[str, Row] = {
    "PlaceBooking": _row(EXISTS),
    "ApproveBooking": _row(ILLEGAL, PENDING_APPROVAL=Advance(S.PENDING_PAYMENT), EXPIRED=TOO_LATE),
    "RejectBooking": _row(ILLEGAL, PENDING_APPROVAL=Advance(S.REJECTED_BY_PROVIDER), EXPIRED=TOO_LATE),
    "PayBooking": _row(ILLEGAL, PENDING_PAYMENT=Stay("the next attempt starts"), EXPIRED=TOO_LATE),
    "AbandonPayment": _row(ILLEGAL, PENDING_PAYMENT=INSTANT_ENDS),
    "CancelBooking by customer": _cancel(
        S.CANCELLED_BY_CUSTOMER,
        _by_case((UNTIL_CUT_OFF[0], Advance(S.CANCELLED_BY_CUSTOMER)), (UNTIL_CUT_OFF[1], TOO_LATE)),
    ),
    "CancelBooking by provider": _cancel(S.CANCELLED_BY_PROVIDER, Advance(S.CANCELLED_BY_PROVIDER)),
    "CancelBooking by admin": _cancel(S.CANCELLED_BY_ADMIN, Advance(S.CANCELLED_BY_ADMIN)),
    "QuoteCancellation by customer": _row(
        ILLEGAL,
        (CANCELLED, CANCELLED_ALREADY),
        (PENDING, Stay("quoted: 0")),
        CONFIRMED=_by_case((UNTIL_CUT_OFF[0], Stay("quoted")), (UNTIL_CUT_OFF[1], TOO_LATE)),
    ),
    "RescheduleBooking by customer": _row(
        ILLEGAL, CONFIRMED=_by_case((UNTIL_CUT_OFF[0], Stay("moved")), (UNTIL_CUT_OFF[1], TOO_LATE))
    ),
    "RescheduleBooking by provider": _row(
        ILLEGAL, CONFIRMED=_by_case((BEFORE_START, Stay("moved")), (FROM_START, TOO_LATE))
    ),
    "CompleteSession": _row(
        ILLEGAL,
        CONFIRMED=_by_case(
            ((*BEFORE_START, Case.STARTED), TOO_EARLY), ((Case.ENDED,), Advance(S.PENDING_CONFIRMATION))
        ),
    ),
    "ConfirmSession": _row(ILLEGAL, PENDING_CONFIRMATION=Advance(S.COMPLETED), COMPLETED=CLOSED),
    "RaiseDispute": _row(
        ILLEGAL,
        CONFIRMED=_by_case((BEFORE_START, TOO_EARLY), (FROM_START, Advance(S.DISPUTED))),
        PENDING_CONFIRMATION=Advance(S.DISPUTED),
        COMPLETED=CLOSED,
    ),
    "ResolveDispute to refund": _row(ILLEGAL, DISPUTED=Advance(S.RESOLVED_REFUNDED)),
    "ResolveDispute to release": _row(ILLEGAL, DISPUTED=Advance(S.RESOLVED_RELEASED)),
    "ResolveDispute to split": _row(ILLEGAL, DISPUTED=Advance(S.RESOLVED_SPLIT)),
}
"""Commands about a booking that exists."""

EVENTS: Mapping[str, Row] = {
    "PaymentAuthorized": _row(IGNORE, (DEAD, VOIDED), PENDING_APPROVAL=VOIDED, PENDING_PAYMENT=Advance(S.CONFIRMED)),
    "PaymentActionRequired": _row(
        IGNORE, (DEAD, VOIDED), PENDING_APPROVAL=VOIDED, PENDING_PAYMENT=Stay("the customer is told to act")
    ),
    "PaymentDeclined": _row(IGNORE, PENDING_PAYMENT=INSTANT_ENDS),
    "PaymentCaptured": _row(FILLED, (PENDING, VOIDED), (DEAD, REFUNDED), REJECTED_BY_PROVIDER=VOIDED),
    "CaptureFailed": _row(IGNORE, (FUNDED, STUCK), CONFIRMED=LOST),
    "PaymentVoided": _row(IGNORE, (FUNDED, STUCK), PENDING_PAYMENT=Stay("payable again"), CONFIRMED=LOST),
    "PaymentSettled": _row(IGNORE, (SETTLED, Stay("its saga is done"))),
    **dict.fromkeys(
        ("RefundSucceeded", "RefundFailed", "PayoutFailed", "ChargebackOpened", "ChargebackClosed"), _row(NOTED)
    ),
}
"""Events about the booking's own attempt, the first of their kind that it hears of.

Not captured yet; a dead booking is one that died while its attempt was in flight.
"""

OF_ANOTHER_ATTEMPT: Mapping[str, Row] = {
    **dict.fromkeys(("PaymentAuthorized", "PaymentActionRequired", "PaymentCaptured"), _row(VOIDED)),
    **dict.fromkeys(("PaymentDeclined", "CaptureFailed", "PaymentVoided", "PaymentSettled"), _row(IGNORE)),
}
"""Older, or forged: nobody waits for them."""


def outcome(row: Row, state: State, case: Case | None) -> Outcome:
    """The outcome of a cell; `case` is needed only where it depends on one."""
    cell = row[state]
    if isinstance(cell, Mapping):
        assert case is not None, f"{state} has several outcomes"
        return cell[case]
    return cell
