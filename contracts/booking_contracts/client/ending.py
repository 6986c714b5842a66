"""The end of a client takes a bounded time, whether Kafka answers or not.

aiokafka's own end waits for what Kafka has not taken: with idempotence for ever, for it is sent again until Kafka has
it. And it waits for each request that is under way, up to 40 s where the broker stands still.
"""

from __future__ import annotations

import logging
from collections.abc import Coroutine
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaTimeoutError

from booking_contracts.patience import within

LOG = logging.getLogger(__name__)
ENDS_WITHIN_SECONDS = 1.5
"""What an end takes that has nothing to send: connections are closed, tasks are cancelled."""


async def end_producer(producer: AIOKafkaProducer, closing_seconds: float) -> None:
    """Send what is in flight, for so long at most; then it is given up, and who waits for it gets KafkaTimeoutError."""
    if not await ends_within(closing_seconds, producer.flush(), "what is in flight"):
        unsent = f"Kafka did not acknowledge it within {closing_seconds:g} s of the end"
        producer._message_accumulator.fail_all(KafkaTimeoutError(unsent))
    if not await ends_within(ENDS_WITHIN_SECONDS, producer.stop(), "its producer"):
        await ends_within(ENDS_WITHIN_SECONDS, producer.client.close(), "its producer's connections")


async def ends_within(seconds: float, ending: Coroutine[Any, Any, None], what: str) -> bool:
    """Whether it came to its end by itself; after so many seconds it is cancelled."""
    try:
        await within(seconds, ending)
    except TimeoutError:
        LOG.warning("The booking client ends without Kafka: %s took longer than %g s", what, seconds)
        return False
    return True
