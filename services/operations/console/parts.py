"""Parts of a page that are read beside each other: one that cannot be had says why, and the others are shown."""

from __future__ import annotations

from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import structlog
from aiokafka.errors import KafkaError

from services.operations.console.databases import Away

log = structlog.get_logger()
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Part(Generic[T]):
    """What was read, or a sentence that says why not."""

    name: str
    data: T | None
    why: str | None = None


async def part(name: str, reading: Coroutine[Any, Any, T]) -> Part[T]:
    """For `asyncio.gather`: `booking, money = await gather(part("booking", …), part("money", …))`. Only what is away is
    said; a fault of ours is raised."""
    try:
        return Part(name, await reading)
    except Away as away:
        return Part(name, None, str(away))
    except (KafkaError, OSError) as error:
        log.warning("a part of a page cannot be read", part=name, error=repr(error))
        return Part(name, None, f"{name} does not answer")
