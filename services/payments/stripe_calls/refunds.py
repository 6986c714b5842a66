"""Refunds of bookings' payments."""

from __future__ import annotations

from collections.abc import Sequence

from stripe.params import RefundCreateParams

from services.chassis.gateway_calls import OpenCall, TryAgain
from services.chassis.messages import LocalBody
from services.payments.local_messages import MISSING, RELEASED, DashboardRefundSeen, RefundSeen
from services.payments.model.stripe_operations import StripeOperation
from services.payments.stripe_calls.api import Found, Refusal, StripeApi, field
from services.payments.stripe_calls.idempotent import KeyedRequests, Request
from services.payments.stripe_calls.lookup import first_match, unless_missing
from services.payments.stripe_calls.operations import Operations
from services.payments.stripe_calls.parameters import DashboardRefundCall, RefundCall, StripeCall
from services.payments.stripe_calls.releases import CHARGE, is_release

FAILED_STATUSES = ("failed", "canceled")


class Refunds:
    """Calls about refunds."""

    def __init__(self, api: StripeApi, requests: KeyedRequests) -> None:
        self._api, self._requests = api, requests
        self.operations: Operations = {
            StripeOperation.REFUND: self.refund,
            StripeOperation.RETRIEVE_REFUND: self.retrieve,
            StripeOperation.DASHBOARD_REFUND: self.dashboard_refund,
        }

    async def refund(self, call: OpenCall) -> LocalBody | TryAgain:
        """Back to the card that paid."""
        asked = RefundCall.model_validate_json(call.parameters)

        async def refused(refusal: Refusal) -> LocalBody:
            code = refusal.code or "refused"
            return RefundSeen(booking_id=asked.booking_id, refund_id=asked.refund_id, status="failed", failure=code)

        version = asked.api_version
        request = Request(
            send=lambda key: self._api.send("refunds", api_version=version, key=key, **new_refund(asked)),
            look_up=lambda: self._find(asked),
            read=lambda refund: seen(asked, refund),
            refused=refused,
        )
        return await self._requests.outcome(call, asked, request)

    async def retrieve(self, call: OpenCall) -> LocalBody | TryAgain:
        """Look at a refund that was made."""
        asked = RefundCall.model_validate_json(call.parameters)
        assert asked.stripe_refund is not None, "a refund that was made has an id"
        found = await self._look(asked.stripe_refund, asked)
        if found is not None:
            return seen(asked, found)
        return RefundSeen(booking_id=asked.booking_id, refund_id=asked.refund_id, status=MISSING)

    async def dashboard_refund(self, call: OpenCall) -> LocalBody | TryAgain:
        """Look at a refund that was made at Stripe by hand."""
        asked = DashboardRefundCall.model_validate_json(call.parameters)
        found = await self._look(asked.stripe_refund, asked, expand=[CHARGE])
        status = MISSING if found is None else RELEASED if is_release(found) else found["status"] or "pending"
        return DashboardRefundSeen(
            **asked.model_dump(exclude=set(StripeCall.model_fields)),
            payment_intent=field(found, "payment_intent") or "",
            amount_minor=0 if found is None else found["amount"],
            status=status,
            failure=field(found, "failure_reason"),
        )

    async def _look(self, stripe_refund: str, asked: StripeCall, expand: Sequence[str] = ()) -> Found | None:
        version = asked.api_version
        return await unless_missing(
            lambda: self._api.look("refunds", stripe_refund, api_version=version, expand=expand)
        )

    async def _find(self, asked: RefundCall) -> Found | None:
        """The refund of this try, by its metadata."""
        made = self._api.pages("refunds", asked.api_version, payment_intent=asked.payment_intent)
        return await first_match(made, {"refund_id": asked.refund_id, "number": asked.tries})


def new_refund(asked: RefundCall) -> RefundCreateParams:
    """The metadata leads from Stripe's refund to ours."""
    return {
        "payment_intent": asked.payment_intent,
        "amount": asked.amount_minor,
        "metadata": {
            "booking_id": str(asked.booking_id),
            "payment_id": str(asked.payment_id),
            "attempt": str(asked.attempt),
            "refund_id": str(asked.refund_id),
            "number": str(asked.tries),
        },
    }


def seen(asked: RefundCall, refund: Found) -> RefundSeen:
    """A refund as it stands."""
    status = refund["status"] or "pending"
    return RefundSeen(
        booking_id=asked.booking_id,
        refund_id=asked.refund_id,
        status=status,
        stripe_refund=refund["id"],
        failure=field(refund, "failure_reason") if status in FAILED_STATUSES else None,
    )
