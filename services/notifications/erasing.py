"""Erases what notifications knows of how to reach the customer of bookings or waitlist entries."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from services.chassis import letters
from services.chassis.database import Connection
from services.chassis.operator import NotPossible


async def erase(connection: Connection, about: Sequence[UUID], customer_id: str) -> Sequence[UUID]:
    """What is known of them, whom letters went to, the letters themselves. Repeating it does no harm.

    Returns the open dead letters that it still stands in. Raises NotPossible while letters are on their way.
    """
    keys = [str(one) for one in about]
    async with connection.transaction():
        await connection.execute("SET LOCAL statement_timeout = '5min'")
        on_the_way: int = await connection.fetchval(
            """
            SELECT (SELECT count(*) FROM gateway_call WHERE state = 'open' AND key = ANY($1))
                 + (SELECT count(*) FROM delivery WHERE mail IS NOT NULL AND booking_id = ANY($2))
            """,
            keys,
            list(about),
        )
        if on_the_way:
            raise NotPossible(f"{on_the_way} letters about {customer_id}'s bookings are on their way: try again later")
        await connection.execute("DELETE FROM gateway_call WHERE key = ANY($1)", keys)
        await connection.execute("UPDATE known_booking SET body = NULL WHERE booking_id = ANY($1)", list(about))
        await connection.execute(
            """
            UPDATE delivery SET recipient = 'erased:' || delivery_id,
                   reason = CASE WHEN reason IS NULL THEN NULL ELSE 'erased' END
            WHERE booking_id = ANY($1) AND audience = 'customer'
            """,
            list(about),
        )
        return await letters.forget(connection, keys, customer_id)
