"""Values that cannot work are refused in a sentence that names the value and what to do, all of them at once."""

from __future__ import annotations

import pytest

from tests.chart.rendered import MAJORS, Refused, render, values_of

pytestmark = pytest.mark.requirement("chart")

Changed = dict[str, object]

REFUSED: dict[str, tuple[str, Changed, str]] = {
    "a drain that is cut off": (
        "managed",
        {"pods.terminationGracePeriodSeconds": 20},
        "terminationGracePeriodSeconds is 20, and preStop, drain and closing take up to 30 s",
    ),
    "a pause that outlasts the pod": (
        "managed",
        {"pods.preStopSeconds": 40, "pods.terminationGracePeriodSeconds": 40},
        "terminationGracePeriodSeconds is 40, and preStop, drain and closing take up to 65 s",
    ),
    "more pods than partitions": (
        "autoscaling",
        {"services.payments.autoscaling.maxReplicas": 13},
        "services.payments.autoscaling.maxReplicas is 13, and a topic has 12 partitions",
    ),
    "more pods than partitions, without KEDA": (
        "managed",
        {"services.booking.replicas": 40},
        "services.booking.replicas is 40, and a topic has 12 partitions",
    ),
    "a network that is none of its own": (
        "managed",
        {"subscribers.networks": ["10.1.2.3/32", "10.0.0.0/8", "0.0.0.0/0", "192.168.4.1/22"]},
        "subscribers.networks has 192.168.4.1/22, which is an address within a network",
    ),
    "fewer pods than the fewest": (
        "autoscaling",
        {"services.booking.autoscaling.minReplicas": 13},
        "services.booking.autoscaling.minReplicas is above maxReplicas",
    ),
    "a budget for one pod": (
        "managed",
        {"services.booking.replicas": 1},
        "services.booking has one pod, and no budget keeps one pod up",
    ),
    "memory that is lent": (
        "managed",
        {"auditor.resources.limits.memory": "1Gi"},
        "auditor.resources: memory is requested as 256Mi and limited to 1Gi",
    ),
    "a setting that the chart has": (
        "managed",
        {"services.booking.env": {"LOG_LEVEL": "DEBUG"}},
        "services.booking.env.LOG_LEVEL is set by the chart",
    ),
    "a setting of the console's that the chart has": (
        "managed",
        {"console.env": {"METRICS_PORT": "8080"}},
        "console.env.METRICS_PORT is set by the chart",
    ),
    "a server that nobody can verify": (
        "managed",
        {"database.caSecret.name": ""},
        "database.caSecret.name is empty",
    ),
    "a Kafka without a name": ("strimzi", {"kafka.strimzi.cluster": ""}, "kafka.strimzi.cluster is empty"),
    "users that nobody asks for": (
        "strimzi",
        {"kafka.securityProtocol": "PLAINTEXT"},
        "with kafka.securityProtocol PLAINTEXT nobody says who they are",
    ),
    "users of another mechanism": (
        "strimzi",
        {"kafka.saslMechanism": "SCRAM-SHA-256"},
        "kafka.strimzi.users makes users for SCRAM-SHA-512",
    ),
    "KEDA without tokens": (
        "autoscaling",
        {"kafka.saslMechanism": "OAUTHBEARER"},
        "KEDA asks for tokens by itself",
    ),
    "Secrets out of reach": (
        "strimzi",
        {"kafka.strimzi.namespace": "kafka"},
        "pods cannot read the Secret of services.booking",
    ),
    "a Secret of bookingctl's out of reach": (
        "strimzi",
        {"kafka.strimzi.namespace": "kafka"},
        "pods cannot read the Secret of bookingctl",
    ),
    "a bookingctl that Kafka does not know": (
        "managed",
        {"bookingctl.kafka.username": ""},
        "bookingctl.kafka.username",
    ),
    "a console that nobody gets into": (
        "base",
        {"console.tokensSecret.name": ""},
        "console.tokensSecret.name or console.proxy.userHeader is empty",
    ),
    "a proxy that anybody could be": (
        "managed",
        {"console.proxy.secret.name": "", "console.proxy.rolesHeader": ""},
        "console.proxy.rolesHeader is empty: set it. - console.proxy.secret.name is empty",
    ),
    "sessions that nobody signs": (
        "base",
        {"console.sessionSecretsSecret.name": ""},
        "console.sessionSecretsSecret.name is empty",
    ),
    "an Ingress to nowhere": ("managed", {"console.ingress.host": ""}, "console.ingress.host is empty"),
    "a place without its password": (
        "managed",
        {"operations.database.passwordSecret.name": ""},
        "operations.database.passwordSecret.name is empty",
    ),
    "a look from time to time": (
        "managed",
        {"auditor.everySeconds": 900},
        "There is no auditor.everySeconds: leave it out",
    ),
    "copies that there are not": (
        "managed",
        {"kafka.topics.minInsyncReplicas": 4},
        "kafka.topics.minInsyncReplicas is above replicationFactor",
    ),
    "brokers as an address": (
        "managed",
        {"kafka.bootstrapServers": "kafka://broker:9093"},
        "kafka.bootstrapServers has kafka://broker:9093: write host:port",
    ),
    "a hook before its database": (
        "cloudnativepg",
        {"jobs.hooks": True},
        "hooks run before it: set jobs.hooks to false",
    ),
    "alerts that are not in it": ("watched", {"alerts.enabled": True}, "package it with `make chart`"),
    "dashboards that are not in it": ("watched", {"dashboards.enabled": True}, "package it with `make chart`"),
    "a password in values": (
        "managed",
        {"database.password": "secret"},
        "There is no database.password: make a Secret and name it in services.<name>.database.passwordSecret",
    ),
    "another chart's value": ("managed", {"replicaCount": 2}, "There is no replicaCount: set services.<name>.replicas"),
    "an Ingress for nobody": ("managed", {"stripe.ingress.host": ""}, "stripe.ingress.host is empty"),
    "no certificate to show": (
        "certificates",
        {"services.payments.kafka.certificateSecret.name": ""},
        "services.payments.kafka.certificateSecret.name is empty",
    ),
    "an Ingress for links that nobody is sent": ("managed", {"mail.publicUrl": ""}, "mail.publicUrl is empty"),
    "links in mail without a secret": (
        "managed",
        {"mail.unsubscribeSecret.name": ""},
        "mail.unsubscribeSecret.name is empty",
    ),
    "pods that nobody finds": (
        "managed",
        {"pods.labels": {"app.kubernetes.io/component": "mine"}},
        "pods.labels.app.kubernetes.io/component is what the chart finds its pods by",
    ),
    "a name that Kubernetes has not": ("managed", {"fullnameOverride": "Our_Bookings"}, "fullnameOverride"),
    "mail with a name alone": ("managed", {"mail.passwordSecret.name": ""}, "mail.passwordSecret.name is empty"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_work_is_refused_in_a_sentence(tools: None, case: str) -> None:
    name, changed, sentence = REFUSED[case]
    with pytest.raises(Refused) as refused:
        render(name, changed)
    assert f"- {sentence}" in " ".join(str(refused.value).split()) or sentence in str(refused.value)


@pytest.mark.parametrize("major", MAJORS)
def test_all_that_is_missing_is_said_at_once(tools: None, major: str) -> None:
    with pytest.raises(Refused) as refused:
        render(major=major, files=[])
    said = str(refused.value)
    for wanted in (
        "kafka.bootstrapServers",
        "stripe.apiKeySecret.name",
        "database.host or services.payments.database.host",
    ):
        assert f"- {wanted} is empty: set it." in said


@pytest.mark.parametrize("major", MAJORS)
def test_a_value_that_is_not_there_and_one_that_is_a_secret_are_refused(tools: None, major: str) -> None:
    cases: tuple[Changed, ...] = ({"service": {}}, {"services.payments.env": {"STRIPE_API_KEY": "sk_live_x"}})
    for changed in cases:
        with pytest.raises(Refused, match=r"(?i)additional propert|STRIPE_API_KEY"):
            render(changed=changed, major=major)


def test_what_is_missing_is_not_missing_where_it_is_not_used(tools: None) -> None:
    without = {"services.booking.database.ownerPasswordSecret.name": ""}
    with pytest.raises(Refused, match="ownerPasswordSecret"):
        render("managed", without)
    assert render("bare", without).objects
    assert render("strimzi", {"kafka.admin": {}}, files=values_of("strimzi")).objects
