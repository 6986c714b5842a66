"""What is made of values and contracts is up to date, and says what it should (deploy/helm). Needs no Helm."""

from __future__ import annotations

import importlib
import json
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from booking_contracts.rights import SERVICES, rights_of_console
from booking_contracts.topics import TOPICS

from deploy.helm import contracts
from deploy.helm.__main__ import made
from deploy.helm.annotated import Unexplained, read
from deploy.helm.package import assemble
from deploy.helm.schema import schema
from deploy.helm.tools import CHART
from deploy.local.layout import REPOSITORY
from tests.chart.rendered import SETS, render

pytestmark = pytest.mark.requirement("chart")

SCHEMA: dict[str, Any] = json.loads((CHART / "values.schema.json").read_text())
DEFAULTS: dict[str, Any] = yaml.safe_load((CHART / "values.yaml").read_text())


def refusals(values: dict[str, Any], below: Mapping[str, Any] = DEFAULTS) -> list[str]:
    """What the schema says of values that are laid over the defaults, as Helm does it."""
    laid = _laid(below, values)
    return [error.message for error in jsonschema.Draft7Validator(SCHEMA).iter_errors(laid)]


def _laid(below: Any, above: Any) -> Any:
    if not isinstance(below, dict) or not isinstance(above, dict):
        return above
    return below | {name: _laid(below.get(name), value) for name, value in above.items()}


def test_what_is_made_is_up_to_date() -> None:
    old = [path.name for path, text in made().items() if path.read_text(encoding="utf-8") != text]
    assert old == [], "run `python -m deploy.helm`"


def test_a_value_without_a_comment_and_a_schema_that_is_none_are_named() -> None:
    with pytest.raises(Unexplained, match=r"^pods\.grace has no comment"):
        read("pods:\n  grace: 1\n")
    with pytest.raises(Unexplained, match=r"@schema of grace is no JSON"):
        read("# When.\n# @schema {oops}\ngrace: 1\n")


def test_a_group_that_is_repeated_is_described_once() -> None:
    first, second = read('one: &one\n  # How many.\n  # @schema {"minimum": 1}\n  count: 2\ntwo: *one\n')
    assert [leaf.path for leaf in first.leaves()] == ["one.count"]
    assert (second.same_as, [leaf.text for leaf in second.leaves()]) == ("one", ["As `one`."])
    assert schema((first, second), [])["properties"]["two"] == {"$ref": "#/properties/one"}


def test_the_defaults_are_valid_and_what_is_unknown_or_of_another_type_is_not() -> None:
    assert refusals(DEFAULTS) == []
    assert refusals({"nonsense": 1}) != []
    assert refusals({"services": {"booking": {"replicas": "two"}}}) != []
    assert refusals({"services": {"payments": {"replicas": 0}}}) != []
    assert refusals({"services": {"console": {}}}) != []
    assert refusals({"image": {"digest": "sha256:short"}}) != []
    assert refusals({"metrics": {"interval": "often"}}) != []


@pytest.mark.parametrize("name", ["STRIPE_API_KEY", "API_TOKENS", "SMTP_PASSWORD", "DATABASE_URL", "stripe_api_key"])
def test_a_secret_is_refused_as_a_setting(name: str) -> None:
    assert refusals({"services": {"payments": {"env": {name: "x"}}}}) != []


def test_no_value_has_room_for_a_secret() -> None:
    """A value whose name speaks of one is a reference of name and key."""
    for value in (leaf for group in read((CHART / "values.yaml").read_text()) for leaf in group.leaves()):
        if re.search("password|secret|token|apiKey|certificate", value.name, re.IGNORECASE):
            kept_elsewhere = ("rollOnSecretChange", "tlsSecret", "pullSecrets")
            is_reference = str(value.schema.get("$ref", "")).endswith(("/secret", "/certificate"))
            assert is_reference or value.name in kept_elsewhere, value.path


