"""Least rights in Kafka, from the table of topics: what each service, team and tool may do there, and nothing else.

The chart's KafkaUsers and the access lists of tests are made of this. Operations are spelt as kafka-acls and Strimzi
spell them. Read and Write imply Describe, and an idempotent producer needs nothing beside Write (Kafka: KIP-679).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from booking_contracts.topics import ANY, BOOKING_ADMIN_COMMANDS, BOOKING_REPLIES, TOPICS, Topic

Operation = Literal["Read", "Write", "Create", "Describe", "DescribeConfigs", "AlterConfigs"]
SERVICES = ("booking", "payments", "notifications")
ADMIN_TOOLS = "admin tools"
OPERATORS = "operators"
CONSOLE = "console"
"""`bookingctl console`: sees what operators see, and cancels bookings for them."""
TOPICS_JOB = "topics"
"""`bookingctl topics apply`: creates topics and sets their configs; it reads and writes no record."""


@dataclass(frozen=True, slots=True)
class Right:
    """What one user may do with a topic, or with a consumer group; `prefixed`: with all whose names begin so."""

    resource: Literal["topic", "group"]
    name: str
    operations: tuple[Operation, ...]
    prefixed: bool = False


def rights_of_service(service: str) -> tuple[Right, ...]:
    """Those of booking, payments or notifications; its consumer group has its name."""
    if service not in SERVICES:
        raise ValueError(f"{service} is no service; there are {', '.join(SERVICES)}")
    return (*_by_table({service}), Right("group", service, ("Read",)))


def rights_of_team(group_prefix: str) -> tuple[Right, ...]:
    """Those of any internal service; its consumer groups begin with `group_prefix`."""
    return (*_by_table({ANY}), _groups(group_prefix))


def rights_of_admin_tools(group_prefix: str) -> tuple[Right, ...]:
    """Those of what sends commands for admins: a team's, and the topic that an ordinary one may not write."""
    return (*_by_table({ANY, ADMIN_TOOLS}), _groups(group_prefix))


def rights_of_operators() -> tuple[Right, ...]:
    """Those of `bookingctl`: dead letters are read; where topics end and who reads them is seen, nothing is written."""
    read = {right.name: right for right in _by_table({OPERATORS})}
    seen = (read.get(topic.name, Right("topic", topic.name, ("Describe",))) for topic in TOPICS)
    return (*seen, *(Right("group", service, ("Describe",)) for service in SERVICES))


def rights_of_console() -> tuple[Right, ...]:
    """Those of `bookingctl console`: an operator's, and commands for admins with their replies and no others."""
    granted = {right.name: right for right in rights_of_operators()}
    granted[BOOKING_ADMIN_COMMANDS.name] = Right("topic", BOOKING_ADMIN_COMMANDS.name, ("Describe", "Write"))
    granted[BOOKING_REPLIES.name] = Right("topic", BOOKING_REPLIES.name, ("Read",))
    return tuple(granted.values())


def rights_of_topics_job() -> tuple[Right, ...]:
    """Those of what creates topics and sets their configs."""
    operations: tuple[Operation, ...] = ("Create", "Describe", "DescribeConfigs", "AlterConfigs")
    return tuple(Right("topic", topic.name, operations) for topic in TOPICS)


def _by_table(names: set[str]) -> tuple[Right, ...]:
    """A right for each topic that one of `names` reads or writes."""
    allowed = ((topic, _operations(topic, names)) for topic in TOPICS)
    return tuple(Right("topic", topic.name, operations) for topic, operations in allowed if operations)


def _operations(topic: Topic, names: set[str]) -> tuple[Operation, ...]:
    reads: tuple[Operation, ...] = ("Read",) if names & {*topic.readers} else ()
    writes: tuple[Operation, ...] = ("Write",) if names & {*topic.writers} else ()
    return reads + writes


def _groups(prefix: str) -> Right:
    if not prefix:
        raise ValueError("a prefix of no letters would be every group, the services' own among them")
    return Right("group", prefix, ("Read",), prefixed=True)
