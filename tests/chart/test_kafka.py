"""Topics, users and scaling are those of contracts' table of topics."""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from booking_contracts.rights import (
    SERVICES,
    Right,
    rights_of_admin_tools,
    rights_of_console,
    rights_of_operators,
    rights_of_service,
    rights_of_team,
)
from booking_contracts.topics import PARTITIONS, TOPICS

from services.operations.databases import DATABASES, OPERATIONS
from tests.chart.conftest import Rendering
from tests.chart.rendered import SETS, Object, Rendered, render

pytestmark = pytest.mark.requirement("chart")

CRDS = os.environ.get("CRDS", "")
"""A folder with definitions of Strimzi's and CloudNativePG's kinds, which are theirs and not in this repository."""
KINDS = ("KafkaTopic", "KafkaUser", "Cluster")


def rights(user: Object) -> dict[str, set[str]]:
    """Operation and resource, each with names."""
    found: dict[str, set[str]] = {}
    for acl in user["spec"]["authorization"]["acls"]:
        for operation in acl["operations"]:
            resource = acl["resource"]
            name = resource["name"] + ("*" if resource["patternType"] == "prefix" else "")
            found.setdefault(f"{operation} {resource['type']}", set()).add(name)
    return found


def table(rights: Iterable[Right]) -> dict[str, set[str]]:
    """The same, of contracts."""
    found: dict[str, set[str]] = {}
    for one in rights:
        for operation in one.operations:
            found.setdefault(f"{operation} {one.resource}", set()).add(one.name + ("*" if one.prefixed else ""))
    return found


def test_topics_are_those_of_contracts(rendering: Rendering) -> None:
    found = rendering("strimzi").all("KafkaTopic")
    assert found.keys() == {one.name for one in TOPICS}
    for topic in TOPICS:
        spec = found[topic.name]["spec"]
        assert (spec["partitions"], spec["replicas"]) == (topic.partitions, 3)
        assert spec["config"] == {**topic.config, "min.insync.replicas": "2"}
    assert not any(name.startswith("topics") for name in rendering("strimzi").all("Job")), "one of them makes topics"


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_reads_and_writes_its_own_topics_alone(rendering: Rendering, service: str) -> None:
    found = rights(rendering("strimzi").one("KafkaUser", service))
    assert found == table(rights_of_service(service))
    assert found["Read group"] == {importlib.import_module(f"services.{service}.app").SERVICE.name}


def test_others_have_the_rights_of_their_roles(rendering: Rendering) -> None:
    shop, office = (rights(rendering("strimzi").one("KafkaUser", name)) for name in ("web-shop", "back-office"))
    assert shop == table(rights_of_team("web-shop"))
    assert shop["Write topic"] == {"booking.commands", "wallet.commands"}
    assert office == table(
        {*rights_of_team("back-office"), *rights_of_admin_tools("back-office"), *rights_of_operators()}
    )
    assert office["Write topic"] - shop["Write topic"] == {"booking.admin-commands"}
    assert rights(rendering("strimzi").one("KafkaUser", "bookingctl")) == table(rights_of_operators())
    assert rights(rendering("strimzi").one("KafkaUser", "console")) == table(rights_of_console())
    assert office["Read topic"] - shop["Read topic"] == {f"{service}.dead-letters" for service in SERVICES}


@pytest.mark.parametrize(("name", "kind"), [("strimzi", "scram-sha-512"), ("strimzi-certificates", "tls")])
def test_a_pod_finds_the_secret_that_strimzi_makes(rendering: Rendering, name: str, kind: str) -> None:
    for service in SERVICES:
        user = rendering(name).one("KafkaUser", service)
        assert user["spec"]["authentication"] == {"type": kind}
        pod = rendering(name).pods()[f"Deployment/{service}"]
        sources = [source["secret"] for volume in pod["volumes"] for source in volume["projected"]["sources"]]
        keys = {
            item["key"] for secret in sources if secret["name"] == user["metadata"]["name"] for item in secret["items"]
        }
        assert keys == ({"password"} if name == "strimzi" else {"user.crt", "user.key"})


@pytest.mark.parametrize("service", SERVICES)
def test_there_is_a_trigger_for_each_topic_and_a_pod_for_each_partition_at_most(
    rendering: Rendering, service: str
) -> None:
    spec = rendering("autoscaling").one("ScaledObject", service)["spec"]
    consumed = importlib.import_module(f"services.{service}.app").SERVICE.topics
    triggers = {one["metadata"]["topic"]: one["metadata"] for one in spec["triggers"]}
    assert triggers.keys() == set(consumed)
    assert len(spec["triggers"]) == len(consumed)
    assert {one["consumerGroup"] for one in triggers.values()} == {service}
    assert {one["offsetResetPolicy"] for one in triggers.values()} == {"earliest"}
    assert 1 <= spec["minReplicaCount"] <= spec["maxReplicaCount"] <= PARTITIONS
    deployment = rendering("autoscaling").one("Deployment", service)
    assert spec["scaleTargetRef"]["name"] == deployment["metadata"]["name"]
    assert "replicas" not in deployment["spec"], "or each upgrade would undo what KEDA has chosen"


