"""How a command comes to Kafka, whatever happens to Kafka meanwhile."""

from __future__ import annotations

import asyncio
import contextlib
import time

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from tests.faults.sendable import Sendable

LOOK_AGAIN_SECONDS = 0.2


async def send(producer: AIOKafkaProducer, servers: str, command: Sendable, seconds: float) -> None:
    """Send until Kafka has it, under the same id, as a client does. Raises KafkaError after so many seconds."""
    envelope, until = command.envelope, time.monotonic() + seconds
    while True:
        try:
            key, headers = envelope.key.encode(), envelope.headers()
            await producer.send_and_wait(command.topic, envelope.body, key=key, headers=headers)
            return
        except KafkaError:
            if time.monotonic() > until:
                raise
        await _answered(servers, until)


async def _answered(servers: str, until: float) -> None:
    """Wait for a broker: while there is none and something to send, aiokafka asks for one without a pause."""
    host, _, port = servers.partition(":")
    while time.monotonic() < until:
        await asyncio.sleep(LOOK_AGAIN_SECONDS)
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection(host, int(port))
            writer.close()
            return
