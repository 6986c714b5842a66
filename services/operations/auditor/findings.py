"""What can be wrong, as rows of `violation` name it; what each kind means and what a person does: docs/auditor.md."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID


class Kind(StrEnum):
    """Kinds of violations; a label of metrics."""

    SEATS = "seats"
    BOOKING_PAYMENT = "booking_payment"
    HISTORY_GAP = "history_gap"
    HISTORY_STEP = "history_step"
    HISTORY_END = "history_end"
    STREAM_GAP = "stream_gap"
    STREAM_AHEAD = "stream_ahead"
    STREAM_BEHIND = "stream_behind"
    POSTING = "posting"
    ESCROW = "escrow"
    WALLET = "wallet"
    STRIPE_DIFFERENCE = "stripe_difference"
    STRIPE_REPORT = "stripe_report"
    STRIPE_EVENT_ASIDE = "stripe_event_aside"
    PENDING_OVERDUE = "pending_overdue"
    OFFER_OVERDUE = "offer_overdue"
    NOT_CAPTURED = "not_captured"
    LIVE_AUTHORISATION = "live_authorisation"
    SAGA_WITHOUT_TIMER = "saga_without_timer"
    TIMER_WITHOUT_ROW = "timer_without_row"
    OUTBOX_STANDS = "outbox_stands"
    MESSAGES_STAND = "messages_stand"
    LETTER_WITHOUT_ROW = "letter_without_row"
    ROW_WITHOUT_LETTER = "row_without_letter"
    WEBHOOK_WITHOUT_ROW = "webhook_without_row"
    WEBHOOK_STANDS = "webhook_stands"


Key = tuple[Kind, str]
"""Kind and subject: one open violation."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong. `subject` names it within its kind and stays the same from look to look; `ids` has the
    rows concerned, by their columns. Two looks that find the same find equal ones: no age stands in `detail`."""

    kind: Kind
    subject: str
    detail: str
    ids: Mapping[str, str] = field(default_factory=dict)
    booking_id: UUID | None = None
    payment_id: UUID | None = None

    @property
    def key(self) -> Key:
        return self.kind, self.subject

    def row(self) -> dict[str, str]:
        """As a line of the log or of a document."""
        money = {"payment_id": self.payment_id, "booking_id": self.booking_id}
        named = {name: str(value) for name, value in money.items() if value is not None}
        return {"kind": self.kind, "subject": self.subject, "detail": self.detail, **self.ids, **named}
