"""What a cluster is made of: its files, and the command of each component. Addresses are of its own network alone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from deploy.cluster import nodes
from deploy.cluster.nodes import ADDRESS, DOMAIN, NODES

API = f"https://{ADDRESS}:6443"
SERVICE_ADDRESSES = "10.0.0.0/24"
ETCD, ETCD_PEERS = "http://127.0.0.1:2379", "http://127.0.0.1:2380"


def files(folder: Path, token: str) -> Mapping[str, str]:
    """Everything that is read at the start, by its path in the folder. `token` is the administrator's."""
    return {
        "tokens.csv": f"{token},admin,admin,system:masters\n",
        "kubeconfig": json.dumps(_kubeconfig(token)),
        "resolv.conf": f"nameserver {ADDRESS}\nsearch bookings.svc.{DOMAIN} svc.{DOMAIN} {DOMAIN}\noptions ndots:5\n",
        "Corefile": f".:53 {{\n    errors\n    bind {ADDRESS}\n    kubernetes {DOMAIN} {{\n"
        f"        kubeconfig {folder}/kubeconfig\n        ttl 1\n    }}\n}}\n",
        "proxy.yaml": json.dumps(_proxy(folder)),
        **nodes.files(folder),
    }


def control_plane(folder: Path, program: Path) -> Mapping[str, list[str]]:
    """Commands of what must answer before anything else is started, by name."""
    run = str(program)
    keys = f"{folder}/service-accounts.key"
    containerds = {
        f"{node.name}-containerd": ["containerd", "--config", f"{folder}/{node.name}/containerd.toml"] for node in NODES
    }
    etcd = [run, "etcd", "--data-dir=/run/etcd", "--unsafe-no-fsync"]
    etcd += [f"--listen-client-urls={ETCD}", f"--advertise-client-urls={ETCD}"]
    etcd += [f"--listen-peer-urls={ETCD_PEERS}", f"--initial-advertise-peer-urls={ETCD_PEERS}"]
    etcd += [f"--initial-cluster=default={ETCD_PEERS}"]
    api = [run, "kube-apiserver", f"--etcd-servers={ETCD}", "--cert-dir=/run/api", "--allow-privileged"]
    api += [f"--bind-address={ADDRESS}", f"--advertise-address={ADDRESS}", "--endpoint-reconciler-type=none"]
    api += [f"--service-cluster-ip-range={SERVICE_ADDRESSES}", f"--service-account-issuer={API}"]
    api += [f"--service-account-key-file={keys}", f"--service-account-signing-key-file={keys}"]
    api += ["--authorization-mode=RBAC", f"--token-auth-file={folder}/tokens.csv"]
    api += ["--kubelet-preferred-address-types=InternalIP"]
    return {**containerds, "etcd": etcd, "kube-apiserver": api}


def rest(folder: Path, program: Path) -> Mapping[str, list[str]]:
    """Commands of what asks the API server, by name."""
    run = str(program)
    config = f"--kubeconfig={folder}/kubeconfig"
    alone = [config, "--leader-elect=false", "--bind-address=127.0.0.1"]
    controllers = [run, "kube-controller-manager", *alone, "--cert-dir=/run/controllers"]
    controllers += [f"--service-account-private-key-file={folder}/service-accounts.key"]
    controllers += ["--flex-volume-plugin-dir=/run/controllers-plugins"]
    kubelets = {
        f"{node.name}-kubelet": [
            *(run, "kubelet", config, f"--config={folder}/{node.name}/kubelet.yaml"),
            *(f"--hostname-override={node.name}", f"--node-ip={node.address}"),
            *(f"--root-dir=/run/{node.name}-kubelet", f"--cert-dir=/run/{node.name}-certificates"),
        ]
        for node in NODES
    }
    return {
        "kube-controller-manager": controllers,
        "kube-scheduler": [run, "kube-scheduler", *alone, "--cert-dir=/run/scheduler"],
        "kube-proxy": [run, "kube-proxy", f"--config={folder}/proxy.yaml"],
        "coredns": [run, "coredns", "-conf", f"{folder}/Corefile"],
        **kubelets,
    }


def _kubeconfig(token: str) -> dict[str, Any]:
    """The certificate is not looked at: nobody else can be at an address of this network."""
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "cluster", "cluster": {"server": API, "insecure-skip-tls-verify": True}}],
        "users": [{"name": "admin", "user": {"token": token}}],
        "contexts": [{"name": "cluster", "context": {"cluster": "cluster", "user": "admin", "namespace": "bookings"}}],
        "current-context": "cluster",
    }


def _proxy(folder: Path) -> dict[str, Any]:
    """One serves both nodes: they share iptables. What a Service is asked seems to come from the node: else an answer
    from the same bridge would not pass here. Limits of connections are the machine's, and are left alone."""
    return {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "mode": "iptables",
        "iptables": {"masqueradeAll": True},
        "bindAddress": ADDRESS,
        "hostnameOverride": NODES[0].name,
        "clientConnection": {"kubeconfig": f"{folder}/kubeconfig"},
        "clusterCIDR": "10.244.0.0/16",
        "conntrack": {"maxPerCore": 0},
    }
