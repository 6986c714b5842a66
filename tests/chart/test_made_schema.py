"""What the schema refuses: values that fail only where they run. Helm is asked last."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Sequence
from ipaddress import ip_network
from typing import get_args

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from deploy.helm.annotated import Value, read
from deploy.helm.tools import CHART
from services.operations.console.roles import Right
from tests.chart.rendered import MAJORS, Refused, render
from tests.chart.test_made import DEFAULTS, SCHEMA, refusals

pytestmark = pytest.mark.requirement("chart")


def test_a_role_of_the_console_is_one_that_it_knows() -> None:
    roles = SCHEMA["properties"]["console"]["properties"]["proxy"]["properties"]["roles"]
    assert set(roles["additionalProperties"]["enum"]) == set(get_args(Right))


@given(st.one_of(st.ip_addresses().map(str), st.text("0123456789afF:.", max_size=24)), st.integers(0, 140))
@example("1:2:3:4:5:6:7::", 112)
@example("::2:3:4:5:6:7:8", 128)
@example("1::2::3", 64)
@example("10.01.0.0", 16)
def test_a_network_is_what_python_takes_for_one(address: str, bits: int) -> None:
    """But for what lies within a network, which a template refuses, and IPv6 with an IPv4 address in it."""
    try:
        ip_network(f"{address}/{bits}", strict=False)
    except ValueError:
        taken = False
    else:
        taken = ":" not in address or "." not in address
    assert bool(re.search(SCHEMA["definitions"]["network"]["pattern"], f"{address}/{bits}")) is taken


def test_a_value_that_is_taken_away_is_named() -> None:
    """`--set x=null`: Helm takes the default out, with what stood below it, and a template would fall over it."""
    paths = [value.path for value in every_value(read((CHART / "values.yaml").read_text()))]
    assert {"console.resources", "services", "kafka.topics.replicationFactor"} <= set(paths)
    for path in paths:
        values = place = copy.deepcopy(DEFAULTS)
        *groups, name = path.split(".")
        for group in groups:
            place = place[group]
        del place[name]
        assert f"'{name}' is a required property" in refusals({}, values), path


def every_value(values: Sequence[Value]) -> Iterator[Value]:
    """Groups and what is in them; what is null already is not there."""
    for value in values:
        if value.default is not None:
            yield value
        yield from every_value(value.children)


REFUSED_BY_SCHEMA: tuple[tuple[str, object], ...] = (
    ("console.proxy.roles.oncall", "superuser"),
    ("subscribers.networks", ["nonsense"]),
    ("subscribers.networks", ["10.0.0.0/33"]),
    ("networkPolicy.kafka", [{"ipBlock": {"cidr": "10.0.0.300/8"}}]),
    ("networkPolicy.stripe", [{"ipBlock": {"cidr": "0.0.0.0/0", "except": ["nonsense"]}}]),
    ("networkPolicy.mail", [{"ipBlock": {"except": ["10.0.0.0/8"]}}]),
    ("pods.spreadOver", [""]),
    ("image.pullSecrets", [""]),
    ("alerts.exclude", [""]),
    ("console.resources", None),
    ("services.payments.database", None),
    ("database.caSecret.key", None),
)


@pytest.mark.parametrize("major", MAJORS)
@pytest.mark.parametrize(("path", "value"), REFUSED_BY_SCHEMA)
def test_what_would_be_refused_only_where_it_runs_is_refused_here(
    tools: None, path: str, value: object, major: str
) -> None:
    with pytest.raises(Refused, match=rf"(?s)values don't meet.*{re.escape(path.split('.')[0])}"):
        render("managed", {path: value}, major=major)
