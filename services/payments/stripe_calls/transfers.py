"""Transfers to providers' connected accounts (docs.stripe.com: Create separate charges and transfers)."""

from __future__ import annotations

import stripe
from stripe.params import TransferCreateParams

from services.chassis.gateway_calls import OpenCall, TryAgain
from services.chassis.messages import LocalBody
from services.payments.local_messages import TransferSeen
from services.payments.model.stripe_operations import StripeOperation
from services.payments.stripe_calls.api import Refusal, StripeApi, options
from services.payments.stripe_calls.idempotent import KeyedRequests, Request
from services.payments.stripe_calls.lookup import first_match
from services.payments.stripe_calls.operations import Operations
from services.payments.stripe_calls.parameters import TransferCall


class Transfers:
    """Calls about transfers."""

    def __init__(self, api: StripeApi, requests: KeyedRequests) -> None:
        self._requests, self._transfers = requests, api.v1.transfers
        self.operations: Operations = {StripeOperation.TRANSFER: self.transfer}

    async def transfer(self, call: OpenCall) -> LocalBody | TryAgain:
        """To the connected account."""
        asked = TransferCall.model_validate_json(call.parameters)

        async def refused(refusal: Refusal) -> LocalBody:
            return _seen(asked, None, refusal.code or "refused")

        request = Request(
            send=lambda key: self._transfers.create_async(new_transfer(asked), options(asked.api_version, key)),
            look_up=lambda: self._find(asked),
            read=lambda transfer: _seen(asked, transfer.id, None),
            refused=refused,
        )
        return await self._requests.outcome(call, asked, request)

    async def _find(self, asked: TransferCall) -> stripe.Transfer | None:
        """The transfer of a payout, by its group and metadata."""
        group = str(asked.booking_id)
        return await first_match(
            lambda: self._transfers.list_async({"transfer_group": group, "limit": 100}, options(asked.api_version)),
            {"payout_id": asked.payout_id},
        )


def new_transfer(asked: TransferCall) -> TransferCreateParams:
    """From the charge that paid, so that it does not wait for the balance; from the balance for a wallet's money."""
    parameters: TransferCreateParams = {
        "amount": asked.amount_minor,
        "currency": asked.currency,
        "destination": asked.destination,
        "transfer_group": str(asked.booking_id),
        "metadata": {"booking_id": str(asked.booking_id), "payout_id": str(asked.payout_id)},
    }
    if asked.source_charge is not None:
        parameters["source_transaction"] = asked.source_charge
    return parameters


def _seen(asked: TransferCall, transfer_id: str | None, failure: str | None) -> TransferSeen:
    return TransferSeen(
        booking_id=asked.booking_id, payout_id=asked.payout_id, transfer_id=transfer_id, failure=failure
    )
