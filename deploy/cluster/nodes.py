"""A node's files: what its containerd, its kubelet and the network of its pods are told."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ADDRESS = "10.99.0.1"
"""The first node's, where the API server and the name server are."""
DOMAIN = "cluster.local"
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


def files(folder: Path) -> Mapping[str, str]:
    """By their path in the cluster's folder."""
    found: dict[str, str] = {}
    for node in NODES:
        found |= {
            f"{node.name}/cni/10-pods.conflist": json.dumps(network(node)),
            f"{node.name}/containerd.toml": containerd(folder, node),
            f"{node.name}/kubelet.yaml": json.dumps(kubelet(folder, node)),
        }
    return found


def network(node: Node) -> dict[str, Any]:
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


def containerd(folder: Path, node: Node) -> str:
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


def kubelet(folder: Path, node: Node) -> dict[str, Any]:
    """Both answer whoever asks: only this network can. Nothing is evicted for a disk that others fill, no image is
    removed: none could be pulled again."""
    threshold = {"memory.available": "1Mi"} | dict.fromkeys(
        ("nodefs.available", "nodefs.inodesFree", "imagefs.available", "imagefs.inodesFree"), "0%"
    )
    config: dict[str, Any] = yaml.safe_load(f"""
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
address: {node.address}
healthzPort: 0
authentication: {{anonymous: {{enabled: true}}, webhook: {{enabled: false}}}}
authorization: {{mode: AlwaysAllow}}
containerRuntimeEndpoint: unix://{node.socket}
cgroupDriver: cgroupfs
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
""")
    return config
