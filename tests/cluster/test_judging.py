"""What judges the story is tried on planted days, without a cluster: each fault is seen."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from aiohttp.test_utils import TestServer
from booking_contracts.rights import SERVICES

from services.chassis.database import Address
from services.chassis.revisions import revisions
from services.operations.console.app import application
from services.operations.console.databases import Databases
from services.operations.databases import DATABASES
from tests.cluster.answers import Times, answers_between, figures
from tests.cluster.console import amiss
from tests.cluster.next_build import newest, planted
from tests.cluster.pods import REPLICATED, Pod, Pods, Seen, fewest_ready, made, pod_of, restarted_by_probe, restarts
from tests.cluster.story import of_migration
from tests.console.conftest import settings

POD = Pod("booking-1", "booking", "booking-services:dev", "node1", "10.244.1.2", "Running", True, False, 0, "c0ffee")


def both(at: float = 0.0) -> list[Seen]:
    """Two ready pods of each service."""
    names = [(service, f"{service}-{number}") for service in SERVICES for number in (1, 2)]
    return [Seen(at, replace(POD, name=name, component=service)) for service, name in names]


def test_the_fewest_ready_pods_are_counted_from_what_was_there_before() -> None:
    dip = [Seen(5, replace(POD, ready=False)), Seen(6, POD)]
    assert fewest_ready([*both(), *dip], 1, 9) == {"booking": 1, "payments": 2, "notifications": 2}
    assert fewest_ready([*both(), *dip], 7, 9) == dict.fromkeys(SERVICES, 2)
    assert fewest_ready([*both(), *dip], 1, 4) == dict.fromkeys(SERVICES, 2)


def test_a_pod_that_is_gone_is_not_ready_and_one_that_leaves_is() -> None:
    leaves, goes = Seen(5, replace(POD, leaving=True)), Seen(6, replace(POD, leaving=True), gone=True)
    assert fewest_ready([*both(), leaves], 1, 9)["booking"] == 2
    assert fewest_ready([*both(), leaves, goes], 1, 9)["booking"] == 1


def test_a_restart_is_seen_of_a_pod_that_is_gone_by_now() -> None:
    again = replace(POD, restarts=1)
    assert restarts([*both(), Seen(5, again), Seen(6, replace(again, restarts=0), gone=True)]) == {"booking-1": 1}
    assert restarts(both()) == {}


def test_only_pods_of_services_that_came_meanwhile_are_made() -> None:
    new = [Seen(5, replace(POD, name="booking-3")), Seen(5, replace(POD, name="job", component="migration"))]
    assert made([*both(), *new], 1, 9) == ["booking-3"]


@pytest.mark.parametrize(
    ("message", "number"),
    [
        ("Container booking failed liveness probe, will be restarted", 1),
        ("Container booking failed startup probe, will be restarted", 1),
        ("Stopping container booking", 0),
    ],
)
def test_what_a_probe_ended_is_told_from_what_was_stopped(message: str, number: int) -> None:
    event = {"reason": "Killing", "message": message, "involvedObject": {"name": "booking-1"}}
    unhealthy = {**event, "reason": "Unhealthy", "message": "Readiness probe failed"}
    assert len(restarted_by_probe([event, unhealthy])) == number


def test_a_pod_is_read_as_the_api_server_shows_it() -> None:
    item: dict[str, Any] = {
        "metadata": {"name": "a", "labels": {"app.kubernetes.io/component": "booking"}, "deletionTimestamp": "now"},
        "spec": {"nodeName": "node2", "containers": [{"image": "booking-services:next"}]},
        "status": {
            "phase": "Running",
            "podIP": "10.244.2.3",
            "conditions": [{"type": "Ready", "status": "True"}],
            "containerStatuses": [{"restartCount": 2, "containerID": "containerd://abc"}],
        },
    }
    expected = Pod("a", "booking", "booking-services:next", "node2", "10.244.2.3", "Running", True, True, 2, "abc")
    assert pod_of(item) == expected
    waiting: dict[str, Any] = {"metadata": {"name": "b"}, "spec": {"containers": [{"image": "x"}]}, "status": {}}
    assert (pod_of(waiting).ready, pod_of(waiting).node, pod_of(waiting).container) == (False, "", "")


def test_the_console_is_waited_for_as_services_are() -> None:
    def one_pod_of_each(*names: str) -> Pods:
        pods = Pods()
        for name in names:
            ready: dict[str, Any] = {"conditions": [{"type": "Ready", "status": "True"}]}
            metadata = {"name": f"{name}-1", "labels": {"app.kubernetes.io/component": name}}
            item = {"metadata": metadata, "spec": {"containers": [{"image": "x"}]}, "status": ready}
            pods._take({"type": "ADDED", "object": item})
        return pods

    one_pod_of_each(*REPLICATED).until_ready(1, 0)
    with pytest.raises(AssertionError, match="1 ready pods of each"):
        one_pod_of_each(*SERVICES).until_ready(1, 0)


@pytest.mark.requirement("console")
async def test_a_console_that_does_not_show_everything_is_seen() -> None:
    """The real one, with nothing behind it."""
    nowhere = Databases({name: Address(f"postgresql://{name}:x@127.0.0.1:1/{name}") for name in DATABASES})
    async with TestServer(application(settings(), nowhere)) as server:
        url = str(server.make_url("")).rstrip("/")
        said = [one.removeprefix(f"{url}: ") for one in await amiss(url, "vera")]
        (shut,) = await amiss(url, "nobody's token")
    assert {f"the database of {name} does not answer" for name in DATABASES} < set(said)
    assert [one for one in said if one.startswith("Kafka ")]
    assert shut.startswith(f"{url}: status 403")
    (gone,) = await amiss(url, "vera")
    assert "ClientConnectorError" in gone


def test_figures_are_of_the_commands_that_were_sent_meanwhile() -> None:
    times = Times({"before": 1, "a": 10, "b": 11, "lost": 12}, {"before": 30, "a": 10.2, "b": 13})
    found = figures(times, 9, 20)
    assert (found.commands, found.answered) == (3, 2)
    assert found.slowest == 2.0
    assert found.in_a_second == 0.5
    assert found.silence == pytest.approx(2.8)
    assert answers_between(times, 9, 20) == 2
    assert figures(times, 40, 50).answered == 0


def test_a_migration_ends_before_the_first_new_pod_or_not() -> None:
    job = replace(POD, name="job", component="migration", ready=False, phase="Pending")
    day = [*both(), Seen(5, job), Seen(8, replace(job, phase="Succeeded"))]
    new = replace(POD, name="booking-3")
    found = of_migration([*day, Seen(9, new)], 1, lambda since, until: int(until - since))
    assert found == {"migrated in": 3, "answers meanwhile": 3, "first new pod after": 1}
    early = of_migration([*both(), Seen(5, job), Seen(6, new), day[-1]], 1, lambda since, until: 0)
    assert early["first new pod after"] == -2
    assert of_migration(both(), 1, lambda since, until: 0) == {}


def test_the_next_build_goes_on_where_this_one_ends() -> None:
    for service, found in planted().items():
        ids = [revisions(service)[-1], *(revision for revision, _ in found)]
        assert ids == sorted(set(ids))
        for before, (revision, text) in zip(ids, found, strict=False):
            assert f'revision = "{revision}"\ndown_revision = "{before}"' in text
            compile(text, revision, "exec")
        assert newest()[service] == ids[-1]
