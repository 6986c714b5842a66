"""The payments service on one page: every message with its handler, and how the process is put together."""

from __future__ import annotations

from booking_contracts import payments as messages
from booking_contracts import topics
from booking_contracts.booking import ProviderRegistered
from booking_contracts.codes import Code, Rejected
from booking_contracts.envelope import Command, MessageBody
from booking_contracts.payments import WalletCommand, WalletCommandAccepted, WalletCommandRejected
from faststream import FastStream
from pydantic import SecretStr

from services.chassis import process
from services.chassis import settings as chassis
from services.chassis.clock import Clock, SystemClock
from services.chassis.messages import Answer, Message, Refused
from services.chassis.process import Parts
from services.chassis.service import Service, command, event, local
from services.payments import business, gauges, http, local_messages
from services.payments.comparison.rounds import Comparison
from services.payments.handlers import (
    accounts,
    chargebacks,
    commands,
    dashboard_refunds,
    payment_intents,
    payout_reversals,
    payouts,
    reconciliation,
    refund_events,
    refunds,
    told,
    unclaimed_events,
    wallet_top_ups,
    wallet_withdrawals,
)
from services.payments.model.payment import Operation
from services.payments.reconciliation.reconciler import Reconciler
from services.payments.store.load import PaymentsStore
from services.payments.stripe_calls.api import StripeApi
from services.payments.stripe_calls.circuit_breaker import CircuitBreaker
from services.payments.stripe_calls.gateway import StripeGateway
from services.payments.stripe_events.sweeper import Sweeper
from services.payments.work import PaymentsWork

HANDLERS = (
    command(messages.AuthorizePayment, commands.authorize_payment),
    command(messages.CapturePayment, commands.capture_payment),
    command(messages.VoidPayment, commands.void_payment),
    command(messages.SettlePayment, commands.settle_payment),
    command(messages.TopUpWallet, wallet_top_ups.top_up_wallet),
    command(messages.WithdrawFromWallet, wallet_withdrawals.withdraw_from_wallet),
    event(ProviderRegistered, accounts.provider_registered),
    local(local_messages.IntentSeen, payment_intents.intent_seen),
    local(local_messages.LeftoverCancelled, payment_intents.leftover_cancelled),
    local(local_messages.RefundSeen, refunds.refund_seen),
    local(local_messages.TransferSeen, payouts.transfer_seen),
    local(local_messages.DisputeSeen, chargebacks.dispute_seen),
    local(local_messages.TopUpSeen, wallet_top_ups.top_up_seen),
    local(local_messages.WithdrawalSeen, wallet_withdrawals.withdrawal_seen),
    local(local_messages.IntentChanged, told.intent_changed),
    local(local_messages.Unclaimed, unclaimed_events.unclaimed),
    local(local_messages.RefundTold, refund_events.refund_told),
    local(local_messages.RefundChanged, refund_events.refund_told),
    local(local_messages.PartChanged, refund_events.part_changed),
    local(local_messages.DashboardRefundChanged, refund_events.refund_told),
    local(local_messages.DisputeChanged, chargebacks.dispute_changed),
    local(local_messages.DashboardRefundSeen, dashboard_refunds.dashboard_refund_seen),
    local(local_messages.AuthorizeLater, commands.authorize_later),
    local(local_messages.SettleLater, commands.settle_later),
    local(local_messages.WithdrawLater, wallet_withdrawals.withdraw_later),
    local(local_messages.RefundAgain, refunds.refund_again),
    local(local_messages.PayoutAgain, payouts.payout_again),
    local(local_messages.AccountKnown, accounts.account_known),
    local(local_messages.TransferReversed, payout_reversals.transfer_reversed),
    local(local_messages.Found, reconciliation.found),
    local(local_messages.LookAgain, reconciliation.look_again),
)


class Settings(chassis.Settings):
    """Payments' own settings; secrets are never written to a log."""

    stripe_api_key: SecretStr
    stripe_api_base: str = "https://api.stripe.com"
    stripe_webhook_secrets: tuple[SecretStr, ...]
    """Signing secrets of the endpoint: two while one is rotated."""

    def stripe_key_now(self) -> str:
        """The key for a call that is made now."""
        return self.now().stripe_api_key.get_secret_value()

    def webhook_secrets_now(self) -> list[str]:
        """The secrets for an event that comes now."""
        return [secret.get_secret_value() for secret in self.now().stripe_webhook_secrets]


def reply(item: Message[WalletCommand] | Refused, answer: Answer) -> MessageBody:
    """The one reply to a wallet command."""
    assert item.id is not None, "only commands with a readable id are answered"
    if isinstance(answer, Rejected):
        return WalletCommandRejected(
            command_id=item.id, code=answer.code, message=answer.message, details=answer.details
        )
    return WalletCommandAccepted(command_id=item.id, result=dict(answer.result))


def admit(topic: str, body: Command) -> None:
    """A wallet is its customer's own; `system` never comes from outside. Booking alone may write to the other topic."""
    if not isinstance(body, WalletCommand):
        return
    actor = body.actor
    if not (actor.kind == "customer" and actor.id == body.customer_id):
        raise Rejected(Code.NOT_ALLOWED, f"{actor.kind} {actor.id} may not use the wallet of {body.customer_id}.")


SERVICE = Service(
    name="payments",
    handlers=HANDLERS,
    command_topics={topics.PAYMENTS_COMMANDS.name: None, topics.WALLET_COMMANDS.name: reply},
    event_topics=(topics.CATALOGUE_EVENTS.name,),
    new_work=PaymentsWork,
    store=PaymentsStore(),
    count=business.count,
    nobody_waits_for=frozenset({messages.CapturePayment.ce_type, messages.SettlePayment.ce_type, Operation.CAPTURE}),
    admit=admit,
)


def build(settings: Settings, clock: Clock) -> Parts:
    """The parts of a payments process."""
    api = StripeApi(settings.stripe_key_now, settings.stripe_api_base)
    breaker = CircuitBreaker()
    return Parts(
        SERVICE,
        settings,
        add_routes=lambda app, wake: http.add_routes(app, http.Outside(api, clock, settings.webhook_secrets_now, wake)),
        gateway=StripeGateway(api, clock, breaker),
        background=(
            Sweeper(api, clock).run,
            Reconciler(api, clock).run,
            Comparison(api, clock, breaker).run,
            gauges.run,
            business.run,
        ),
    )


def application() -> FastStream:
    """`faststream run services.payments.app:application --factory`: the service as production runs it."""
    clock = SystemClock()
    return process.application(build(Settings(), clock), clock)
