"""Every topic once: name, what its key is, partitions, retention, who may write and who reads."""

from dataclasses import dataclass

PARTITIONS = 12
"""The same on every topic: one booking's topics then always meet in one replica. Never changed in place."""
MAX_BODY_BYTES = 256 * 1024
MAX_BATCH_BYTES = 1_048_588
"""`max.message.bytes`: Kafka's own default, stated, because the relay and the copies of dead letters count on it."""
COMPRESSION = "uncompressed"
"""`compression.type`: the broker unpacks what any producer's codec packed, so that no reader needs that codec or meets
a batch that unpacks to gigabytes; our own batches it then stores as they come. (zstd here would shut aiokafka out.)"""
DAY_MS = 24 * 60 * 60 * 1000
FOR_EVER = -1


@dataclass(frozen=True, slots=True)
class Topic:
    """A Kafka topic as it is created; `retention_ms` -1 keeps records for ever."""

    name: str
    key: str
    carries: str
    writers: tuple[str, ...]
    readers: tuple[str, ...]
    retention_ms: int = 7 * DAY_MS
    partitions: int = PARTITIONS

    @property
    def config(self) -> dict[str, str]:
        """Kafka's settings of the topic."""
        return {
            "cleanup.policy": "delete",
            "compression.type": COMPRESSION,
            "max.message.bytes": str(MAX_BATCH_BYTES),
            "retention.ms": str(self.retention_ms),
        }


ANY = "any internal service"

BOOKING_COMMANDS = Topic(
    "booking.commands",
    "booking id; provider id for catalogue and slot commands; entry id for the waitlist",
    "commands to booking by customers and providers",
    (ANY,),
    ("booking",),
)
BOOKING_ADMIN_COMMANDS = Topic(
    "booking.admin-commands",
    BOOKING_COMMANDS.key,
    "the same commands with an admin actor",
    ("admin tools",),
    ("booking",),
)
BOOKING_REPLIES = Topic(
    "booking.replies", "the command's key", "exactly one reply per command id", ("booking",), (ANY,)
)
BOOKING_EVENTS = Topic(
    "booking.events",
    "booking id; entry id (waitlist)",
    "facts about bookings, gap-free ce_sequence per key",
    ("booking",),
    (ANY, "notifications"),
)
CATALOGUE_EVENTS = Topic(
    "catalogue.events",
    "provider id",
    "provider, offering, schedule and slot facts",
    ("booking",),
    (ANY, "payments", "notifications"),
    retention_ms=FOR_EVER,
)
PAYMENTS_COMMANDS = Topic("payments.commands", "booking id", "commands to payments", ("booking",), ("payments",))
WALLET_COMMANDS = Topic("wallet.commands", "customer id", "TopUpWallet, WithdrawFromWallet", (ANY,), ("payments",))
WALLET_REPLIES = Topic("wallet.replies", "customer id", "one reply per wallet command", ("payments",), (ANY,))
PAYMENTS_EVENTS = Topic(
    "payments.events",
    "booking id / customer id",
    "facts about money, gap-free ce_sequence per key",
    ("payments",),
    (ANY, "booking", "notifications"),
)
NOTIFICATIONS_EVENTS = Topic("notifications.events", "booking id", "delivery outcomes", ("notifications",), (ANY,))


def dead_letters(service: str) -> Topic:
    """The topic that gets a copy of what `service` set aside, with its error; kept 30 days."""
    return Topic(
        f"{service}.dead-letters",
        "key of the original",
        f"what {service} set aside, with its error",
        (service,),
        ("operators",),
        retention_ms=30 * DAY_MS,
    )


TOPICS: tuple[Topic, ...] = (
    BOOKING_COMMANDS,
    BOOKING_ADMIN_COMMANDS,
    BOOKING_REPLIES,
    BOOKING_EVENTS,
    CATALOGUE_EVENTS,
    PAYMENTS_COMMANDS,
    WALLET_COMMANDS,
    WALLET_REPLIES,
    PAYMENTS_EVENTS,
    NOTIFICATIONS_EVENTS,
    dead_letters("booking"),
    dead_letters("payments"),
    dead_letters("notifications"),
)
