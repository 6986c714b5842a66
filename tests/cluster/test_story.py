"""What a day on Kubernetes was like, told by story.py: nothing unanswered, nothing doubled, the ledger to the cent."""

from __future__ import annotations

import json
import os
import sys
from typing import Any

import pytest
from booking_contracts.rights import SERVICES

from deploy.cluster.cluster import Cluster
from deploy.cluster.installation import chart
from deploy.local.layout import REPOSITORY
from tests.cluster import next_build
from tests.cluster import scenarios as of
from tests.cluster.blows import KAFKA_AWAY_SECONDS, REPLICAS
from tests.cluster.console import SECONDS
from tests.cluster.page import FIGURES
from tests.cluster.pods import REPLICATED
from tests.cluster.rotation import WAYS

LONGEST_SECONDS = 900.0

pytestmark = [pytest.mark.timeout(LONGEST_SECONDS + 300), pytest.mark.requirement("cluster")]


@pytest.fixture(scope="module")
def told(installed: Cluster, images: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The figures, which also go to build/; what came before the first scenario that failed is printed."""
    tag = next_build.build(tmp_path_factory.mktemp("next"), images["SERVICES_IMAGE"])
    installed.load_images(tag)
    FIGURES.parent.mkdir(exist_ok=True)
    FIGURES.unlink(missing_ok=True)
    log = installed.logs / "story.log"
    sources = {"PYTHONPATH": os.pathsep.join([str(REPOSITORY), str(REPOSITORY / "contracts")])}
    arguments = [str(chart(installed)), tag.rpartition(":")[2], str(FIGURES)]
    with installed.started_inside(
        [sys.executable, "-m", "tests.cluster.story", *arguments], env=sources, log=log
    ) as story:
        try:
            code = story.wait(LONGEST_SECONDS)
        finally:
            story.terminate()
    print(log.read_text())
    assert code == 0, f"the story ended with {code}; what it said is above"
    found: dict[str, Any] = json.loads(FIGURES.read_text())
    return found


@pytest.fixture
def scenarios(told: dict[str, Any]) -> dict[str, Any]:
    """By name."""
    return {scenario["name"]: scenario for scenario in told["scenarios"]}


def test_every_command_is_answered(scenarios: dict[str, Any]) -> None:
    """Once: tests/faults/checks.py has judged that after each scenario, else the story had ended with it."""
    assert {name: one["commands"] - one["answered"] for name, one in scenarios.items()} == dict.fromkeys(scenarios, 0)
    assert all(one["commands"] > 100 for one in scenarios.values())


def test_the_ledger_stripe_and_the_auditor_agree_to_the_cent(told: dict[str, Any]) -> None:
    assert told["money"] == []
    assert told["auditor"] == []
    assert told["cents at Stripe"] == told["cents of the ledger"] > 0


def test_no_pod_is_restarted_but_those_that_were_killed(told: dict[str, Any], scenarios: dict[str, Any]) -> None:
    assert told["restarted by a probe"] == []
    assert told["restarts"] == dict.fromkeys(scenarios[of.KILL]["notes"]["killed"], 1)


def test_older_pods_answer_while_the_upgrade_migrates(scenarios: dict[str, Any]) -> None:
    notes = scenarios[of.UPGRADE]["notes"]
    assert notes["revisions after"] == next_build.newest() != notes["revisions before"]
    assert notes["answers meanwhile"] > 0
    assert notes["first new pod after"] > 0
    assert scenarios[of.ROLLBACK]["notes"]["revisions"] == next_build.newest(), "a rollback migrates nothing"


@pytest.mark.parametrize("name", [of.UPGRADE, of.ROLLBACK])
def test_no_pod_less_is_ready_while_pods_are_replaced(scenarios: dict[str, Any], name: str) -> None:
    assert scenarios[name]["fewest ready"] == dict.fromkeys(SERVICES, REPLICAS)
    assert scenarios[name]["pods made"] == len(SERVICES) * REPLICAS


def test_an_eviction_that_would_leave_nobody_is_refused(scenarios: dict[str, Any]) -> None:
    notes = scenarios[of.DRAIN]["notes"]
    assert notes["left"] == dict.fromkeys(REPLICATED, 1)
    assert scenarios[of.DRAIN]["fewest ready"] == dict.fromkeys(SERVICES, 1)
    for name in REPLICATED:
        assert "violate the pod's disruption budget" in (notes["refused"][name] or "it was evicted")


@pytest.mark.requirement("console")
def test_the_console_shows_everything_after_each(scenarios: dict[str, Any]) -> None:
    """With nobody's help: no pod is restarted but those that were killed."""
    assert [name for name, one in scenarios.items() if one["console whole after"] > SECONDS] == []


def test_pods_stay_ready_while_kafka_is_away(scenarios: dict[str, Any]) -> None:
    found = scenarios[of.KAFKA]
    assert found["notes"]["away"] >= KAFKA_AWAY_SECONDS
    assert found["fewest ready"] == dict.fromkeys(SERVICES, REPLICAS)


@pytest.mark.parametrize("name", [of.UPGRADE, of.ROLLBACK, of.DRAIN, of.SCALE, of.KAFKA])
def test_no_read_comes_to_a_pod_that_is_gone(scenarios: dict[str, Any], name: str) -> None:
    """One may be answered late, or 503, where everything shares two cores; a refused connection is of a pod."""
    late = ("status 503", "TimeoutError")
    assert [wrong for wrong in scenarios[name]["reads failed"] if not wrong.startswith(late)] == []


def test_each_secret_is_used_by_every_pod_without_a_restart(told: dict[str, Any], scenarios: dict[str, Any]) -> None:
    assert list(scenarios[of.ROTATION]["notes"]["used after"]) == list(WAYS)
    assert scenarios[of.ROTATION]["pods made"] == 0
    assert told["refused by Stripe"] == 0
