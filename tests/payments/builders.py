"""Payments, commands and Stripe's answers with sensible defaults, and a unit of work that needs no database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID, uuid4

from booking_contracts.codes import Rejected
from booking_contracts.envelope import MessageBody
from booking_contracts.payments import (
    AuthorizePayment,
    CapturePayment,
    PaymentCommand,
    SettlePayment,
    VoidPayment,
    WalletCommand,
)
from booking_contracts.types import Money, PaymentChoice, Price
from pydantic import BaseModel

from services.chassis.messages import Accepted, LocalBody, Message, Origin, Raw
from services.chassis.unit_of_work import Call, Record, Remind, Send
from services.payments.app import SERVICE
from services.payments.local_messages import (
    DisputeChanged,
    DisputeSeen,
    IntentChanged,
    IntentSeen,
    RefundSeen,
    RefundTold,
)
from services.payments.model.ledger import Entry, LedgerTransaction
from services.payments.model.payment import Operation, Payment
from services.payments.model.refund import Refund
from services.payments.work import PaymentsWork

NOW = datetime(2030, 1, 7, 12, 0, tzinfo=UTC)
BOOKING = UUID(int=0xB)
PAYMENT = UUID(int=0xA)
PROVIDER = UUID(int=0xC)
INTENT = "pi_1"
CARD = PaymentChoice(method="card", payment_method="pm_card_visa")
PRICE = 4500

RecordT = TypeVar("RecordT")


def eur(amount: int) -> Money:
    return Money(amount=amount, currency="EUR")


def authorize(attempt: int = 1, **changes: Any) -> AuthorizePayment:
    fields: dict[str, Any] = {
        "booking_id": BOOKING,
        "payment_id": PAYMENT,
        "attempt": attempt,
        "amount": Price(amount=PRICE, currency="EUR"),
        "customer_id": "bob",
        "payment": CARD,
        "provider_id": PROVIDER,
        "commission_bps": 1000,
        "expires_at": NOW + timedelta(minutes=15),
    }
    return AuthorizePayment(**{**fields, **changes})


def capture(attempt: int = 1) -> CapturePayment:
    return CapturePayment(booking_id=BOOKING, payment_id=PAYMENT, attempt=attempt)


def void(attempt: int = 1) -> VoidPayment:
    return VoidPayment(booking_id=BOOKING, payment_id=PAYMENT, attempt=attempt)


def settle(refund: int = 0, release: int = 0, *, settlement_id: UUID | None = None, attempt: int = 1) -> SettlePayment:
    return SettlePayment(
        booking_id=BOOKING,
        payment_id=PAYMENT,
        attempt=attempt,
        settlement_id=settlement_id or uuid4(),
        refund=eur(refund),
        release=eur(release),
    )


class World:
    """Given a payment, when messages, then events, calls and postings: the real handlers, in memory."""

    def __init__(self, *, now: datetime = NOW) -> None:
        self.work = PaymentsWork(now)

    def at(self, now: datetime) -> World:
        """The same world at another instant."""
        self.work.now = now
        return self

    def tell(
        self, body: BaseModel, *, correlation_id: str = "correlation", message_id: UUID | None = None
    ) -> Accepted | None:
        """A message's turn, as the engine gives it: what a refused one decided is taken back."""
        message = as_message(body, correlation_id, message_id)
        self.work.begin(message)
        try:
            return SERVICE.by_type[message.type].decide(message, self.work)
        except Rejected:
            self.work.undo()
            raise

    def stripe_says(self, status: str, **changes: Any) -> None:
        """Answer the open call about the PaymentIntent."""
        payment = self.payment
        assert payment.calling is not None, "no call is open"
        self.tell(seen(status, payment.calling, attempt=payment.attempt, **changes))

    def event(self, kind: str, **changes: Any) -> None:
        """A Stripe event about the PaymentIntent."""
        fields = {"event_id": "evt_1", "booking_id": BOOKING, "attempt": self.payment.attempt, "payment_intent": INTENT}
        self.tell(IntentChanged(**{**fields, "event_type": f"payment_intent.{kind}", **changes}))

    def refund_is(self, status: str, failure: str | None = None, *, number: int = 1) -> None:
        """Answer the open call about a refund."""
        (refund,) = [refund for refund in self.work.all(Refund) if refund.number == number]
        assert refund.calling, "no call about the refund is open"
        self.tell(
            RefundSeen(
                booking_id=refund.booking_id,
                refund_id=refund.refund_id,
                status=status,
                stripe_refund=f"re_{number}",
                failure=failure,
            )
        )

    def refund_event(self, status: str, *, number: int = 1) -> None:
        """A Stripe event about a refund."""
        (refund,) = [refund for refund in self.work.all(Refund) if refund.number == number]
        self.tell(
            RefundTold(
                event_id=f"evt_{status}",
                event_type="refund.updated",
                booking_id=refund.booking_id,
                refund_id=refund.refund_id,
                stripe_refund=f"re_{number}",
                status=status,
            )
        )

    def dispute(self, status: str, amount: int = PRICE, *, booking: UUID | None = BOOKING) -> None:
        """Stripe tells of a dispute, and says how it stands when it is looked at."""
        dispute_id = "du_1"
        self.tell(
            DisputeChanged(
                event_id="evt_d",
                dispute_id=dispute_id,
                payment_intent=INTENT,
                booking_id=booking,
                amount_minor=amount,
                currency="eur",
            )
        )
        seen = DisputeSeen(dispute_id=dispute_id, booking_id=booking, amount_minor=amount, status=status)
        if self.calls[-1].operation == "dispute":
            self.tell(seen)

    def authorized(self, **changes: Any) -> World:
        self.tell(authorize(**changes))
        self.stripe_says("requires_capture")
        return self

    def captured(self, **changes: Any) -> World:
        self.authorized(**changes)
        self.tell(capture())
        self.stripe_says("succeeded")
        return self

    @property
    def payment(self) -> Payment:
        found = self.work.find(Payment, BOOKING)
        assert found is not None
        return found

    @property
    def events(self) -> list[str]:
        """The names of the events sent, oldest first."""
        return [send.type.split(".")[1] for send in self.sends]

    @property
    def sends(self) -> list[Send]:
        return [effect for effect in self.work.journal if isinstance(effect, Send)]

    def sent(self, kind: type[MessageBody]) -> list[Any]:
        """The bodies of one event type, oldest first."""
        return [kind.model_validate_json(send.body) for send in self.sends if send.type == kind.ce_type]

    def last(self, kind: type[MessageBody]) -> Any:
        return self.sent(kind)[-1]

    @property
    def calls(self) -> list[Call]:
        return [effect for effect in self.work.journal if isinstance(effect, Call)]

    @property
    def operations(self) -> list[str]:
        return [call.operation for call in self.calls]

    def reminders(self, kind: type[LocalBody]) -> list[Remind]:
        return [e for e in self.work.journal if isinstance(e, Remind) and isinstance(e.body, kind)]

    def records(self, kind: type[RecordT]) -> list[RecordT]:
        """What was appended to a log, oldest first."""
        rows = [effect.row for effect in self.work.journal if isinstance(effect, Record)]
        return [row for row in rows if isinstance(row, kind)]

    @property
    def entries(self) -> list[Entry]:
        return [entry for row in self.records(LedgerTransaction) for entry in row.entries]

    def balance(self, account: str) -> int:
        return sum(entry.amount_minor for entry in self.entries if entry.account == account)


def seen(status: str, operation: Operation = Operation.AUTHORIZE, **changes: Any) -> IntentSeen:
    """How Stripe's PaymentIntent stands after a call."""
    fields: dict[str, Any] = {
        "booking_id": BOOKING,
        "attempt": 1,
        "operation": operation,
        "payment_intent": INTENT if status else None,
        "status": status,
        "capturable_minor": PRICE if status == "requires_capture" else 0,
        "received_minor": PRICE if status == "succeeded" else 0,
    }
    return IntentSeen(**{**fields, **changes})


def as_message(body: BaseModel, correlation_id: str = "correlation", message_id: UUID | None = None) -> Message[Any]:
    kind = body.ce_type  # type: ignore[attr-defined]
    origin = Origin.COMMAND if isinstance(body, PaymentCommand | WalletCommand) else Origin.LOCAL
    key = str(getattr(body, "booking_id", ""))
    raw = Raw("", 0, 0, key.encode(), [], b"")
    return Message(message_id or uuid4(), kind, key, body, origin, raw, correlation_id)
