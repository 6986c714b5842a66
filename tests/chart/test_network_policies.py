"""Who may talk to whom: a matrix written by hand against what the rendered policies let through."""

from __future__ import annotations

import pytest
from booking_contracts.rights import SERVICES

from tests.chart.conftest import Rendering
from tests.chart.network import End, component, passes
from tests.chart.rendered import Object, Rendered, render

pytestmark = pytest.mark.requirement("chart")

OURS = (*SERVICES, "auditor", "console", "bookingctl", "migration", "topics", "test")
HTTP, NAMES, POSTGRESQL, KAFKA, HTTPS, SMTP, OTLP = 8080, 53, 5432, 9093, 443, 587, 4318
METRICS = 8081
"""The console's, to which no Ingress leads."""
WITHIN, STRIPE = End(address="10.1.2.3"), End(address="3.18.12.63")
"""A server in the company's own network, and one out in the world."""
DNS, MONITORING, INGRESS, STRANGER, NEIGHBOUR = (
    End(namespace="kube-system"),
    End(namespace="monitoring"),
    End(namespace="ingress-nginx"),
    End(namespace="elsewhere"),
    End({"app": "something"}),
)

OUT: dict[tuple[End, int], set[str]] = {
    (DNS, NAMES): set(OURS),
    (WITHIN, POSTGRESQL): {*SERVICES, "auditor", "console", "bookingctl", "migration"},
    (WITHIN, KAFKA): {*SERVICES, "console", "bookingctl", "topics"},
    (WITHIN, OTLP): set(SERVICES),
    (WITHIN, SMTP): {"notifications"},
    (STRIPE, HTTPS): {"payments", "notifications"},
    (WITHIN, HTTPS): set(),
    (STRIPE, 80): set(),
    (STRANGER, HTTP): set(),
    (NEIGHBOUR, HTTP): set(),
    (component("console"), METRICS): set(),
}
"""Each far end with its port, and who of ours may call it."""
IN: dict[End, set[str]] = {
    MONITORING: {*SERVICES, "auditor"},
    INGRESS: {"payments", "console"},
    component("test"): {*SERVICES, "auditor", "console"},
    component("console"): set(SERVICES),
    STRANGER: set(),
    NEIGHBOUR: set(),
    DNS: set(),
    **{component(name): set() for name in OURS if name not in ("test", "console")},
}
"""Each caller, and whose HTTP it may call."""


def policies(rendered: Rendered) -> list[Object]:
    return list(rendered.all("NetworkPolicy").values())


@pytest.fixture
def watched(rendering: Rendering) -> list[Object]:
    return policies(rendering("watched"))


@pytest.mark.parametrize("caller", OURS)
def test_a_pod_calls_what_it_needs_and_nothing_else(watched: list[Object], caller: str) -> None:
    for (far, port), who in OUT.items():
        assert passes(watched, component(caller), far, port) is (caller in who), f"{caller} → {far}, {port}"


def test_who_follows_a_link_in_a_letter_is_let_through_where_there_are_links(rendering: Rendering) -> None:
    found = policies(rendering("managed"))
    assert passes(found, INGRESS, component("notifications"), HTTP)
    assert not passes(found, INGRESS, component("booking"), HTTP)


@pytest.mark.parametrize("called", OURS)
def test_a_pod_is_called_by_whom_it_answers_and_nobody_else(watched: list[Object], called: str) -> None:
    for caller, whom in IN.items():
        assert passes(watched, caller, component(called), HTTP) is (called in whom), f"{caller} → {called}"
        watches = (caller, called) == (MONITORING, "console")
        assert passes(watched, caller, component(called), METRICS) is watches, f"{caller} → metrics of {called}"
        assert not passes(watched, caller, component(called), 22)


def test_where_nobody_is_named_nobody_is_let_in() -> None:
    """A rule without peers would be one for everybody."""
    nobody = policies(render("watched", {"networkPolicy.monitoring": [], "networkPolicy.operators": []}))
    for caller in (MONITORING, INGRESS, STRANGER):
        for called in ("auditor", "console"):
            assert not any(passes(nobody, caller, component(called), port) for port in (HTTP, METRICS))
    assert passes(nobody, component("test"), component("console"), HTTP)


