"""Least rights in Kafka follow from the table of topics, and are what the services' own tables need."""

from __future__ import annotations

import importlib

import pytest
from booking_contracts import rights, topics
from booking_contracts.rights import Right


def may(granted: tuple[Right, ...], operation: str) -> set[str]:
    """The topics on which it is granted."""
    return {right.name for right in granted if right.resource == "topic" and operation in right.operations}


@pytest.mark.requirement("least-rights")
@pytest.mark.parametrize("service", rights.SERVICES)
def test_a_service_may_read_what_it_consumes_and_nothing_else(service: str) -> None:
    consumed = importlib.import_module(f"services.{service}.app").SERVICE.topics
    assert may(rights.rights_of_service(service), "Read") == {*consumed}


@pytest.mark.requirement("least-rights")
def test_each_topic_is_written_by_those_whom_the_table_names() -> None:
    written = {service: may(rights.rights_of_service(service), "Write") for service in rights.SERVICES}
    assert written["booking"] == {
        "booking.replies",
        "booking.events",
        "catalogue.events",
        "payments.commands",
        "booking.dead-letters",
    }
    assert written["payments"] == {"payments.events", "wallet.replies", "payments.dead-letters"}
    assert written["notifications"] == {"notifications.events", "notifications.dead-letters"}
    assert may(rights.rights_of_team("loyalty"), "Write") == {"booking.commands", "wallet.commands"}
    of_admins = may(rights.rights_of_admin_tools("backoffice"), "Write")
    assert of_admins == {"booking.commands", "booking.admin-commands", "wallet.commands"}


@pytest.mark.requirement("least-rights")
def test_operators_and_the_job_that_makes_topics_write_nothing() -> None:
    every = {topic.name for topic in topics.TOPICS}
    for granted in (rights.rights_of_operators(), rights.rights_of_topics_job()):
        assert may(granted, "Write") == set()
        assert may(granted, "Describe") | may(granted, "Read") == every
    letters = {topics.dead_letters(service).name for service in rights.SERVICES}
    assert may(rights.rights_of_operators(), "Read") == letters


@pytest.mark.requirement("least-rights")
def test_the_console_writes_commands_for_admins_alone() -> None:
    granted = rights.rights_of_console()
    assert may(granted, "Write") == {"booking.admin-commands"}
    assert may(granted, "Read") == may(rights.rights_of_operators(), "Read") | {"booking.replies"}
    assert len({(right.resource, right.name) for right in granted}) == len(granted)


@pytest.mark.requirement("least-rights")
def test_nobody_is_given_every_group_or_a_service_that_is_none() -> None:
    with pytest.raises(ValueError, match="every group"):
        rights.rights_of_team("")
    with pytest.raises(ValueError, match="is no service"):
        rights.rights_of_service("loyalty")
