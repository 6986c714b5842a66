"""What runs, and how: with no rights, and without being ended before it is done."""

from __future__ import annotations

import importlib

import pytest
from booking_contracts.rights import SERVICES

from deploy.local.layout import REPOSITORY
from services.operations.databases import DATABASES, OPERATIONS
from tests.chart.conftest import Rendering
from tests.chart.rendered import NAMESPACE, Rendered, notes, render, settings

pytestmark = pytest.mark.requirement("chart")

PROBED = (*SERVICES, "auditor", "console")
"""What answers for as long as it runs."""


@pytest.mark.parametrize("service", SERVICES)
def test_production_runs_the_application_that_there_is(each: Rendered, service: str) -> None:
    program, verb, application, factory = each.containers()[f"Deployment/{service}"]["command"]
    module, _, name = application.partition(":")
    assert (program, verb, factory) == ("faststream", "run", "--factory")
    assert callable(getattr(importlib.import_module(module), name))


def test_a_pod_may_do_nothing(each: Rendered) -> None:
    """Pod Security's `restricted`, a root that cannot be written to, and no token."""
    for name, pod in each.pods().items():
        assert pod["automountServiceAccountToken"] is False, name
        inside = pod["securityContext"]
        assert (inside["runAsNonRoot"], inside["seccompProfile"]) == (True, {"type": "RuntimeDefault"}), name
        assert inside["runAsUser"] == 65532, "the image's user"
        for container in pod["containers"]:
            rights = container["securityContext"]
            assert rights == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
            memory = container["resources"]["requests"]["memory"], container["resources"]["limits"]["memory"]
            assert memory[0] == memory[1], name


@pytest.mark.requirement("health")
@pytest.mark.parametrize("name", PROBED)
def test_waiting_ends_no_pod_and_kafka_takes_none_out_of_its_service(rendering: Rendering, name: str) -> None:
    container = rendering("managed").containers()[f"Deployment/{name}"]
    for question, probe in (("live", "startupProbe"), ("serving", "readinessProbe"), ("live", "livenessProbe")):
        assert container[probe]["httpGet"] == {"path": f"/health/{question}", "port": "http"}
    startup, live = container["startupProbe"], container["livenessProbe"]
    assert startup["periodSeconds"] * startup["failureThreshold"] >= 60
    assert live["periodSeconds"] * live["failureThreshold"] >= 60


@pytest.mark.requirement("health")
@pytest.mark.parametrize("name", PROBED)
def test_a_pod_is_given_the_time_that_it_takes_to_end(rendering: Rendering, name: str) -> None:
    pod = rendering("managed").pods()[f"Deployment/{name}"]
    assert pod["terminationGracePeriodSeconds"] == 5 + 15 + 10
    slower = render(changed={"pods.drainSeconds": 40, "pods.preStopSeconds": 8}).pods()[f"Deployment/{name}"]
    assert slower["terminationGracePeriodSeconds"] == 58
    chosen = render(changed={"pods.terminationGracePeriodSeconds": 90}).pods()[f"Deployment/{name}"]
    assert chosen["terminationGracePeriodSeconds"] == 90


@pytest.mark.requirement("health")
def test_no_pod_pauses_for_longer_than_it_may_take_to_end() -> None:
    """The API server refuses such a pod."""
    pods = render(changed={"pods.preStopSeconds": 40}).pods()
    pauses = {name: pod["containers"][0].get("lifecycle", {}).get("preStop") for name, pod in pods.items()}
    found = {name: pause["sleep"]["seconds"] for name, pause in pauses.items() if pause}
    assert found == dict.fromkeys((f"Deployment/{name}" for name in (*SERVICES, "console")), 40)
    for name, seconds in found.items():
        assert seconds < pods[name].get("terminationGracePeriodSeconds", 30), name


@pytest.mark.parametrize("name", PROBED)
def test_a_pod_counts_once_it_has_been_ready_for_a_while(rendering: Rendering, name: str) -> None:
    assert rendering("managed").one("Deployment", name)["spec"]["minReadySeconds"] == 10


def test_a_release_takes_no_pod_away_before_another_is_ready(rendering: Rendering) -> None:
    for service in SERVICES:
        spec = rendering("managed").one("Deployment", service)["spec"]
        assert spec["strategy"]["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": 1}
        assert spec["replicas"] == 2
        budget = rendering("managed").one("PodDisruptionBudget", service)["spec"]
        assert (budget["maxUnavailable"], budget["unhealthyPodEvictionPolicy"]) == (1, "AlwaysAllow")
        assert budget["selector"] == spec["selector"]