def test_a_pod_is_given_what_was_measured_and_half_as_much_again() -> None:
    """docs/operate/sizes.md has the measured figure beside what the chart asks for; memory is asked for and limit."""
    page = (REPOSITORY / "docs" / "operate" / "sizes.md").read_text()
    rows = re.findall(r"(?m)^\| (\w+) \| (\d+).*? \| (\d+)Mi \| .* \| (\d+m) \|$", page)
    beside = {name: part for name, part in DEFAULTS.items() if isinstance(part, dict) and "resources" in part}
    given = {**DEFAULTS["services"], **beside}
    assert {name for name, *_ in rows} == given.keys()
    for name, measured, memory, cpu in rows:
        resources = given[name]["resources"]
        assert resources == {"requests": {"cpu": cpu, "memory": f"{memory}Mi"}, "limits": {"memory": f"{memory}Mi"}}
        assert int(memory) >= 1.5 * int(measured), name


def test_removed_values_pass_the_schema_so_that_a_sentence_can_refuse_them() -> None:
    removed = yaml.safe_load((CHART / "files" / "removed.yaml").read_text())
    assert removed, "there is something to test"
    for path in removed:
        *groups, name = path.split(".")
        values: dict[str, Any] = {name: "anything"}
        for group in reversed(groups):
            values = {group: values}
        assert refusals(values) == [], path


def test_the_chart_knows_contracts_topics() -> None:
    facts = json.loads((CHART / "files" / "contracts.json").read_text())
    assert [one["name"] for one in facts["topics"]] == [one.name for one in TOPICS]
    for service in SERVICES:
        consumed = importlib.import_module(f"services.{service}.app").SERVICE.topics
        assert set(facts["services"][service]["reads"]) == set(consumed), "KEDA would count others than it reads"
    written = {
        role: {acl["resource"]["name"] for acl in acls if "Write" in acl["operations"]}
        for role, acls in facts["roles"].items()
    }
    assert written["internal"] == {"booking.commands", "wallet.commands"}
    assert written["admin"] - written["internal"] == {"booking.admin-commands"}
    assert written["operators"] == set()
    assert json.loads(json.dumps(contracts.acls(rights_of_console()))) == facts["console"]


def test_roles_of_a_database_are_those_of_the_script() -> None:
    made_of = contracts.statements(
        'GRANT A ON DATABASE :"service" TO :"service";\nCREATE ROLE x;\nREVOKE B FROM :"owner";'
    )
    assert made_of == ['GRANT A ON DATABASE "{{service}}" TO "{{service}}"', 'REVOKE B FROM "{{owner}}"']
    assert contracts.extensions("\\set service one\nCREATE EXTENSION IF NOT EXISTS x;\n\\set service two\n") == {
        "one": ["x"],
        "two": [],
    }


def test_chart_and_services_have_one_version() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    version = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["version"]
    assert (chart["version"], chart["appVersion"]) == (version, version)
    assert f"## {version}\n" in (CHART / "UPGRADING.md").read_text()


def test_the_shortest_values_are_all_that_is_needed(tools: None) -> None:
    assert render("base").objects


def test_there_are_enough_value_sets_and_each_says_what_it_is_for() -> None:
    assert len(SETS) >= 8
    assert all((CHART / "ci" / f"{name}.yaml").read_text().startswith("# ") for name in SETS)


def test_a_packaged_chart_has_alerts_and_dashboards_and_no_link(tmp_path: Path) -> None:
    beside = tmp_path / "deploy"
    (beside / "alerts" / "tests").mkdir(parents=True)
    (beside / "dashboards").mkdir()
    (beside / "alerts" / "outbox_age.yaml").write_text("groups: []\n")
    (beside / "alerts" / "tests" / "outbox_age.yaml").write_text("tests: []\n")
    (beside / "dashboards" / "on-call.json").write_text("{}\n")
    chart = assemble(tmp_path / "into", beside)
    files = {str(path.relative_to(chart / "files")) for path in (chart / "files").rglob("*") if path.is_file()}
    assert files == {"contracts.json", "removed.yaml", "alerts/outbox_age.yaml", "dashboards/on-call.json"}
    assert not any(path.is_symlink() for path in chart.rglob("*"))
    assert not (chart / "ci").exists()
