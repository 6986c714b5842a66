"""Disputes: only looked at; evidence is given by people."""

from __future__ import annotations

from typing import Any

from services.chassis.gateway_calls import OpenCall, TryAgain
from services.chassis.messages import LocalBody
from services.payments.local_messages import MISSING, DisputeSeen
from services.payments.model.stripe_operations import StripeOperation
from services.payments.stripe_calls.api import Found, StripeApi
from services.payments.stripe_calls.lookup import unless_missing
from services.payments.stripe_calls.operations import Operations
from services.payments.stripe_calls.parameters import DisputeCall


class Disputes:
    """Calls about disputes."""

    def __init__(self, api: StripeApi) -> None:
        self._api = api
        self.operations: Operations = {StripeOperation.DISPUTE: self.retrieve}

    async def retrieve(self, call: OpenCall) -> LocalBody | TryAgain:
        """How it stands."""
        asked = DisputeCall.model_validate_json(call.parameters)
        dispute, version = asked.dispute_id, asked.api_version
        found = await unless_missing(lambda: self._api.look("disputes", dispute, api_version=version))
        return DisputeSeen(
            dispute_id=asked.dispute_id,
            booking_id=asked.booking_id,
            customer_id=asked.customer_id,
            command_id=asked.command_id,
            looked=asked.looked,
            **_taken(found),
        )


def _taken(dispute: Found | None) -> dict[str, Any]:
    """What it took from our balance, by its balance transactions: the bank's amount may be in another currency.

    Won in part is lost by what Stripe has not given back.
    """
    if dispute is None:
        return {"amount_minor": 0, "status": MISSING}
    amount, status, moved = dispute["amount"], dispute["status"], dispute["balance_transactions"]
    if not moved:
        return {"amount_minor": amount, "currency": dispute["currency"].upper(), "status": status}
    net = sum(one["amount"] for one in moved)
    latest = next((-one["amount"] for one in reversed(moved) if one["amount"] < 0), amount)
    in_part = status == "won" and net < 0 < moved[-1]["amount"]
    return {
        "amount_minor": -net if net < 0 else latest,
        "currency": moved[0]["currency"].upper(),
        "withdrawn": net < 0,
        "status": "lost" if in_part else status,
    }
