"""The local messages of payments: what Stripe answered, what Stripe told, what has to wait a while.

They hold ids, amounts and codes only: never a client secret, never card data.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from booking_contracts.payments import AuthorizePayment, SettlePayment
from booking_contracts.types import Price

from services.chassis.messages import LocalBody
from services.payments.model.payment import Operation

MISSING = "missing"
"""The status of an object that Stripe does not know, though we have its id: it was asked for in a wrong account."""
RELEASED = "released"
"""The status of a Refund that Stripe wrote for what was authorised and never captured: it gave nothing back."""


class OfOwner(LocalBody):
    """About the money of a booking, or of a wallet by one top-up; of neither while no row knows whose it is."""

    booking_id: UUID | None = None
    customer_id: str | None = None
    command_id: UUID | None = None


class IntentSeen(LocalBody):
    """How Stripe's PaymentIntent of an attempt stands after a call; `status` is empty when there is none."""

    booking_id: UUID
    attempt: int
    operation: Operation
    payment_intent: str | None = None
    charge: str | None = None
    status: str = ""
    capturable_minor: int = 0
    received_minor: int = 0
    error_code: str | None = None
    decline_code: str | None = None
    of_request: bool = False
    """Stripe refused the request itself: the card is not to blame."""
    by_reconciler: bool = False
    """The reconciler had it looked at: what is new by it no event had told."""
    was_there: bool = False
    """It was looked for, and may be further on than to be authorised."""


class LeftoverCancelled(LocalBody):
    """A PaymentIntent that nobody wants is out of the way; `received_minor` must be 0."""

    booking_id: UUID
    attempt: int
    payment_intent: str
    status: str
    received_minor: int = 0


class RefundSeen(LocalBody):
    """How a refund stands after a call; `stripe_refund` is None when Stripe refused to make it."""

    booking_id: UUID
    refund_id: UUID
    status: str
    stripe_refund: str | None = None
    failure: str | None = None


class TransferSeen(LocalBody):
    """A transfer to a connected account was made, or refused."""

    booking_id: UUID
    payout_id: UUID
    transfer_id: str | None = None
    failure: str | None = None


class DisputeSeen(OfOwner):
    """How a dispute stands: what it took from Stripe's balance, and whether that is `withdrawn` or given back.

    `withdrawn` is None where Stripe has not said yet; the amount is then the dispute's own.
    """

    dispute_id: str
    amount_minor: int
    status: str
    currency: str | None = None
    withdrawn: bool | None = None
    looked: int = 0


class TopUpSeen(LocalBody):
    """A card was charged for a wallet, or declined; `payment_intent` is None when Stripe made none."""

    command_id: UUID
    customer_id: str
    payment_intent: str | None = None
    status: str = ""
    error_code: str | None = None
    decline_code: str | None = None
    of_request: bool = False


class WithdrawalSeen(LocalBody):
    """How one part of a withdrawal stands."""

    command_id: UUID
    customer_id: str
    part_id: UUID
    status: str
    stripe_refund: str | None = None
    failure: str | None = None


class IntentChanged(LocalBody):
    """A Stripe event about the PaymentIntent of an attempt. The event's copy may be old: only its type counts."""

    event_id: str
    event_type: str
    booking_id: UUID
    attempt: int
    payment_intent: str
    looked: int = 0
    """How often it was looked at while another call was open."""


class RefundTold(OfOwner):
    """A Stripe event about a refund of a PaymentIntent of ours, whoever made it."""

    event_id: str
    stripe_refund: str
    payment_intent: str = ""
    status: str = ""
    looked: int = 0
    """How often it was looked at while a call about the same money was open."""


class RefundChanged(RefundTold):
    """As a release before told of a refund of ours: that build could not read what RefundTold says."""


class PartChanged(LocalBody):
    """As a release before told of a withdrawal's refund."""

    event_id: str
    command_id: UUID
    customer_id: str
    part_id: UUID
    status: str


class DashboardRefundChanged(RefundTold):
    """As a release before told of a refund that was made at Stripe."""


class DashboardRefundSeen(OfOwner):
    """How a refund that was made at Stripe, not by us, stands."""

    stripe_refund: str
    payment_intent: str
    amount_minor: int
    status: str
    failure: str | None = None
    looked: int = 0


class DisputeChanged(OfOwner):
    """A Stripe event about a dispute."""

    event_id: str
    dispute_id: str
    payment_intent: str
    amount_minor: int
    currency: str
    looked: int = 0


class AuthorizeLater(LocalBody):
    """An authorisation that waits until the attempt before it is out of the way."""

    booking_id: UUID
    command: AuthorizePayment
    again_until: datetime | None = None
    """Of a command that was read again (chassis/set_back.py): until when what it rests on may still come."""


class WithdrawLater(LocalBody):
    """A withdrawal that was read again before the money that the wallet had; `until`: how long it is waited for."""

    command_id: UUID
    customer_id: str
    amount: Price
    until: datetime


class SettleLater(LocalBody):
    """A settlement that waits for the one before it."""

    booking_id: UUID
    command: SettlePayment


class RefundAgain(LocalBody):
    """A failed refund's next try has come, by its timer or by an operator."""

    booking_id: UUID
    refund_id: UUID
    tries: int
    by_operator: bool = False


class PayoutAgain(LocalBody):
    """A failed transfer's next try has come, by its timer or by an operator."""

    booking_id: UUID
    payout_id: UUID
    tries: int
    by_operator: bool = False
    account: str | None = None
    """Where to: else where it was to go before."""
    from_balance: bool = False
    """Not from the charge that paid: Stripe does not take it as a source."""


class AccountKnown(LocalBody):
    """A provider whose earnings may wait for it has a payout account."""

    provider_id: UUID
    account: str


class TransferReversed(LocalBody):
    """A Stripe event about a transfer that somebody took back, `reversed_minor` of it in all."""

    event_id: str
    transfer_id: str
    reversed_minor: int
    booking_id: UUID | None = None
    payout_id: UUID | None = None
    looked: int = 0


class Unclaimed(LocalBody):
    """An event about money that no row of ours knows yet: its call's answer may still be on the way."""

    told: RefundTold | DisputeChanged | TransferReversed
    looked: int = 0

    @property
    def object_id(self) -> str:
        """By which a row will know it: the PaymentIntent, or the transfer."""
        return self.told.transfer_id if isinstance(self.told, TransferReversed) else self.told.payment_intent


class Found(LocalBody):
    """A PaymentIntent whose `status` at Stripe does not go with our payment: the reconciler found it."""

    booking_id: UUID
    attempt: int
    payment_intent: str
    status: str


class LookAgain(LocalBody):
    """A payment has waited long for Stripe: an event may have been lost."""

    booking_id: UUID
