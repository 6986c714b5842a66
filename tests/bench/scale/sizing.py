"""What a number of sagas a second needs, from the figures of inputs.py. One cell is one copy of the whole system."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil

from booking_contracts.rights import SERVICES
from booking_contracts.topics import PARTITIONS

from services.chassis.gathering import MOST
from tests.bench.scale.inputs import (
    BATCH,
    CPU_MS,
    FILL,
    KAFKA_KB,
    KEPT_KB,
    LETTERS,
    MESSAGES_A_SAGA,
    OUTBOX_ROWS,
    RELAY_ROWS_PER_SECOND,
    STRIPE_CALLS,
    STRIPE_CALLS_PER_SECOND,
    WAL_KB,
)

COPIES = 3
"""Of each record in Kafka: replication for production; the local stack has one broker."""
TOPIC_DAYS = 7
DAY = 86_400


@dataclass(frozen=True)
class Limit:
    """What one part of a cell can do, filled to FILL."""

    part: str
    formula: str
    sagas_per_second: float


def limits(partitions: int = PARTITIONS) -> list[Limit]:
    """Of one cell, the least first. Processors of PostgreSQL and Kafka are no limit here: they can be bought."""
    locks = 1000 * MOST / (BATCH.locked_ms(MOST) * MESSAGES_A_SAGA) * FILL
    found = [
        Limit(
            "booking's locks, where two batches always share a slot",
            f"{FILL} × 1000 × {MOST} ÷ ({MESSAGES_A_SAGA} × {BATCH.full_locked_ms:.0f} ms)",
            locks,
        )
    ]
    for service in SERVICES:
        rows, ms = OUTBOX_ROWS[service], CPU_MS[service]
        found += [
            Limit(
                f"the relay of the database of {service}",
                f"{FILL} × {RELAY_ROWS_PER_SECOND:,} ÷ {rows} rows",
                FILL * RELAY_ROWS_PER_SECOND / rows,
            ),
            Limit(
                f"replicas of {service}, one for each of {partitions} partitions",
                f"{FILL} × {partitions} × 1000 ÷ {ms} ms",
                FILL * partitions * 1000 / ms,
            ),
        ]
    return sorted(found, key=lambda limit: limit.sagas_per_second)


@dataclass(frozen=True)
class Needs:
    """Of so many sagas a second. Rates and cores are those of all cells together, replicas of one cell."""

    sagas_per_second: int
    cells: int
    replicas: Mapping[str, int]
    cores: Mapping[str, int]
    wal_mb_s: float
    kafka_mb_s: float
    kafka_tb: float
    tables_tb_a_day: float
    stripe_calls: int
    stripe_accounts: int
    letters: int


def needs(sagas_per_second: int) -> Needs:
    """Cells as large as the least of their limits lets them be."""
    cells = ceil(sagas_per_second / limits()[0].sagas_per_second)
    each = sagas_per_second / cells
    kafka = sagas_per_second * KAFKA_KB * COPIES / 1000
    return Needs(
        sagas_per_second=sagas_per_second,
        cells=cells,
        replicas={service: ceil(each * CPU_MS[service] / 1000 / FILL) for service in SERVICES},
        cores={name: ceil(sagas_per_second * ms / 1000 / FILL) for name, ms in CPU_MS.items()},
        wal_mb_s=sagas_per_second * sum(WAL_KB.values()) / 1000,
        kafka_mb_s=kafka,
        kafka_tb=kafka * DAY * TOPIC_DAYS / 1e6,
        tables_tb_a_day=sagas_per_second * KEPT_KB["for ever"] * DAY / 1e9,
        stripe_calls=sagas_per_second * STRIPE_CALLS,
        stripe_accounts=ceil(sagas_per_second * STRIPE_CALLS / STRIPE_CALLS_PER_SECOND),
        letters=sagas_per_second * LETTERS,
    )
