"""Transfers to providers' connected accounts (docs.stripe.com: Create separate charges and transfers)."""

from __future__ import annotations

from stripe.params import TransferCreateParams

from services.chassis.gateway_calls import OpenCall, TryAgain
from services.chassis.messages import LocalBody
from services.payments.local_messages import TransferSeen
from services.payments.model.stripe_operations import StripeOperation
from services.payments.stripe_calls.api import Found, Refusal, StripeApi
from services.payments.stripe_calls.idempotent import KeyedRequests, Request
from services.payments.stripe_calls.lookup import first_match
from services.payments.stripe_calls.operations import Operations
from services.payments.stripe_calls.parameters import TransferCall


class Transfers:
    """Calls about transfers."""

    def __init__(self, api: StripeApi, requests: KeyedRequests) -> None:
        self._api, self._requests = api, requests
        self.operations: Operations = {StripeOperation.TRANSFER: self.transfer}

    async def transfer(self, call: OpenCall) -> LocalBody | TryAgain:
        """To the connected account."""
        asked = TransferCall.model_validate_json(call.parameters)

        async def refused(refusal: Refusal) -> LocalBody:
            return _seen(asked, None, refusal.code or "refused")

        version = asked.api_version
        request = Request(
            send=lambda key: self._api.send("transfers", api_version=version, key=key, **new_transfer(asked)),
            look_up=lambda: self._find(asked),
            read=lambda transfer: _seen(asked, transfer["id"], None),
            refused=refused,
        )
        return await self._requests.outcome(call, asked, request)

    async def _find(self, asked: TransferCall) -> Found | None:
        """The transfer of a payout, by its group and metadata."""
        made = self._api.pages("transfers", asked.api_version, transfer_group=str(asked.booking_id))
        return await first_match(made, {"payout_id": asked.payout_id})


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
