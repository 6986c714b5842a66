"""The key of Stripe's API may change while the service runs: each call has the one of then."""

from __future__ import annotations

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from services.payments.stripe_calls.api import StripeApi


@pytest.mark.requirement("secrets")
async def test_a_key_that_was_changed_is_used_from_the_next_call_on() -> None:
    shown, known = list[str](), ["sk_test_old"]

    async def answer(request: web.Request) -> web.Response:
        shown.append(request.headers["Authorization"])
        return web.json_response({"id": "pi_1"})

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    async with TestServer(app) as server:
        api = StripeApi(lambda: known[0], str(server.make_url("")).rstrip("/"))
        await api.look("payment_intents", "pi_1")
        known[0] = "sk_test_new"
        await api.look("payment_intents", "pi_1")
        await api.send("refunds", api_version="2025-01-27.acacia", key="k", payment_intent="pi_1")
        await api.close()
    assert shown == ["Bearer sk_test_old", "Bearer sk_test_new", "Bearer sk_test_new"]
