"""A topic whose `compression.type` is changed under traffic: the broker then compresses anew whatever comes."""

from __future__ import annotations

import asyncio

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from tests.hostile.stage import Stage

TOPIC = "booking.commands"
CODECS = ("lz4", "zstd", "snappy", "gzip", "uncompressed")
SET_ON_TOPIC = 1
"""Kafka's number for "this value was set on the topic itself"."""


async def recompress(stage: Stage) -> None:
    """Each codec for some seconds, with commands under it; in the end what was set before."""
    admin = AIOKafkaAdminClient(bootstrap_servers=stage.env["KAFKA_BOOTSTRAP_SERVERS"])
    await admin.start()
    try:
        before = await _set_on_topic(admin)
        try:
            for codec in CODECS:
                await _set(admin, before | {"compression.type": codec})
                for _ in range(4):
                    await stage.wire.send(stage.framed("recompression", [stage.town.place() for _ in range(5)]))
                    await asyncio.sleep(0.3)
        finally:
            await _set(admin, before)
    finally:
        await admin.close()


async def _set_on_topic(admin: AIOKafkaAdminClient) -> dict[str, str]:
    (answer,) = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, TOPIC)])
    (resource,) = answer.resources
    return {entry[0]: entry[1] for entry in resource[-1] if entry[3] == SET_ON_TOPIC}


async def _set(admin: AIOKafkaAdminClient, configs: dict[str, str]) -> None:
    """All of them at once: Kafka forgets what is not named."""
    await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, TOPIC, configs=configs)])