def test_one_console_of_several_stays_where_a_node_is_drained(rendering: Rendering) -> None:
    """A single one is in nobody's way: a budget would not keep it up."""
    several, one = rendering("production"), rendering("managed")
    spec = several.one("Deployment", "console")["spec"]
    budget = several.one("PodDisruptionBudget", "console")["spec"]
    assert (spec["replicas"], spec["strategy"]["rollingUpdate"]["maxUnavailable"]) == (2, 0)
    assert budget["selector"] == spec["selector"]
    assert budget == {**several.one("PodDisruptionBudget", "payments")["spec"], "selector": spec["selector"]}
    assert one.all("PodDisruptionBudget").keys() == set(SERVICES)
    without = render("production", {"pods.disruptionBudget": False})
    assert not without.all("PodDisruptionBudget")


@pytest.mark.parametrize("name", ["payments", "console"])
def test_pods_are_spread_and_placed(rendering: Rendering, name: str) -> None:
    pod = rendering("production").pods()[f"Deployment/{name}"]
    own = {
        one["labelSelector"]["matchLabels"]["app.kubernetes.io/component"] for one in pod["topologySpreadConstraints"]
    }
    assert own == {name}
    assert {one["topologyKey"] for one in pod["topologySpreadConstraints"]} == {
        "kubernetes.io/hostname",
        "topology.kubernetes.io/zone",
    }
    assert all(one["whenUnsatisfiable"] == "DoNotSchedule" for one in pod["topologySpreadConstraints"])
    assert (pod["priorityClassName"], pod["nodeSelector"]) == ("important", {"pool": "services"})
    assert pod["tolerations"]
    assert pod["affinity"]


def test_the_image_is_named_by_its_content_from_the_mirror(rendering: Rendering) -> None:
    for name, container in rendering("managed").containers().items():
        assert container["image"].startswith("mirror.example/booking-services@sha256:"), name
    assert all(pod["imagePullSecrets"] == [{"name": "mirror"}] for pod in rendering("managed").pods().values())
    assert rendering("plain").containers()["Deployment/booking"]["image"] == "booking-services:0.1.0"


@pytest.mark.parametrize(
    "changed",
    [
        {"pods.revision": "2"},
        {"logLevel": "DEBUG"},
        {"services.booking.env": {"OTEL_TRACES_SAMPLER": "always_on"}},
        {"image.tag": "2"},
    ],
)
def test_pods_roll_when_what_they_are_told_changes(rendering: Rendering, changed: dict[str, object]) -> None:
    def template(rendered: Rendered) -> object:
        return rendered.one("Deployment", "booking")["spec"]["template"]

    assert template(render(changed=changed)) != template(render())


@pytest.mark.parametrize(
    ("name", "path"),
    [
        *((name, f"services.{name}") for name in SERVICES),
        *((name, name) for name in ("auditor", "bookingctl", "console")),
    ],
)
def test_what_stays_up_takes_settings_and_annotations_of_an_operator(tools: None, name: str, path: str) -> None:
    """A reloader replaces by annotations what was started with a Secret that has changed."""
    further = {f"{path}.env": {"OF_OURS": "true"}, f"{path}.podAnnotations": {"reloader.stakater.com/auto": "true"}}
    template = render(changed=further).one("Deployment", name)["spec"]["template"]
    assert settings(template["spec"]["containers"][0])["OF_OURS"] == "true"
    assert template["metadata"]["annotations"]["reloader.stakater.com/auto"] == "true"


def test_pods_do_not_roll_when_they_are_only_counted_anew() -> None:
    templates = [
        render(changed={"services.booking.replicas": replicas}).one("Deployment", "booking")["spec"]["template"]
        for replicas in (2, 3)
    ]
    assert templates[0] == templates[1]


@pytest.mark.parametrize(
    ("name", "command"), [("migration", ["bookingctl", "migrate"]), ("topics", ["bookingctl", "topics", "apply"])]
)
def test_a_job_runs_before_the_release_or_beside_the_pods_that_wait_for_it(
    rendering: Rendering, name: str, command: list[str]
) -> None:
    hook = rendering("managed").one("Job", name)
    assert hook["metadata"]["annotations"]["helm.sh/hook"] == "pre-install,pre-upgrade"
    assert hook["spec"]["template"]["spec"]["containers"][0]["command"] == command
    assert {"backoffLimit", "activeDeadlineSeconds"} <= hook["spec"].keys()
    names = []
    for changed in ({}, {"image.tag": "2"}, {"pods.revision": "2"}):
        plain = render(changed={"jobs.hooks": False, **changed}).all("Job")
        (own,) = [key for key in plain if key.startswith(name)]
        assert "annotations" not in plain[own]["metadata"]
        assert plain[own]["spec"]["ttlSecondsAfterFinished"] > 0
        names.append(own)
    assert len(set(names)) == 3, "a Job cannot be changed: another template is another Job"


