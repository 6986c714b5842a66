"""Payments' SQL: load and lock what messages are about, many at once; writing is in store/save.py.

Lock order, everywhere: payment → wallet → escrow. Each table once, ORDER BY id, no join in a locking query, always
FOR NO KEY UPDATE. What belongs to one payment (settlements, refunds, payouts, chargebacks, its escrow) stands still
under the payment's lock, what belongs to one wallet (balances, top-ups, withdrawals) under the wallet's.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any
from uuid import UUID

from booking_contracts.booking import ProviderRegistered
from booking_contracts.payments import AuthorizePayment, SettlePayment, WalletCommand, WithdrawFromWallet
from pydantic import BaseModel

from services.chassis.database import Connection
from services.chassis.messages import Message
from services.chassis.service import Load
from services.chassis.statements import Row as Read
from services.chassis.statements import Statements
from services.chassis.tables import Table
from services.chassis.unit_of_work import Row
from services.payments.local_messages import (
    AccountKnown,
    DashboardRefundSeen,
    DisputeChanged,
    DisputeSeen,
    PartChanged,
    PayoutAgain,
    RefundTold,
    TopUpSeen,
    Unclaimed,
    WithdrawalSeen,
    WithdrawLater,
)
from services.payments.model import ledger
from services.payments.model.chargeback import Chargeback
from services.payments.model.payment import Payment
from services.payments.model.payout import SLICE, Payout, PayoutStatus
from services.payments.store import rows
from services.payments.store.save import save
from services.payments.store.tables import (
    ASKED,
    BALANCE,
    CHARGEBACK,
    DASHBOARD_REFUND,
    PART,
    PAYMENT,
    PAYOUT,
    PROVIDER_ACCOUNT,
    REFUND,
    SETTLEMENT,
    TOP_UP,
    WALLET,
    WITHDRAWAL,
)
from services.payments.stripe_events.owners import owners
from services.payments.work import PaymentsWork

LOCK = "FOR NO KEY UPDATE"
ABOUT_REFUNDS = (RefundTold, DashboardRefundSeen)
DRAWING = (WithdrawFromWallet, WithdrawLater, WithdrawalSeen)
OF_WALLETS = (WalletCommand, TopUpSeen, *DRAWING, PartChanged, *ABOUT_REFUNDS, DisputeChanged, DisputeSeen)


class PaymentsStore:
    """Loads and saves payments and wallets; stateless."""

    def begin(self, reads: Statements, messages: Sequence[Message[Any]], work: PaymentsWork) -> Load:
        """Lock the payments that messages name, then the wallets that pay for them; read what belongs to them.

        Last, the accounts of providers that an event names: nothing is locked after them.
        """
        reader = _Reader(reads.connection, work, [(message.id, _body(message)) for message in messages])
        bookings = f"WHERE booking_id = ANY($1) ORDER BY booking_id {LOCK}"
        payments = reader.ask(reads, PAYMENT.table, bookings, reader.values("booking_id"))
        return partial(self._load, reader, payments, _ask_without_account(reads, reader))

    async def _load(self, reader: _Reader, payments: Sequence[Read], without_account: Sequence[Read]) -> None:
        work = reader.work
        reader.bring_in(rows.payment, payments)
        reader.bring_in(rows.payout, without_account)
        paying = _paying(work, reader)
        customers = paying | reader.values("customer_id", *OF_WALLETS)
        await reader.read(
            rows.wallet, WALLET.table, f"WHERE customer_id = ANY($1) ORDER BY customer_id {LOCK}", customers
        )
        await _read_of_payments(reader, work)
        if customers:
            await _read_of_wallets(reader, work, customers)
        work.owners |= await owners(reader.connection, reader.values("object_id", Unclaimed))

    async def save(self, writes: Statements, work: PaymentsWork) -> None:
        """Write the journal."""
        save(writes, work)


def _body(message: Message[Any]) -> Any:
    """What a message is about; a command that had to wait stands inside another."""
    return getattr(message.body, "command", message.body)


class _Reader:
    """Reads rows by the ids that messages name, one query per table, none where no id is named."""

    def __init__(self, connection: Connection, work: PaymentsWork, bodies: Sequence[tuple[UUID, Any]]) -> None:
        self.connection, self.work, self.bodies = connection, work, bodies
        self._by_kind: defaultdict[type[BaseModel], list[Any]] = defaultdict(list)
        for _, body in bodies:
            self._by_kind[type(body)].append(body)

    def values(self, name: str, *kinds: type) -> set[Any]:
        """What messages (of these kinds) have in the field, or the property, of that name."""
        having = (
            kind
            for kind in self._by_kind
            if (not kinds or issubclass(kind, kinds)) and (name in kind.model_fields or hasattr(kind, name))
        )
        found = {getattr(body, name) for kind in having for body in self._by_kind[kind]}
        return found - {None}

    async def read(self, make: Callable[[Any], Row], table: Table[Any], rest: str, ids: set[Any]) -> None:
        """Bring in the rows of the table that `rest` finds."""
        if ids:
            self.bring_in(make, await self.connection.fetch(table.select(rest), sorted(ids)))

    def ask(self, reads: Statements, table: Table[Any], rest: str, ids: set[Any]) -> list[Read]:
        """The same rows with the next `send`, for `bring_in`."""
        return table.read(reads, rest, sorted(ids)) if ids else []

    def bring_in(self, make: Callable[[Any], Row], found: Sequence[Read]) -> None:
        """What was read."""
        for row in found:
            self.work.load(make(row))


def _paying(work: PaymentsWork, reader: _Reader) -> set[str]:
    """Whose wallets pay for the bookings in hand."""
    asked = (body for _, body in reader.bodies if isinstance(body, AuthorizePayment))
    paying = {body.customer_id for body in asked if body.payment.method == "wallet"}
    return paying | {payment.agreed.customer_id for payment in work.all(Payment) if payment.by_wallet}


async def _read_of_payments(reader: _Reader, work: PaymentsWork) -> None:
    settlements = {payment.settling for payment in work.all(Payment)} - {None}
    settlements |= reader.values("settlement_id", SettlePayment)
    await reader.read(rows.settlement, SETTLEMENT.table, "WHERE settlement_id = ANY($1)", settlements)
    await reader.read(rows.refund, REFUND.table, "WHERE refund_id = ANY($1)", reader.values("refund_id"))
    of = reader.values("booking_id", *ABOUT_REFUNDS, DisputeSeen)
    await reader.read(rows.refund, REFUND.table, "WHERE booking_id = ANY($1)", of)
    made = reader.values("stripe_refund", *ABOUT_REFUNDS)
    await reader.read(rows.dashboard_refund, DASHBOARD_REFUND.table, "WHERE stripe_refund = ANY($1)", made)
    await reader.read(rows.payout, PAYOUT.table, "WHERE payout_id = ANY($1)", reader.values("payout_id"))
    await reader.read(rows.chargeback, CHARGEBACK.table, "WHERE dispute_id = ANY($1)", reader.values("dispute_id"))
    await _read_accounts(reader, work)


async def _read_accounts(reader: _Reader, work: PaymentsWork) -> None:
    """Where providers are paid today: of those told about, and of those whose money may be released or sent now."""
    told = reader.values("provider_id", ProviderRegistered)
    await reader.read(
        rows.provider_account,
        PROVIDER_ACCOUNT.table,
        f"WHERE provider_id = ANY($1) ORDER BY provider_id {LOCK}",
        told,
    )
    asked = reader.values("booking_id", SettlePayment, DisputeSeen, PayoutAgain)
    settling = (one for one in work.all(Payment) if one.settling is not None or one.booking_id in asked)
    providers = {payment.terms.provider_id for payment in settling if payment.terms is not None}
    providers |= {payout.provider_id for payout in work.all(Payout) if payout.status is PayoutStatus.NO_ACCOUNT}
    await reader.read(rows.provider_account, PROVIDER_ACCOUNT.table, "WHERE provider_id = ANY($1)", providers - told)


def _ask_without_account(reads: Statements, reader: _Reader) -> list[Read]:
    """A slice of what waits for a provider's account, where a message names one: few have any. They are of other
    payments, which are not locked: each is looked at again under its own's lock."""
    asked = (body for _, body in reader.bodies if isinstance(body, AuthorizePayment))
    providers = {body.provider_id for body in asked if body.payout_account is not None}
    providers |= reader.values("provider_id", AccountKnown)
    waiting = f"status = 'no_account' AND provider_id = ANY($1) ORDER BY payout_id LIMIT {SLICE}"
    return reader.ask(reads, PAYOUT.table, f"WHERE {waiting}", providers)


