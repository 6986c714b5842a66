"""A small model of the payments service, as the contract describes it: commands in, events out, and where the money is.

It works one booking's commands in order and answers each as often as it is asked.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal
from uuid import UUID

from booking_contracts import payments
from booking_contracts.types import Money

Fate = Literal["authorized", "declined", "requires_action"]


@dataclass
class Account:
    """One booking's money, in minor units; `amount` is what its attempts ask for."""

    booking_id: UUID
    payment_id: UUID
    amount: int = 0
    attempt: int = 0
    status: Literal["none", "authorized", "declined", "requires_action", "captured", "settled", "voided"] = "none"
    voided_through: int = 0
    authorized: int = 0
    captured: int = 0
    refunded: int = 0
    released: int = 0
    settlements: dict[UUID, payments.PaymentSettled] = field(default_factory=dict)

    @property
    def escrow(self) -> int:
        return self.captured - self.refunded - self.released

    def handle(self, command: payments.PaymentCommand, fate: Fate) -> list[payments.PaymentEvent]:
        """The command's answers; `fate` is what the card or wallet says to a new attempt."""
        match command:
            case payments.AuthorizePayment():
                return self._authorize(command, fate)
            case payments.CapturePayment():
                return self._capture(command.attempt)
            case payments.VoidPayment():
                return self._void(command.attempt)
            case payments.SettlePayment():
                return self._settle(command)
        raise AssertionError(command)

    def customer_acts(self, *, success: bool) -> list[payments.PaymentEvent]:
        """3-D Secure ends."""
        return self._begin("authorized" if success else "declined")

    def _authorize(self, command: payments.AuthorizePayment, fate: Fate) -> list[payments.PaymentEvent]:
        if command.attempt <= self.voided_through or command.attempt < self.attempt:
            return [self._say(payments.PaymentVoided, command.attempt)]
        if command.attempt == self.attempt:
            return self._again()
        assert not self.escrow, "nobody pays twice"
        self.attempt, self.amount, self.authorized = command.attempt, command.amount.amount, 0
        return self._begin(fate)

    def _begin(self, fate: Fate) -> list[payments.PaymentEvent]:
        self.status = fate
        self.authorized = self.amount if fate == "authorized" else 0
        return self._again()

    def _again(self) -> list[payments.PaymentEvent]:
        if self.status in ("authorized", "captured", "settled"):
            return [self._say(payments.PaymentAuthorized, amount=euros(self.amount))]
        if self.status == "requires_action":
            return [self._say(payments.PaymentActionRequired, kind="authenticate")]
        if self.status == "declined":
            return [self._say(payments.PaymentDeclined, code="generic_decline", retryable=True)]
        return [self._say(payments.PaymentVoided)]

    def _capture(self, attempt: int) -> list[payments.PaymentEvent]:
        if attempt == self.attempt and self.authorized:
            self.captured, self.authorized, self.status = self.authorized, 0, "captured"
        if attempt == self.attempt and self.captured:
            return [self._say(payments.PaymentCaptured, amount=euros(self.captured))]
        return [self._say(payments.CaptureFailed, attempt, code="not_authorized")]

    def _void(self, attempt: int) -> list[payments.PaymentEvent]:
        self.voided_through = max(self.voided_through, attempt)
        if attempt == self.attempt and self.status in ("authorized", "requires_action"):
            self.authorized, self.status = 0, "voided"
        elif attempt == self.attempt and self.escrow:
            self.refunded, self.status = self.refunded + self.escrow, "settled"
        return [self._say(payments.PaymentVoided, attempt)]

    def _settle(self, command: payments.SettlePayment) -> list[payments.PaymentEvent]:
        if command.settlement_id in self.settlements:
            return [self.settlements[command.settlement_id]]
        refund, release, events = command.refund.amount, command.release.amount, list[payments.PaymentEvent]()
        if self.authorized and release:
            events = self._capture(self.attempt)
        if self.captured:
            assert refund + release == self.escrow, "a settlement shares out what is in escrow, no more and no less"
            self.refunded, self.released, self.status = refund, release, "settled"
        else:
            self.authorized, self.status, refund, release = 0, "voided", 0, 0
        settled = self._say(
            payments.PaymentSettled,
            settlement_id=command.settlement_id,
            via="refund" if self.captured else "void",
            refund=euros(refund),
            release=euros(release),
            commission=euros(0),
            provider_amount=euros(release),
        )
        assert isinstance(settled, payments.PaymentSettled)
        self.settlements[command.settlement_id] = settled
        return [*events, settled]

    def _say(
        self, event: type[payments.PaymentEvent], attempt: int | None = None, **fields: Any
    ) -> payments.PaymentEvent:
        of = {"booking_id": self.booking_id, "payment_id": self.payment_id, "attempt": attempt or self.attempt}
        return event(**of, **fields)


def euros(minor: int) -> Money:
    return Money(amount=minor, currency="EUR")
