"""A connection to Kafka that was cut is told as one, whoever writes to it.

uvloop raises a RuntimeError where somebody writes to a connection that is closed. aiokafka expects an OSError there:
anything else ends its coordinator, its fetcher or its sender for good, and the consumer stands still without a word.
"""

from __future__ import annotations

from functools import wraps
from typing import Any

from aiokafka.conn import AIOKafkaConnection, CloseReason
from aiokafka.errors import KafkaConnectionError

_send = AIOKafkaConnection.send


@wraps(_send)
def send(connection: AIOKafkaConnection, *request: Any, **options: Any) -> Any:
    """As aiokafka's, but for that error."""
    try:
        return _send(connection, *request, **options)
    except RuntimeError as error:
        connection.close(reason=CloseReason.CONNECTION_BROKEN)
        raise KafkaConnectionError(f"Connection at {connection.host}:{connection.port} broken: {error}") from error


def lose_connections_visibly() -> None:
    """For every consumer and producer of this process."""
    AIOKafkaConnection.send = send