async def _read_of_wallets(reader: _Reader, work: PaymentsWork, customers: set[str]) -> None:
    accounts = {account(owner) for owner in customers for account in (ledger.available, ledger.locked)}
    await reader.read(rows.balance, BALANCE, "WHERE account = ANY($1)", accounts)
    commands = {message_id for message_id, body in reader.bodies if isinstance(body, WalletCommand)}
    commands |= reader.values("command_id")
    await reader.read(rows.asked, ASKED.table, "WHERE command_id = ANY($1)", commands)
    await reader.read(rows.withdrawal, WITHDRAWAL.table, "WHERE command_id = ANY($1)", commands)
    await reader.read(rows.part, PART.table, "WHERE command_id = ANY($1)", commands)
    await reader.read(rows.top_up, TOP_UP.table, "WHERE command_id = ANY($1)", commands)
    await reader.read(
        rows.top_up,
        TOP_UP.table,
        "WHERE command_id IN (SELECT top_up_id FROM withdrawal_part WHERE command_id = ANY($1))",
        commands,
    )
    made = reader.values("stripe_refund", *ABOUT_REFUNDS)
    await reader.read(rows.part, PART.table, "WHERE stripe_refund = ANY($1)", made)
    top_ups = reader.values("command_id", *ABOUT_REFUNDS, DisputeSeen)
    await reader.read(rows.part, PART.table, "WHERE status = 'pending' AND top_up_id = ANY($1)", top_ups)
    await reader.read(rows.chargeback, CHARGEBACK.table, "WHERE outcome = 'open' AND customer_id = ANY($1)", customers)
    disputed = {chargeback.top_up_id for chargeback in work.all(Chargeback)} - {None}
    await reader.read(rows.top_up, TOP_UP.table, "WHERE command_id = ANY($1)", disputed)
    drawing = reader.values("customer_id", *DRAWING)
    await reader.read(
        rows.top_up,
        TOP_UP.table,
        "WHERE customer_id = ANY($1) AND status = 'done' AND NOT closed AND refunded_minor < amount_minor",
        drawing,
    )
