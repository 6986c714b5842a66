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
from services.chassis.handlers import Service, command, event, local
from services.chassis.messages import Answer, Message, Refused
from services.chassis.process import Parts
from services.payments import http, outcomes, watching
from services.payments.comparison import Comparison
from services.payments.gateway import StripeGateway
from services.payments.gateway.api import StripeApi
from services.payments.gateway.breaker import CircuitBreaker
from services.payments.handlers import (
    accounts,
    answers,
    chargebacks,
    commands,
    dashboard_refunds,
    payouts,
    refund_events,
    refunds,
    repairs,
    reversals,
    told,
    top_ups,
    waiting,
    withdrawals,
)
from services.payments.reconciler import Reconciler
from services.payments.store import PaymentsStore
from services.payments.sweeper import Sweeper
from services.payments.work import PaymentsWork

HANDLERS = (
    command(messages.AuthorizePayment, commands.authorize_payment),
    command(messages.CapturePayment, commands.capture_payment),
    command(messages.VoidPayment, commands.void_payment),
    command(messages.SettlePayment, commands.settle_payment),
    command(messages.TopUpWallet, top_ups.top_up_wallet),
    command(messages.WithdrawFromWallet, withdrawals.withdraw_from_wallet),
    event(ProviderRegistered, accounts.provider_registered),
    local(outcomes.IntentSeen, answers.intent_seen),
    local(outcomes.LeftoverCancelled, answers.leftover_cancelled),
    local(outcomes.RefundSeen, refunds.refund_seen),
    local(outcomes.TransferSeen, payouts.transfer_seen),
    local(outcomes.DisputeSeen, chargebacks.dispute_seen),
    local(outcomes.TopUpSeen, top_ups.top_up_seen),
    local(outcomes.WithdrawalSeen, withdrawals.withdrawal_seen),
    local(outcomes.IntentChanged, told.intent_changed),
    local(outcomes.Unclaimed, waiting.unclaimed),
    local(outcomes.RefundTold, refund_events.refund_told),
    local(outcomes.RefundChanged, refund_events.refund_told),
    local(outcomes.PartChanged, refund_events.part_changed),
    local(outcomes.DashboardRefundChanged, refund_events.refund_told),
    local(outcomes.DisputeChanged, chargebacks.dispute_changed),
    local(outcomes.DashboardRefundSeen, dashboard_refunds.dashboard_refund_seen),
    local(outcomes.AuthorizeLater, commands.authorize_later),
    local(outcomes.SettleLater, commands.settle_later),
    local(outcomes.RefundAgain, refunds.refund_again),
    local(outcomes.PayoutAgain, payouts.payout_again),
    local(outcomes.AccountKnown, accounts.account_known),
    local(outcomes.TransferReversed, reversals.transfer_reversed),
    local(outcomes.Found, repairs.found),
    local(outcomes.LookAgain, repairs.look_again),
)


class Settings(chassis.Settings):
    """Payments' own settings; secrets are never written to a log."""

    stripe_api_key: SecretStr
    stripe_api_base: str = "https://api.stripe.com"
    stripe_webhook_secrets: tuple[SecretStr, ...]
    """Signing secrets of the endpoint: two while one is rotated."""


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
    admit=admit,
)


def build(settings: Settings, clock: Clock) -> Parts:
    """The parts of a payments process."""
    api = StripeApi(settings.stripe_api_key.get_secret_value(), settings.stripe_api_base)
    breaker = CircuitBreaker()
    secrets = tuple(secret.get_secret_value() for secret in settings.stripe_webhook_secrets)
    return Parts(
        SERVICE,
        settings,
        add_routes=lambda app, wake: http.add_routes(app, http.Outside(api, clock, secrets, wake)),
        gateway=StripeGateway(api, clock, breaker),
        background=(
            Sweeper(api, clock).run,
            Reconciler(api, clock).run,
            Comparison(api, clock, breaker).run,
            watching.run,
        ),
    )


def application() -> FastStream:
    """`faststream run services.payments.app:application --factory`: the service as production runs it."""
    clock = SystemClock()
    return process.application(build(Settings(), clock), clock)
