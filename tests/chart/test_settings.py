"""What a pod is told: every setting that it needs, and its secrets as files."""

from __future__ import annotations

import importlib
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from booking_contracts.rights import SERVICES

from deploy.helm.schema import NOT_FOR_VALUES
from services.operations.databases import DATABASES
from tests.chart.conftest import Rendering
from tests.chart.rendered import SETS, Object, Rendered, settings
from tests.cluster.roles import FILES, ROLES
from tests.flows.operators import IN_A_CLUSTER

pytestmark = pytest.mark.requirement("chart")

OF_LIBRARIES = ("OTEL_",)
IN_FILES = {
    "STRIPE_WEBHOOK_SECRETS_FILE": '["secret"]',
    "API_TOKENS_FILE": "[]",
    "UNSUBSCRIBE_SECRETS_FILE": '["a long enough secret"]',
    "CONSOLE_SESSION_SECRETS_FILE": json.dumps(["x" * 32]),
    "CONSOLE_TOKENS_FILE": json.dumps([{"name": "ada", "token_sha256": "0" * 64, "roles": ["viewer"]}]),
}
"""What is JSON; the others are text."""


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_is_given_all_that_its_settings_need_and_nothing_unknown(each: Rendered, service: str) -> None:
    fields = importlib.import_module(f"services.{service}.app").Settings.model_fields
    known = {name.upper() for name in fields}
    needed = {name.upper() for name, field in fields.items() if field.is_required()}
    given = {name.removesuffix("_FILE") for name in settings(each.containers()[f"Deployment/{service}"])}
    assert needed <= given
    assert {name for name in given - known if not name.startswith(OF_LIBRARIES)} == set()


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Object], None]:
    """Makes a container's environment this process's, with something in each file."""

    def tell(container: Object) -> None:
        for name, value in settings(container).items():
            if name.endswith("_FILE"):
                file = tmp_path / name
                file.write_text(IN_FILES.get(name, "secret"))
                value = str(file)
            monkeypatch.setenv(name, value or "the pod's name")

    return tell


@pytest.mark.parametrize("service", SERVICES)
def test_its_values_are_valid(each: Rendered, service: str, told: Callable[[Object], None]) -> None:
    told(each.containers()[f"Deployment/{service}"])
    found: Any = importlib.import_module(f"services.{service}.app").Settings()
    assert found.instance == "the pod's name"
    assert found.database_url.startswith(f"postgresql://{service}@")


@pytest.mark.parametrize("name", [name for name in SETS if name != "bare"])
def test_the_console_knows_what_it_is_told(rendering: Rendering, name: str, told: Callable[[Object], None]) -> None:
    container = rendering(name).containers()["Deployment/console"]
    told(container)
    kind = importlib.import_module("services.operations.console.settings").ConsoleSettings
    databases = {f"{one.upper()}_DATABASE_{what}" for one in DATABASES for what in ("URL", "PASSWORD")}
    assert {setting.removesuffix("_FILE").lower() for setting in settings(container).keys() - databases} <= {
        *kind.model_fields,
        *map(str.lower, databases),
    }
    found: Any = kind()
    assert (found.console_prefix, found.console_read_only) == (
        "/console" if name == "managed" else "",
        name == "plain",
    )
    assert bool(found.console_proxy_secret) is (name == "managed")
    assert found.console_services["booking"] == ("http://bookings-booking-system-booking:8080",)


def test_a_secret_is_a_file_of_a_secret_and_never_a_variable(each: Rendered) -> None:
    for name, pod in each.pods().items():
        container = pod["containers"][0]
        assert all("secretKeyRef" not in str(one) for one in container.get("env", ())), name
        mounted = {mount["name"]: mount["mountPath"] for mount in container.get("volumeMounts", ())}
        files = {
            f"{mounted[volume['name']]}/{item['path']}"
            for volume in pod.get("volumes", ())
            for source in volume["projected"]["sources"]
            for item in source["secret"]["items"]
        }
        told = [value for value in settings(container).values() if value]
        pointed_at = {value for value in told if value.startswith("/run/secrets/")}
        pointed_at |= {value.partition("sslrootcert=")[2] for value in told if "sslrootcert=" in value}
        assert pointed_at == files, name


def test_an_operator_may_make_the_secrets_that_pods_read(rendering: Rendering) -> None:
    made = rendering("external-secrets").all("ExternalSecret")["stripe"]["spec"]
    keys = {one["secretKey"] for one in made["data"]}
    pod = rendering("external-secrets").pods()["Deployment/payments"]
    read = {
        item["key"]
        for volume in pod["volumes"]
        for source in volume["projected"]["sources"]
        if source["secret"]["name"] == made["target"]["name"]
        for item in source["secret"]["items"]
    }
    assert keys == read == {"api-key", "webhook-secrets"}


def test_only_the_migration_sees_owners_passwords(rendering: Rendering) -> None:
    for name, pod in rendering("managed").pods().items():
        assert ("-database-owner" in str(pod.get("volumes"))) is (name == "Job/migration"), name
    given = settings(rendering("managed").containers()["Job/migration"])
    assert given["PAYMENTS_MIGRATION_URL"].startswith("postgresql://payments_owner@")  # type: ignore[union-attr]


def test_bookingctl_is_told_what_its_commands_need_and_nothing_more(rendering: Rendering) -> None:
    """tests/flows/test_watching.py runs every command of the runbooks with these settings alone."""
    told = set[str]()
    for name in ("managed", "certificates"):
        given = settings(rendering(name).containers()["Deployment/bookingctl"])
        told |= {setting.removesuffix("_FILE") for setting in given}
        for service in DATABASES:
            url = given[f"{service.upper()}_DATABASE_URL"] or ""
            assert url.startswith(f"postgresql://{service}@"), "the role that may mend rows, and no owner"
    assert told == IN_A_CLUSTER


def test_names_that_the_chart_sets_are_no_secrets(each: Rendered) -> None:
    """What a schema refuses in `env` by its name is a file where the chart sets it, or an address without password."""
    for name, container in each.containers().items():
        for setting, value in settings(container).items():
            if re.search(NOT_FOR_VALUES, setting) and value and not value.startswith("/run/secrets/"):
                assert setting.endswith("_URL"), f"{name}: {setting}"
                assert ":" not in value.partition("://")[2].partition("@")[0], "no password in an address"


def test_the_cluster_rotates_every_password_of_a_database(rendering: Rendering) -> None:
    """tests/cluster/roles.py finds each by a file of one of the pods that have it; owners connect in Jobs alone."""
    made = rendering("plain")

    def files(component: str) -> dict[str, str]:
        sources = made.pods()[f"Deployment/{component}"]["volumes"][0]["projected"]["sources"]
        return {one["secret"]["items"][0]["path"]: one["secret"]["name"] for one in sources}

    used = {
        secret: component
        for component in made.all("Deployment")
        for file, secret in files(component).items()
        if file.endswith("database-password")
    }
    rotated = {role: files(components[0])[FILES[role]] for role, components in ROLES.items()}
    assert sorted(rotated.values()) == sorted(used)
    for role, components in ROLES.items():
        assert all(rotated[role] in files(component).values() for component in components), role