def test_keda_shows_who_it_is_as_the_service_does(rendering: Rendering) -> None:
    found = rendering("autoscaling").one("TriggerAuthentication", "booking")["spec"]
    assert found["env"][0]["parameter"] == "username"
    assert {one["parameter"]: one["name"] for one in found["secretTargetRef"]} == {
        "password": "booking-kafka",
        "ca": "kafka-ca",
    }
    (metadata, *_) = [
        one["metadata"] for one in rendering("autoscaling").one("ScaledObject", "booking")["spec"]["triggers"]
    ]
    assert (metadata["sasl"], metadata["tls"]) == ("scram_sha512", "enable")
    certificates = render("certificates", {"services.booking.autoscaling.enabled": True})
    parameters = {
        one["parameter"] for one in certificates.one("TriggerAuthentication", "booking")["spec"]["secretTargetRef"]
    }
    assert parameters == {"cert", "key", "ca"}
    assert render("plain", {"services.booking.autoscaling.enabled": True}).all("TriggerAuthentication") == {}


def test_a_database_has_the_roles_that_the_services_use(rendering: Rendering) -> None:
    given = rendering("cloudnativepg").pods()
    for service in DATABASES:
        user = "console" if service == OPERATIONS else service
        name = "OPERATIONS_DATABASE_URL" if service == OPERATIONS else "DATABASE_URL"
        spec = rendering("cloudnativepg").one("Cluster", service)["spec"]
        initdb = spec["bootstrap"]["initdb"]
        assert (initdb["database"], initdb["owner"]) == (service, f"{service}_owner")
        assert {one["name"] for one in spec["managed"]["roles"]} == {service, "auditor"}
        assert ("CREATE EXTENSION btree_gist" in initdb["postInitApplicationSQL"]) is (service == "booking")
        assert "{{" not in str(initdb)
        assert spec["monitoring"] == {"enablePodMonitor": True}, "values are laid over it"
        (url,) = [one["value"] for one in given[f"Deployment/{user}"]["containers"][0]["env"] if one["name"] == name]
        assert f"@bookings-booking-system-{service}-rw:5432/{service}?sslmode=verify-full&sslrootcert=" in url


def test_what_has_data_in_it_outlives_the_release(rendering: Rendering) -> None:
    """To Strimzi and CloudNativePG, an object that goes is a topic or a database that goes, with all that is in it."""
    kept = [*rendering("strimzi").all("KafkaTopic").values(), *rendering("cloudnativepg").all("Cluster").values()]
    assert len(kept) == len(TOPICS) + len(DATABASES)
    assert all(one["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep" for one in kept)


def strict(definition: Any) -> Any:
    """A definition that refuses fields that it does not name, as the API server does when it is asked to."""
    if isinstance(definition, list):
        return [strict(one) for one in definition]
    if not isinstance(definition, dict):
        return definition
    found = {name: strict(one) for name, one in definition.items()}
    open_to_all = found.get("x-kubernetes-preserve-unknown-fields") or "additionalProperties" in found
    if isinstance(found.get("properties"), dict) and not open_to_all and found.get("type") == "object":
        found["additionalProperties"] = False
    if found.get("x-kubernetes-int-or-string"):
        found.pop("type", None)
    return found


@pytest.fixture(scope="session")
def definitions() -> dict[str, jsonschema.Draft202012Validator]:
    """Validators by kind."""
    if not CRDS:
        pytest.skip(
            "Strimzi's and CloudNativePG's kinds are not looked at: CRDS names no folder with their definitions"
        )
    found: dict[str, jsonschema.Draft202012Validator] = {}
    for file in sorted(Path(CRDS).glob("*.yaml")):
        for one in yaml.safe_load_all(file.read_text()):
            (version,) = [each for each in one["spec"]["versions"] if each["storage"]]
            schema = strict(version["schema"]["openAPIV3Schema"])
            schema["properties"]["metadata"] = {"type": "object"}
            found[one["spec"]["names"]["kind"]] = jsonschema.Draft202012Validator(schema)
    assert found.keys() >= set(KINDS), f"{CRDS} lacks definitions"
    return found


@pytest.mark.parametrize("name", SETS)
def test_operators_know_every_field(
    rendering: Rendering, definitions: dict[str, jsonschema.Draft202012Validator], name: str
) -> None:
    assert faults(rendering(name), definitions) == []


def test_a_field_that_an_operator_does_not_know_is_found(
    rendering: Rendering, definitions: dict[str, jsonschema.Draft202012Validator]
) -> None:
    broken = Rendered(rendering("strimzi").text.replace("partitions:", "parts:").replace("- Read\n", "- Reed\n"))
    said = " ".join(faults(broken, definitions))
    assert "'parts' was unexpected" in said
    assert "'Reed' is not one of" in said


def faults(rendered: Rendered, definitions: dict[str, jsonschema.Draft202012Validator]) -> list[str]:
    found = [one for one in rendered.objects if one["kind"] in KINDS]
    return [
        f"{one['metadata']['name']}: {error.message}"
        for one in found
        for error in definitions[one["kind"]].iter_errors(one)
    ]
