"""How the calls to Stripe are found by the operation that is stored with them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from services.chassis.gateway_calls import OpenCall, TryAgain
from services.chassis.messages import LocalBody

Operations = dict[str, Callable[[OpenCall], Awaitable[LocalBody | TryAgain]]]
"""Operation (model/stripe_operations.py, model/payment.py) → what makes the call."""