@pytest.mark.parametrize(
    ("name", "command", "roles"),
    [
        ("auditor", ["bookingctl", "audit", "run"], {**dict.fromkeys(SERVICES, "auditor"), OPERATIONS: OPERATIONS}),
        ("console", ["bookingctl", "console"], {name: name for name in DATABASES}),
    ],
)
def test_auditor_and_console_come_as_whom_they_may(
    rendering: Rendering, name: str, command: list[str], roles: dict[str, str]
) -> None:
    """The auditor can only read but for what it finds; the console acts as each service, and owns nothing."""
    container = rendering("managed").containers()[f"Deployment/{name}"]
    assert container["command"] == command
    urls = {setting: value or "" for setting, value in settings(container).items() if setting.endswith("_URL")}
    found = {setting: value.partition("://")[2].partition("@")[0] for setting, value in urls.items()}
    assert found == {f"{database.upper()}_DATABASE_URL": role for database, role in roles.items()}


def test_bookingctl_waits_where_the_docs_say_that_it_is_typed(rendering: Rendering) -> None:
    rendered = rendering("managed")
    waiting = rendered.containers()["Deployment/bookingctl"]
    assert waiting["command"] == ["python", "-c", "import signal; signal.pause()"]
    name = rendered.one("Deployment", "bookingctl")["metadata"]["name"]
    typed = f"alias bookingctl='kubectl -n {NAMESPACE} exec -it deployment/{name} -- bookingctl'"
    assert typed in (REPOSITORY / "docs" / "operate" / "README.md").read_text()
    assert typed in notes("managed")
    assert "alias bookingctl" not in notes("bare")


def test_what_is_switched_off_is_not_there(rendering: Rendering) -> None:
    kinds = {one["kind"] for one in rendering("bare").objects}
    assert kinds == {"Deployment", "Service", "PodDisruptionBudget", "PodMonitor", "Pod"}
    assert set(rendering("bare").all("Deployment")) == set(SERVICES)
    assert "PodDisruptionBudget" not in {one["kind"] for one in rendering("plain").objects}


def test_stripe_is_let_in_to_one_path(rendering: Rendering) -> None:
    (rule,) = rendering("managed").one("Ingress", "webhooks")["spec"]["rules"]
    (path,) = rule["http"]["paths"]
    assert (rule["host"], path["path"], path["pathType"]) == ("hooks.example.org", "/webhooks/stripe", "Exact")
    assert path["backend"]["service"]["name"].endswith("-payments")


def test_people_are_let_in_where_links_in_letters_lead_and_nowhere_else(rendering: Rendering) -> None:
    spec = rendering("managed").one("Ingress", "links")["spec"]
    (rule,) = spec["rules"]
    (path,) = rule["http"]["paths"]
    assert (rule["host"], path["path"], path["pathType"]) == ("bookings.example.org", "/unsubscribe", "Prefix")
    assert path["backend"]["service"]["name"].endswith("-notifications")
    assert spec["tls"] == [{"hosts": ["bookings.example.org"], "secretName": "bookings-tls"}]


def test_operators_are_let_in_under_the_prefix_of_the_console(rendering: Rendering) -> None:
    (rule,) = rendering("managed").one("Ingress", "console")["spec"]["rules"]
    (path,) = rule["http"]["paths"]
    assert (rule["host"], path["path"], path["pathType"]) == ("ops.example.org", "/console", "Prefix")
    assert path["backend"]["service"]["name"].endswith("-console")
    assert settings(rendering("managed").containers()["Deployment/console"])["CONSOLE_PREFIX"] == "/console"
    assert "https://ops.example.org/console/" in notes("managed")
    assert "port-forward service/bookings-booking-system-console 8080" in notes("base")
    assert "console" not in notes("bare")


def test_the_test_asks_all_that_answer(each: Rendered) -> None:
    asked = [
        argument
        for argument in each.one("Pod", "test")["spec"]["containers"][0]["args"]
        if "://" in argument.split("\n")[0]
    ]
    named = {
        f"http://{one['metadata']['name']}:8080/health/ready"
        for name, one in each.all("Service").items()
        if name in PROBED
    }
    assert sorted(asked) == sorted(named)
    assert len(named) == len(set(PROBED) & {name.partition("/")[2] for name in each.pods()}) >= len(SERVICES)
