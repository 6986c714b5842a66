"""What NetworkPolicies let through, as Kubernetes' documentation says it: who is selected by none is open to all."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.chart.rendered import NAMESPACE, RELEASE, Object


@dataclass(frozen=True)
class End:
    """One end of a connection: a pod with labels in a namespace, or an address outside of the cluster."""

    labels: Mapping[str, str] = field(default_factory=dict, hash=False)
    namespace: str = NAMESPACE
    address: str | None = None


def component(name: str) -> End:
    """A pod of the release."""
    labels = {"name": "booking-system", "instance": RELEASE, "component": name}
    return End({f"app.kubernetes.io/{key}": value for key, value in labels.items()})


def passes(policies: Sequence[Object], source: End, target: End, port: int, protocol: str = "TCP") -> bool:
    """Whether a connection is let out by its source's policies and in by its target's."""
    return _let(policies, source, target, port, protocol, "Egress") and _let(
        policies, target, source, port, protocol, "Ingress"
    )


def _let(policies: Sequence[Object], here: End, there: End, port: int, protocol: str, way: str) -> bool:
    if here.address:
        return True
    ours = [
        policy["spec"]
        for policy in policies
        if policy["metadata"]["namespace"] == here.namespace
        and way in policy["spec"]["policyTypes"]
        and _selects(policy["spec"]["podSelector"], here.labels)
    ]
    rules = [rule for spec in ours for rule in spec.get(way.lower(), ())]
    return not ours or any(_rule(rule, there, here.namespace, port, protocol, way) for rule in rules)


def _rule(rule: Mapping[str, Any], there: End, namespace: str, port: int, protocol: str, way: str) -> bool:
    peers = rule.get("from" if way == "Ingress" else "to")
    ports = rule.get("ports")
    right_port = not ports or any(
        one.get("port", port) == port and one.get("protocol", "TCP") == protocol for one in ports
    )
    return right_port and (not peers or any(_peer(peer, there, namespace) for peer in peers))


def _peer(peer: Mapping[str, Any], there: End, namespace: str) -> bool:
    if block := peer.get("ipBlock"):
        if there.address is None:
            return False
        address = ipaddress.ip_address(there.address)
        within = [address in ipaddress.ip_network(one) for one in (block["cidr"], *block.get("except", ()))]
        return within[0] and not any(within[1:])
    if there.address:
        return False
    of_namespace = {"kubernetes.io/metadata.name": there.namespace}
    right_namespace = (
        _selects(peer["namespaceSelector"], of_namespace)
        if "namespaceSelector" in peer
        else there.namespace == namespace
    )
    return right_namespace and _selects(peer.get("podSelector", {}), there.labels)


def _selects(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    for expression in selector.get("matchExpressions", ()):
        assert expression["operator"] == "In", "no other is used"
        if labels.get(expression["key"]) not in expression["values"]:
            return False
    return all(labels.get(key) == value for key, value in selector.get("matchLabels", {}).items())
