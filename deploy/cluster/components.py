"""What a cluster is made of: its files, and the command of each component. Addresses are of its own network alone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ADDRESS = "10.99.0.1"
"""The first node's, where the API server and the name server are."""
API = f"https://{ADDRESS}:6443"
SERVICE_ADDRESSES = "10.0.0.0/24"
DOMAIN = "cluster.local"
ETCD, ETCD_PEERS = "http://127.0.0.1:2379", "http://127.0.0.1:2380"
CNI_PLUGINS = "/usr/lib/cni"
PAUSE = "booking-local/pause:1"
"""The image that holds a pod's namespaces: it only sleeps (installation.py makes it)."""
HOST_SETTINGS = {
    "vm/overcommit_memory": "1",
    "vm/panic_on_oom": "0",
    "kernel/panic": "10",
    "kernel/panic_on_oops": "1",
    "kernel/keys/root_maxkeys": "1000000",
    "kernel/keys/root_maxbytes": "25000000",
}
"""What a kubelet sets for the whole machine. It finds it so (inside.py), and leaves the machine's alone."""


@dataclass(frozen=True)
class Node:
    """A node by its number, from 1: a containerd and a kubelet. Both are in one network, each with its own bridge."""

    number: int

    @property
    def name(self) -> str:
        return f"node{self.number}"

    @property
    def address(self) -> str:
        return f"10.99.0.{self.number}"

    @property
    def pods(self) -> str:
        """The addresses of its pods."""
        return f"10.244.{self.number}.0/24"

    @property
    def socket(self) -> str:
        """containerd's; short, because the path of a socket has 108 characters at most."""
        return f"/run/{self.name}.sock"


NODES = (Node(1), Node(2))


def files(folder: Path, token: str) -> Mapping[str, str]:
    """Everything that is read at the start, by its path in the folder. `token` is the administrator's."""
    found = {
        "tokens.csv": f"{token},admin,admin,system:masters\n",
        "kubeconfig": json.dumps(_kubeconfig(token)),
        "resolv.conf": f"nameserver {ADDRESS}\nsearch bookings.svc.{DOMAIN} svc.{DOMAIN} {DOMAIN}\noptions ndots:5\n",
        "Corefile": f".:53 {{\n    errors\n    bind {ADDRESS}\n    kubernetes {DOMAIN} {{\n"
        f"        kubeconfig {folder}/kubeconfig\n        ttl 1\n    }}\n}}\n",
        "proxy.yaml": json.dumps(_proxy(folder)),
    }
    for node in NODES:
        found |= {
            f"{node.name}/cni/10-pods.conflist": json.dumps(_network(node)),
            f"{node.name}/containerd.toml": _containerd(folder, node),
            f"{node.name}/kubelet.yaml": json.dumps(_kubelet(folder, node)),
        }
    return found


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
    """One serves both nodes: they share iptables. Limits of connections are the machine's, and are left alone."""
    return {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "mode": "iptables",
        "bindAddress": ADDRESS,
        "hostnameOverride": NODES[0].name,
        "clientConnection": {"kubeconfig": f"{folder}/kubeconfig"},
        "clusterCIDR": "10.244.0.0/16",
        "conntrack": {"maxPerCore": 0},
    }


def _network(node: Node) -> dict[str, Any]:
    ranges = {"type": "host-local", "ranges": [[{"subnet": node.pods}]], "routes": [{"dst": "0.0.0.0/0"}]}
    bridge = {"type": "bridge", "bridge": f"{node.name}-pods", "isGateway": True, "ipMasq": True, "hairpinMode": True}
    return {
        "cniVersion": "0.4.0",
        "name": f"{node.name}-pods",
        "plugins": [
            {**bridge, "ipam": {**ranges, "dataDir": f"/run/{node.name}-addresses"}},
            {"type": "portmap", "capabilities": {"portMappings": True}},
            {"type": "firewall"},
        ],
    }


def _containerd(folder: Path, node: Node) -> str:
    """Without AppArmor, and without raising a process's rank for the kernel's killer: both want more than root has in
    a container, which this may be started in."""
    return f"""version = 2
root = "{folder}/{node.name}/containerd"
state = "/run/{node.name}-containerd"
[grpc]
  address = "{node.socket}"
[plugins."io.containerd.internal.v1.opt"]
  path = "/run/{node.name}-opt"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "docker.io/{PAUSE}"
  disable_apparmor = true
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{CNI_PLUGINS}"
    conf_dir = "{folder}/{node.name}/cni"
"""


def cgroup(folder: Path) -> str:
    """The control group of all its pods, below that of the machine."""
    return f"/booking-cluster-{folder.stat().st_ino}"


def _kubelet(folder: Path, node: Node) -> dict[str, Any]:
    """Both answer whoever asks: only this network can. Nothing is evicted for a disk that others fill, no image is
    removed: none could be pulled again."""
    threshold = {"memory.available": "1Mi"} | dict.fromkeys(
        ("nodefs.available", "nodefs.inodesFree", "imagefs.available", "imagefs.inodesFree"), "0%"
    )
    return yaml.safe_load(f"""
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
address: {node.address}
healthzPort: 0
authentication: {{anonymous: {{enabled: true}}, webhook: {{enabled: false}}}}
authorization: {{mode: AlwaysAllow}}
containerRuntimeEndpoint: unix://{node.socket}
cgroupDriver: cgroupfs
cgroupRoot: {cgroup(folder)}
cgroupsPerQOS: false
enforceNodeAllocatable: []
failCgroupV1: false
failSwapOn: false
protectKernelDefaults: true
podLogsDir: {folder}/{node.name}/pods
volumePluginDir: /run/{node.name}-plugins
resolvConf: ""
clusterDNS: [{ADDRESS}]
clusterDomain: {DOMAIN}
imageGCHighThresholdPercent: 100
evictionHard: {json.dumps(threshold)}
""")  # type: ignore[no-any-return]
