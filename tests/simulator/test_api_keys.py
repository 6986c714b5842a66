"""A secret key is rolled: the old one is refused when the account says so, as Stripe refuses what it does not know."""

from __future__ import annotations

import pytest
from stripe import AuthenticationError

from tests.simulator.conftest import Bench


async def test_keys_that_are_not_among_the_good_ones_are_refused(bench: Bench) -> None:
    await bench.control("PUT", "/behaviour", {"api_keys": ["sk_test_next"]})
    with pytest.raises(AuthenticationError, match="Invalid API Key"):
        await bench.sdk.v1.balance.retrieve_async()
    await bench.sdk.v1.balance.retrieve_async({}, {"api_key": "sk_test_next"})
    await bench.control("PUT", "/behaviour", {"api_keys": None})
    await bench.sdk.v1.balance.retrieve_async()


async def test_what_is_no_list_of_keys_is_refused(bench: Bench) -> None:
    await bench.control("PUT", "/behaviour", {"api_keys": "sk_test_next"}, status=400)