def test_names_are_asked_for_in_both_protocols(watched: list[Object]) -> None:
    assert all(passes(watched, component("booking"), DNS, NAMES, protocol) for protocol in ("TCP", "UDP"))
    assert not passes(watched, component("booking"), STRANGER, NAMES, "UDP")


def test_a_pod_of_the_release_that_no_policy_knows_can_do_nothing(watched: list[Object]) -> None:
    stray = component("stray")
    assert not any(passes(watched, stray, far, port) for far, port in OUT)
    assert not any(passes(watched, caller, stray, HTTP) for caller in IN)


def test_without_the_one_that_denies_all_it_could(watched: list[Object]) -> None:
    """The matrix notices what is missing: who is selected by no policy is open."""
    fewer = [one for one in watched if not one["metadata"]["name"].endswith("deny-all")]
    assert passes(fewer, component("stray"), STRIPE, HTTPS)


def test_clients_are_let_in_where_they_are_named() -> None:
    shop = End(namespace="web")
    named = policies(render("production"))
    assert all(passes(named, shop, component(service), HTTP) for service in SERVICES)
    assert not passes(named, shop, component("auditor"), HTTP)


def test_operators_come_by_whom_values_name_and_not_past_them(rendering: Rendering) -> None:
    found = policies(rendering("managed"))
    assert passes(found, End(namespace="oauth2-proxy"), component("console"), HTTP)
    assert not passes(found, INGRESS, component("console"), HTTP)


def test_databases_and_brokers_of_the_cluster_are_known_by_their_labels(rendering: Rendering) -> None:
    database, broker = End({"cnpg.io/cluster": "bookings-booking-system-payments"}), End({"strimzi.io/cluster": "main"})
    made = policies(rendering("cloudnativepg"))
    assert passes(made, component("payments"), database, POSTGRESQL)
    assert not passes(made, component("payments"), NEIGHBOUR, POSTGRESQL)
    named = policies(rendering("strimzi"))
    assert passes(named, component("payments"), broker, KAFKA)
    assert not passes(named, component("payments"), NEIGHBOUR, KAFKA)


def test_subscribers_can_be_left_out_or_reached_elsewhere() -> None:
    closed = policies(render("watched", {"subscribers.enabled": False}))
    assert not passes(closed, component("notifications"), STRIPE, HTTPS)
    peers: list[object] = [{"ipBlock": {"cidr": "10.1.0.0/16"}}]
    changed: dict[str, object] = {"networkPolicy.subscribers": peers, "subscribers.ports": []}
    within = policies(render("watched", changed))
    assert passes(within, component("notifications"), WITHIN, 8443)
    assert not passes(within, component("notifications"), STRIPE, HTTPS)


def test_ports_are_those_of_the_addresses() -> None:
    changed: dict[str, object] = {
        "kafka.bootstrapServers": "one:9094, two:9095",
        "database.port": 6432,
        "stripe.apiBase": "http://simulator:12111",
        "tracingEndpoint": "https://collector",
    }
    changed_all = policies(render("watched", changed))
    reached = {
        port for port in (9093, 9094, 9095, 5432, 6432, 443) if passes(changed_all, component("booking"), STRIPE, port)
    }
    assert reached == {9094, 9095, 6432, 443}
    assert passes(changed_all, component("payments"), STRIPE, 12111)


def test_a_jobs_policy_is_there_before_the_job_and_goes_with_it(rendering: Rendering) -> None:
    for name in ("migration", "topics"):
        policy, job = rendering("managed").one("NetworkPolicy", name), rendering("managed").one("Job", name)
        own, other = policy["metadata"]["annotations"], job["metadata"]["annotations"]
        assert own["helm.sh/hook"] == other["helm.sh/hook"]
        assert int(own["helm.sh/hook-weight"]) < int(other["helm.sh/hook-weight"])
        assert "hook-succeeded" in own["helm.sh/hook-delete-policy"]
